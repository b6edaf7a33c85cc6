import { Checks } from '../model/check.js';
import type { Decision } from '../model/decision.js';

/**
 * A decision of which the proof could not be made: never an allow. A deny stays one, since what it rests on holds all the
 * same.
 */
export function withhold(decision: Decision, code: 'receipt_unavailable' | 'audit_unavailable'): Decision {
  const { trust, reasons, repeatable } = decision;
  const checks = new Checks();
  checks.unavailable(code, { retryable: repeatable });
  const withCheck = {
    ...decision,
    checks: [...decision.checks, ...checks.all],
    reasons: [...reasons, code],
    receipt: null,
  };
  if (decision.decision === 'deny') return withCheck;
  const retryable = repeatable && (decision.decision === 'allow' || decision.retryable);
  return { ...withCheck, decision: 'indeterminate', trust: { ...trust, status: 'none' }, retryable };
}
