import type { Unavailable } from './endorsement.js';
import type { JsonObject } from './json.js';
import type { TokenRoute } from './token-route.js';
import type { Submission } from './verification.js';

/** How another verifier answered. Nothing of it is verified. */
export type SubmissionResult =
  /** `answersCall`: whether claims of the token, once it is verified, show that it answers this call. */
  | { readonly token: string; readonly answersCall: (claims: JsonObject) => boolean }
  /** It judged the evidence, and does not vouch for it: one sentence for people. */
  | { readonly refused: string }
  | Unavailable;

/** Sends evidence to another verifier. Only to configured origins, and only where submitting is configured. */
export interface AttestationService {
  readonly route: TokenRoute;
  /** Whether it judges this kind of evidence at all. */
  accepts(submission: Submission): boolean;
  /** Never throws for a service that is out of reach. @param signal aborts when the time of the request has passed */
  attest(submission: Submission, signal: AbortSignal): Promise<SubmissionResult>;
}
