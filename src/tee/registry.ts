import type { EvidenceType } from '../core/evidence.js';
import type { EvidenceVerifier } from '../core/verification.js';
import { AZ_SNP_VTPM, AZ_TDX_VTPM } from './azure/tee.js';
import { ITA_TOKEN } from './ita/tee.js';
import { MAA_TOKEN } from './maa/tee.js';
import type { TeeOf } from './shared/tee.js';
import { SNP } from './snp/tee.js';
import { TDX } from './tdx/tee.js';
import { TPM } from './tpm/tee.js';

/** One line for each TEE, and for each other verifier's token. A type of evidence without a line here does not compile. */
export const TEES = {
  snp: SNP,
  tdx: TDX,
  'az-snp-vtpm': AZ_SNP_VTPM,
  'az-tdx-vtpm': AZ_TDX_VTPM,
  tpm: TPM,
  'maa-token': MAA_TOKEN,
  'ita-token': ITA_TOKEN,
} as const satisfies { readonly [T in EvidenceType]: TeeOf<T> };

type Takes<Tee> = Tee extends { readonly verifier: (parts: infer Parts) => unknown } ? (parts: Parts) => void : never;

/** What the verifiers are made of: each part that one of them names. */
export type VerifierParts = Takes<(typeof TEES)[EvidenceType]> extends (parts: infer Parts) => void ? Parts : never;

/** The verifier of each type of evidence. */
export function evidenceVerifiers(parts: VerifierParts): ReadonlyMap<EvidenceType, EvidenceVerifier> {
  const verifiers: readonly EvidenceVerifier[] = Object.values(TEES).map(({ verifier }) => verifier(parts));
  return new Map(verifiers.map((verifier) => [verifier.evidenceType, verifier]));
}
