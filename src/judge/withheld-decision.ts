import type { Check } from '../core/check.js';
import type { Decision } from '../core/decision.js';
import { checksAt } from '../tee/catalogue.js';

/** Texts beside the code; they default to those of the catalogue. */
export interface Said {
  readonly detail?: string;
  readonly remedy?: string;
}

/** The reason to withhold a decision without denying it. */
type Withholding = 'receipt_unavailable' | 'audit_unavailable' | 'release_unavailable';

/**
 * Makes a decision indeterminate after its receipt, record or key release failed. A deny stays a deny, since its
 * reasons still hold.
 */
export function withhold(decision: Decision, code: Withholding, said: Said = {}): Decision {
  const { trust, repeatable } = decision;
  const checks = checksAt();
  checks.unavailable(code, { ...said, retryable: repeatable });
  const withCheck = withReason(decision, code, checks.all);
  if (decision.decision === 'deny') return withCheck;
  const retryable = repeatable && (decision.decision === 'allow' || decision.retryable);
  return { ...withCheck, decision: 'indeterminate', trust: { ...trust, status: 'none' }, retryable };
}

/** Returns a deny after Key Vault refused the release. Checks and claims of the appraisal stay. */
export function refuseRelease(decision: Decision, said: Said): Decision {
  const checks = checksAt();
  checks.fail('release_refused', said);
  const { trust } = decision;
  return {
    ...withReason(decision, 'release_refused', checks.all),
    decision: 'deny',
    trust: { ...trust, status: 'none' },
    retryable: false,
  };
}

function withReason(decision: Decision, code: Withholding | 'release_refused', checks: readonly Check[]): Decision {
  return {
    ...decision,
    checks: [...decision.checks, ...checks],
    reasons: [...decision.reasons, code],
    receipt: null,
  };
}
