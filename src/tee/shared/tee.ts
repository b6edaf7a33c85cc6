import type { EvidenceOf, EvidenceType } from '../../core/evidence.js';
import type { EvidenceVerifier } from '../../core/verification.js';
import type { IdentityParts, SmallerS } from './evidence/identity.js';

/** What a TEE, or a kind of token, brings for its type of evidence. */
export interface TeeOf<T extends EvidenceType> {
  /** Makes its verifier. It names the parts that it is made of: `VerifierParts` has those of all. */
  readonly verifier: (parts: never) => EvidenceVerifier<T>;
  /** The bytes that `evidence.sha256` covers. */
  readonly identity: (evidence: EvidenceOf<T>, smallerS: SmallerS) => IdentityParts;
}
