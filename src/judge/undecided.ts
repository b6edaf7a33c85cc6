import type { ClockDoubt } from '../core/clock-doubt.js';
import type { CheckId } from '../core/codes.js';
import type { Decision } from '../core/decision.js';
import { isHardwareType } from '../core/evidence-traits.js';
import { appraiseTrust } from '../policy/appraise/trust.js';
import { checksAt } from '../tee/catalogue.js';
import { evidenceSha256 } from '../tee/evidence-identity.js';
import { markVerified } from '../tee/shared/evidence/mark-verified.js';
import type { Terms } from './admit.js';
import type { JoinedVerification } from './join.js';
import { SUBMITTED_ROUTES } from './submit.js';

/**
 * The decision while the clock is unreliable: indeterminate under every policy, even if something else is wrong. Uses
 * neither evidence nor nonce, so the same request can be repeated later.
 */
export function undecidedByClock(terms: Terms, doubt: ClockDoubt, lifetimeMs: number): Decision {
  const { request, policies, now, at, historical, decisionId } = terms;
  const { type } = request.evidence;
  const checks = checksAt();
  checks.unavailable('clock', { detail: doubt.detail, retryable: true });
  return {
    decision: 'indeterminate',
    decisionId,
    decidedAt: now,
    at,
    validUntil: new Date(at.getTime() + lifetimeMs),
    historical,
    retryable: true,
    repeatable: true,
    retryAfterSeconds: doubt.retryAfterSeconds,
    evidence: { type, sha256: evidenceSha256(request.evidence) },
    trust: appraiseTrust(checks.all, {}, 'indeterminate', { hardware: isHardwareType(type), routes: [] }),
    policies: policies.map(({ id, version, sha256 }) => ({
      id,
      version,
      sha256,
      outcome: 'indeterminate',
      matched: [],
      unmatched: [],
    })),
    checks: checks.all,
    reasons: ['clock'],
    claims: {},
    maaView: null,
    crossCheck: null,
    obtainedTokens: [],
    endorsements: [],
    freshness: { nonce: null, bound: [], clockSkewSeconds: null },
    binding: null,
    shadow: [],
    receipt: null,
  };
}

/** A verification without a result. No policy can allow with it. */
export function undecided(
  code: Extract<CheckId, 'deadline' | 'internal_error'>,
  retryable: boolean,
): JoinedVerification {
  const checks = checksAt('/evidence');
  checks.unavailable(code, { retryable });
  return {
    verification: {
      checks: checks.all,
      required: [],
      claims: markVerified({}),
      endorsements: [],
      bound: [],
      validUntil: null,
    },
    boundByEvidence: [],
    results: new Map(SUBMITTED_ROUTES.map((route) => [route, { state: 'not judged' }])),
    ofSameTee: new Set(),
    crossCheck: null,
    obtainedTokens: [],
    clockSkewSeconds: null,
    retryAfterSeconds: null,
  };
}
