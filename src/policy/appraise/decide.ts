import type { Check } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import type { Outcome } from '../../core/decision.js';
import { byImportance } from '../../tee/catalogue.js';
import { isPolicyAppraisal, type PolicyAppraisal } from './appraise.js';
import { type CheckSet, isUndecided } from './outcome.js';

/**
 * Makes the decision from the appraisals of all policies, with its reasons, most important first.
 * @throws {TypeError} for a value that is not a result of `appraise`
 */
export function decide(appraisals: readonly PolicyAppraisal[]): {
  readonly decision: Outcome;
  readonly reasons: readonly CheckId[];
} {
  // Array.from, because `every` skips the holes of a sparse array.
  if (!Array.from(appraisals).every(isPolicyAppraisal)) throw new TypeError('decide takes results of appraise alone');
  if (appraisals.length === 0) return { decision: 'deny', reasons: ['no_policy'] };
  return { decision: overall(appraisals), reasons: reasonsOf(appraisals) };
}

/** Codes of the failed and unavailable checks, most important first. */
export function reasonsOf(findings: readonly Pick<CheckSet, 'checks'>[]): readonly CheckId[] {
  const failed = findings.flatMap(({ checks }) => checks.filter(({ result }) => result === 'fail'));
  const undecided = findings.flatMap(({ checks }) => checks.filter(isUndecided));
  return [...new Set([...idsOf(failed), ...idsOf(undecided)])];
}

function overall(appraisals: readonly PolicyAppraisal[]): Outcome {
  if (appraisals.some(({ outcome }) => outcome === 'deny')) return 'deny';
  return appraisals.every(({ outcome }) => outcome === 'allow') ? 'allow' : 'indeterminate';
}

function idsOf(checks: readonly Check[]): readonly CheckId[] {
  return checks.map(({ id }) => id).sort(byImportance);
}
