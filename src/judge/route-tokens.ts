import type { TokenRoute } from '../core/evidence.js';
import type { TokenVerification } from '../core/verification.js';

/** A token of another verifier, verified or not. */
export interface RouteToken {
  readonly route: TokenRoute;
  readonly verification: TokenVerification;
  /** JSON pointer of the token, or of the place that it could have had. */
  readonly about: string;
  /** The text of a token that this service obtained for the evidence; null if the token was in the request. */
  readonly obtained: string | null;
}

/** Why a submission gave no reliable token. */
export type RouteFault =
  | {
      readonly state: 'unavailable';
      readonly detail: string;
      readonly retryable: boolean;
      readonly retryAfterSeconds: number | null;
    }
  /** The other verifier appraised the evidence, and does not vouch for it. */
  | { readonly state: 'not vouched for'; readonly detail: string }
  /** It was not contacted, because evidence or challenge fail a base check here, which says why. */
  | { readonly state: 'not asked' }
  /**
   * It is never contacted for such evidence or verification time, even if every check here passes. `because`: the
   * reason.
   */
  | { readonly state: 'held back'; readonly because: string };

/** Attestation Results of other verifiers. */
export interface RouteResults {
  readonly tokens: readonly RouteToken[];
  readonly faults: ReadonlyMap<TokenRoute, RouteFault>;
}

/** Whether signature, issuer and times of a token verify. */
export function isReliable({ verification: { validUntil } }: Pick<RouteToken, 'verification'>): boolean {
  return validUntil !== null;
}
