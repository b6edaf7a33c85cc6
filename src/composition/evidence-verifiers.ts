import type { EvidenceType } from '../model/evidence.js';
import type { EvidenceVerifier } from '../model/verification.js';
import { AzSnpVtpmVerifier } from '../verifiers/azure-cvm/az-snp-vtpm-verifier.js';
import { AzTdxVtpmVerifier } from '../verifiers/azure-cvm/az-tdx-vtpm-verifier.js';
import { MaaTokenVerifier } from '../verifiers/maa/maa-token-verifier.js';
import { SnpVerifier } from '../verifiers/snp/snp-verifier.js';
import { TdxVerifier } from '../verifiers/tdx/tdx-verifier.js';
import { ItaTokenVerifier } from '../verifiers/trust-authority/ita-token-verifier.js';

type VerifierClasses = { readonly [T in EvidenceType]: new (...parts: never[]) => EvidenceVerifier<T> };

/** One line for each TEE, and for each other verifier's token. Adding a type of evidence without a line here does not compile. */
export const EVIDENCE_VERIFIER_CLASSES = {
  snp: SnpVerifier,
  tdx: TdxVerifier,
  'az-snp-vtpm': AzSnpVtpmVerifier,
  'az-tdx-vtpm': AzTdxVtpmVerifier,
  'maa-token': MaaTokenVerifier,
  'ita-token': ItaTokenVerifier,
} as const satisfies VerifierClasses;
