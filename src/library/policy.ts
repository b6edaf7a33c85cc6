import type { RememberedResets } from '../core/vtpm-resets.js';
import { type AppraisalInput, resultOfEvidence } from '../policy/appraise/appraisal-topic.js';
import { requireDate } from './require-date.js';
import type { Verification } from './verifier.js';

/**
 * `veritee/policy`: appraises verified evidence under policies, and decides. It uses no network, disk, clock, environment or
 * log, so the same arguments always give the same decision.
 */

export type { Check } from '../core/check.js';
export type { CheckId } from '../core/codes.js';
export type { Outcome } from '../core/decision.js';
export type { RememberedResets } from '../core/vtpm-resets.js';
export type { AppraisalInput, ResultState } from '../policy/appraise/appraisal-topic.js';
export { appraise, mergeChecks, type PolicyAppraisal } from '../policy/appraise/appraise.js';
export { decide } from '../policy/appraise/decide.js';
export { BUILT_IN_POLICIES } from '../policy/document/built-in-policies.js';
export { type Policy, type PolicyTextOptions, parsePolicy } from '../policy/document/policy-document.js';
export { PolicyError, type PolicyProblem } from '../policy/document/policy-problem.js';

/** The inputs of an appraisal besides the verification. */
export interface AppraisalContext {
  /** Earlier reset counts of the vTPM. Default: unavailable, so that a policy with `trackResets` allows nothing. */
  readonly resets?: RememberedResets;
}

const NO_RESETS: RememberedResets = {
  state: 'unavailable',
  detail: 'no reset counts were supplied',
  retryable: false,
};

/**
 * The input of `appraise`. You choose the nonce, and must ensure that it was never used before. There is no token
 * of another verifier beside the evidence, so a policy that requires one allows nothing.
 *
 * @param verification the result of `verify`, which contains type of evidence, verification time and binding
 * @throws {TypeError} if its verification time is not a valid date, as after a round trip through JSON
 * @returns the input, for `appraise(policy, input)` under each policy; `decide` takes all appraisals
 */
export function appraisalInput(
  verification: Verification,
  { resets = NO_RESETS }: AppraisalContext = {},
): AppraisalInput {
  const { evidenceType, at, binding } = verification;
  requireDate(at);
  return {
    evidenceType,
    verification,
    nonce: { origin: binding === null ? 'none' : 'caller' },
    results: resultOfEvidence(evidenceType, verification),
    resets,
    boundKey: binding !== null && binding.jkt !== null,
    keyAsPem: binding?.pem !== undefined,
    at,
  };
}
