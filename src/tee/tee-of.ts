import type { EvidenceOf, EvidenceType } from '../core/evidence.js';
import type { EvidenceVerifier } from '../core/verification.js';
import type { IdentityParts, SmallerS } from './shared/evidence/identity.js';
import type { ChosenOptions } from './verifier-options.js';

/** The implementation of a type of evidence. */
export interface TeeOf<T extends EvidenceType> {
  /** Makes the verifier. */
  readonly verifier: (options: ChosenOptions) => EvidenceVerifier<T>;
  /** Returns the bytes that `evidence.sha256` covers. */
  readonly identity: (evidence: EvidenceOf<T>, smallerS: SmallerS) => IdentityParts;
}
