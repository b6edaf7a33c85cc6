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
 * The state of another verifier's Attestation Result:
 *
 * - `verified`: it verifies and is about this TEE.
 * - `refused`: it does not, or that verifier does not vouch for the evidence. A base check gives the reason.
 * - `not judged`: it was not verified. A base check gives the reason.
 * - `held back`: nothing was sent, because such evidence or verification time never goes to another verifier.
 */
export type ResultState =
  | { readonly state: 'verified' | 'refused' | 'not judged' }
  | { readonly state: 'unavailable'; readonly detail: string; readonly retryable: boolean }
  | { readonly state: 'held back'; readonly because: string }
  | { readonly state: 'absent' };

/** The state of a token that is itself the evidence, by its route; empty for other evidence. */
export function resultOfEvidence(
  evidenceType: EvidenceType,
  { claims }: Verification,
): ReadonlyMap<TokenRoute, ResultState> {
  const route = tokenRouteOf(evidenceType);
  if (route === null) return new Map();
  return new Map([[route, { state: claims[route] === undefined ? 'refused' : 'verified' }]]);
}

/** Verified evidence, the input of an appraisal. */
export interface AppraisalInput extends TopicInput {
  /** Contains all base checks: those of the verifier, and those of the nonce's record. */
  readonly verification: Verification;
}

/** The members of a verification, also for asserted claims. */
export interface Findings extends Omit<Verification, 'claims'> {
  readonly claims: Claims;
}

/** The input of one topic of a policy. A policy can also be tried on asserted claims. */
export interface TopicInput {
  readonly evidenceType: EvidenceType;
  readonly verification: Findings;
  readonly nonce: NonceStanding;
  /** Attestation Results by route. An absent route has none: none was sent, and none is configured to be fetched. */
  readonly results: ReadonlyMap<TokenRoute, ResultState>;
  /** The stored reset counters of the vTPM. Only policies that track resets use them. */
  readonly resets: RememberedResets;
  /** Whether the request supplied a key to bind. */
  readonly boundKey: boolean;
  /** Whether the request supplied a key as PEM, which evidence holds without a nonce. */
  readonly keyAsPem: boolean;
  /** The verification time of the request. */
  readonly at: Date;
}

/** A section of claims, whose claims are present or absent together. */
export type ClaimSection = keyof Claims;

/** One part of a policy, with its checks. */
export interface AppraisalTopic {
  /** Sections of claims that the checks of this topic need. */
  needs(policy: Policy, evidenceType: EvidenceType): readonly ClaimSection[];
  /** Checks of the policy that must have an outcome before it can allow. */
  required(policy: Policy, evidenceType: EvidenceType): readonly CheckId[];
  /** Base checks that must have an outcome in addition to those that the verifier requires; defaults to none. */
  requiredOfBase?(policy: Policy): readonly CheckId[];
  /**
   * Makes the checks. Called only if all needed sections are present.
   *
   * @param checks the checks of the policy at `/evidence`
   */
  appraise(policy: Policy, input: TopicInput, checks: Checks): void;
}
