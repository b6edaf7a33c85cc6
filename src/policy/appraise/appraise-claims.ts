import type { Check } from '../../core/check.js';
import type { Claims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import type { Outcome } from '../../core/decision.js';
import type { EvidenceType } from '../../core/evidence.js';
import { checksAt } from '../../tee/catalogue.js';
import type { Policy } from '../document/policy-document.js';
import { rules } from '../document/rules.js';
import type { TopicInput } from './appraisal-topic.js';
import { matchesOf } from './appraise.js';
import type { Asserted } from './asserted.js';
import { reasonsOf } from './decide.js';
import { outcomeOf } from './outcome.js';
import { referenceValues } from './reference-values.js';

/** Claims to try a policy on. */
export interface GivenClaims {
  readonly type: EvidenceType;
  readonly asserted: Asserted;
  readonly at: Date;
}

/** The result of rules and reference values of a policy for claims. */
export interface ClaimsAppraisal {
  readonly outcome: Outcome;
  readonly matched: readonly string[];
  readonly unmatched: readonly string[];
  readonly reasons: readonly CheckId[];
  readonly checks: readonly Check[];
}

/**
 * Compares claims with the rules and reference values of a policy only, to try the policy. An allow proves nothing
 * about a machine, because the claims are not verified.
 */
export function appraiseClaims(policy: Policy, { type, asserted: { claims }, at }: GivenClaims): ClaimsAppraisal {
  const checks = checksAt('/claims', { policy: policy.id });
  const accepted = policy.accepts.includes(type);
  checks.require(accepted, 'policy_evidence_type', { expected: policy.accepts, actual: type });
  const required: CheckId[] = ['policy_evidence_type'];
  if (accepted) {
    const input = inputOf(type, claims, at);
    for (const topic of [referenceValues, rules]) {
      required.push(...topic.required(policy, type));
      topic.appraise(policy, input, checks);
    }
  }
  const found = { checks: checks.all, required };
  const { outcome } = outcomeOf(found);
  return { outcome, ...matchesOf(checks.all), reasons: reasonsOf([found]), checks: checks.all };
}

/** Treats tokens among the claims as verified. Otherwise no rule about a token could be tried. */
function inputOf(evidenceType: EvidenceType, claims: Claims, at: Date): TopicInput {
  const routes = (['maa', 'ita'] as const).filter((route) => claims[route] !== undefined);
  return {
    evidenceType,
    verification: { checks: [], required: [], claims, endorsements: [], bound: [], validUntil: null },
    nonce: { origin: 'none' },
    results: new Map(routes.map((route) => [route, { state: 'verified' }])),
    resets: { state: 'not consulted' },
    boundKey: false,
    keyAsPem: false,
    at,
  };
}
