import type { Check } from '../core/check.js';
import type { Decision } from '../core/decision.js';
import { checksAt } from '../tee/catalogue.js';

/** The detail beside the code; by default that of the catalogue. */
export interface Said {
  readonly detail?: string;
  readonly remedy?: string;
}

/** The reason to withhold a decision without denying it. */
type Withholding = 'receipt_unavailable' | 'audit_unavailable' | 'release_unavailable';

/**
 * A decision of which the proof, or what was to be released, could not be made: never an allow. A deny stays one, since what
 * it rests on holds all the same.
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

/** The decision after Key Vault refused the release: a deny. Checks and claims of the appraisal stay. */
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
