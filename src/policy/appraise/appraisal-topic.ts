import type { NonceStanding } from '../../core/challenge.js';
import type { Checks } from '../../core/check.js';
import type { Claims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import type { EvidenceType, TokenRoute } from '../../core/evidence.js';
import { tokenRouteOf } from '../../core/evidence-traits.js';
import type { Verification } from '../../core/verification.js';
import type { RememberedResets } from '../../core/vtpm-resets.js';
import type { Policy } from '../document/policy-document.js';

/**
 * The state of another verifier's Attestation Result. `verified`: it verifies, and is about this TEE; `refused`: it does not, or
 * that verifier does not vouch; `not judged`: it did not come to that. Of the last two a base check says why.
 * `held back`: nothing was sent, because such evidence or verification time is never put to another verifier.
 */
export type ResultState =
  | { readonly state: 'verified' | 'refused' | 'not judged' }
  | { readonly state: 'unavailable'; readonly detail: string; readonly retryable: boolean }
  | { readonly state: 'held back'; readonly because: string }
  | { readonly state: 'absent' };

/** What came of evidence that is itself a token: its route, and nothing where it is none. */
export function resultOfEvidence(
  evidenceType: EvidenceType,
  { claims }: Verification,
): ReadonlyMap<TokenRoute, ResultState> {
  const route = tokenRouteOf(evidenceType);
  if (route === null) return new Map();
  return new Map([[route, { state: claims[route] === undefined ? 'refused' : 'verified' }]]);
}

/** Verified evidence, as policies appraise it. */
export interface AppraisalInput extends TopicInput {
  /** All base checks are in it: those of the verifier, and those of the nonce's record. */
  readonly verification: Verification;
}

/** A verification, or the same of asserted claims. */
export interface Findings extends Omit<Verification, 'claims'> {
  readonly claims: Claims;
}

/** The same for one topic of a policy, which can also be tried on asserted claims. */
export interface TopicInput {
  readonly evidenceType: EvidenceType;
  readonly verification: Findings;
  readonly nonce: NonceStanding;
  /** A route that is not in it has no Attestation Result: none was sent, and nothing is configured to fetch one. */
  readonly results: ReadonlyMap<TokenRoute, ResultState>;
  /** The remembered counts of the vTPM of the evidence. Only policies that track its resets use them. */
  readonly resets: RememberedResets;
  /** Whether the request supplied a key to bind. */
  readonly boundKey: boolean;
  /** Whether it supplied one as PEM, which evidence holds without a nonce. */
  readonly keyAsPem: boolean;
  /** The verification time of the request. */
  readonly at: Date;
}

/** Claims that rest on the same bytes, and are there or absent together. */
export type ClaimSection = keyof Claims;

/** One thing that a policy speaks about. */
export interface AppraisalTopic {
  /** Sections of claims without which nothing of this can be judged. */
  needs(policy: Policy, evidenceType: EvidenceType): readonly ClaimSection[];
  /** Checks of the policy that must have been made before it may allow. */
  required(policy: Policy, evidenceType: EvidenceType): readonly CheckId[];
  /** Base checks that must have been made besides, whatever the verifier requires; none where left out. */
  requiredOfBase?(policy: Policy): readonly CheckId[];
  /**
   * Makes the checks. Called only where all that is needed is there.
   *
   * @param checks of the policy, for `/evidence`
   */
  appraise(policy: Policy, input: TopicInput, checks: Checks): void;
}
