import type { Check } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import type { Outcome } from '../../core/decision.js';

/** The outcome of checks. `fault` is a fault of the list itself, which makes the outcome indeterminate. */
export interface CheckOutcome {
  readonly outcome: Outcome;
  readonly fault: string | null;
}

/** Checks of one origin, and the ids that must have an outcome. */
export interface CheckSet {
  readonly checks: readonly Check[];
  readonly required: readonly CheckId[];
}

/**
 * The outcome of checks under one policy. It is allow only if every required check ran and no check failed: a missing
 * check never leads to an allow. The verifier and the policy can both make a check with the same id. Each must make
 * its own.
 */
export function outcomeOf(...sets: readonly CheckSet[]): CheckOutcome {
  const checks = sets.flatMap((set) => set.checks);
  if (checks.some(({ result }) => result === 'fail')) return { outcome: 'deny', fault: null };
  if (checks.some(isUndecided)) return { outcome: 'indeterminate', fault: null };
  const fault = sets.map(faultOf).find((found) => found !== null) ?? null;
  return { outcome: fault === null ? 'allow' : 'indeterminate', fault };
}

/** Whether an unavailable check makes the decision indeterminate: only if it is required. */
export function isUndecided({ result, optional }: Check): boolean {
  return result === 'unavailable' && optional !== true;
}

/** Called if no check failed. Then no check may be skipped, and every required check must have run and passed. */
function faultOf({ checks, required }: CheckSet): string | null {
  const skipped = checks.filter(({ result }) => result === 'skipped').map(({ id }) => id);
  if (skipped.length > 0) return `skipped although nothing failed: ${[...new Set(skipped)].join(', ')}`;
  const held = new Set<CheckId>();
  for (const { id, result } of checks) if (holds(result)) held.add(id);
  for (const { id, result } of checks) if (!holds(result)) held.delete(id);
  const missing = required.filter((id) => !held.has(id));
  return missing.length > 0 ? `without an outcome: ${[...new Set(missing)].join(', ')}` : null;
}

function holds(result: Check['result']): boolean {
  return result === 'pass' || result === 'warn';
}
