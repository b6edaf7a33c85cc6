import type { ContractEvidenceType } from '../model/evidence.js';
import type { TokenRoute } from '../model/token-route.js';

/** What vouches for the evidence: a TEE's own report, a TPM alone, or another verifier. */
type EvidenceKind = 'hardware' | 'tpm' | 'token';

export function kindOf(type: ContractEvidenceType): EvidenceKind {
  if (type === 'maa-token' || type === 'ita-token') return 'token';
  return type === 'tpm' ? 'tpm' : 'hardware';
}

export function isHardwareType(type: ContractEvidenceType): boolean {
  return kindOf(type) === 'hardware';
}

export function isTokenType(type: ContractEvidenceType): boolean {
  return kindOf(type) === 'token';
}

/** The TEE whose minimums evidence of a type is compared with; null: none. */
export function teeOf(type: ContractEvidenceType): 'snp' | 'tdx' | null {
  if (type === 'snp' || type === 'az-snp-vtpm') return 'snp';
  return type === 'tdx' || type === 'az-tdx-vtpm' ? 'tdx' : null;
}

/** Whether an Azure paravisor stands between the hardware and the guest, with a vTPM of its own. */
export function hasParavisor(type: ContractEvidenceType): boolean {
  return type === 'az-snp-vtpm' || type === 'az-tdx-vtpm';
}

/** Whose token evidence of a type is; null where it is none. */
export function tokenRouteOf(type: ContractEvidenceType): TokenRoute | null {
  if (type === 'maa-token') return 'maa';
  return type === 'ita-token' ? 'ita' : null;
}
