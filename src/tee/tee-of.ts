import type { EvidenceOf, EvidenceType } from '../core/evidence.js';
import type { EvidenceVerifier } from '../core/verification.js';
import type { IdentityParts, SmallerS } from './shared/evidence/identity.js';
import type { ChosenOptions } from './verifier-options.js';

/** The parts that a TEE, or a kind of token, supplies for its type of evidence. */
export interface TeeOf<T extends EvidenceType> {
  /** Makes its verifier from the options that it needs. */
  readonly verifier: (options: ChosenOptions) => EvidenceVerifier<T>;
  /** The bytes that `evidence.sha256` covers. */
  readonly identity: (evidence: EvidenceOf<T>, smallerS: SmallerS) => IdentityParts;
}
