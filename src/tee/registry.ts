import type { EvidenceType } from '../core/evidence.js';
import type { EvidenceVerifier } from '../core/verification.js';
import { AZ_SNP_VTPM, AZ_TDX_VTPM } from './azure/tee.js';
import { ITA_TOKEN } from './ita/tee.js';
import { MAA_TOKEN } from './maa/tee.js';
import { SNP } from './snp/tee.js';
import { TDX } from './tdx/tee.js';
import type { TeeOf } from './tee-of.js';
import { TPM } from './tpm/tee.js';
import type { ChosenOptions } from './verifier-options.js';

/** The TEE of each type of evidence. A type of evidence without a line here does not compile. */
export const TEES = {
  snp: SNP,
  tdx: TDX,
  'az-snp-vtpm': AZ_SNP_VTPM,
  'az-tdx-vtpm': AZ_TDX_VTPM,
  tpm: TPM,
  'maa-token': MAA_TOKEN,
  'ita-token': ITA_TOKEN,
} as const satisfies { readonly [T in EvidenceType]: TeeOf<T> };

/** The verifier of each type of evidence. */
export function evidenceVerifiers(options: ChosenOptions): ReadonlyMap<EvidenceType, EvidenceVerifier> {
  const verifiers: readonly EvidenceVerifier[] = Object.values(TEES).map(({ verifier }) => verifier(options));
  return new Map(verifiers.map((verifier) => [verifier.evidenceType, verifier]));
}
