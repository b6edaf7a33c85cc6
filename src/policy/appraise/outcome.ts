import type { Check } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import type { Outcome } from '../../core/decision.js';

/** The outcome of checks. `fault`: what is wrong with the list itself; then the outcome is indeterminate. */
export interface CheckOutcome {
  readonly outcome: Outcome;
  readonly fault: string | null;
}

/** Checks of one origin, and those of them that must have an outcome. */
export interface CheckSet {
  readonly checks: readonly Check[];
  readonly required: readonly CheckId[];
}

/**
 * The outcome of checks under one policy. It is allow only where each required check has run and none failed: it follows
 * from what was found, never from something that was not. A verifier and a policy can each make a check of one id: neither
 * answers for the other.
 */
export function outcomeOf(...sets: readonly CheckSet[]): CheckOutcome {
  const checks = sets.flatMap((set) => set.checks);
  if (checks.some(({ result }) => result === 'fail')) return { outcome: 'deny', fault: null };
  if (checks.some(isUndecided)) return { outcome: 'indeterminate', fault: null };
  const fault = sets.map(faultOf).find((found) => found !== null) ?? null;
  return { outcome: fault === null ? 'allow' : 'indeterminate', fault };
}

/** Whether what was out of reach leaves the decision open: not where nobody requires it. */
export function isUndecided({ result, optional }: Check): boolean {
  return result === 'unavailable' && optional !== true;
}

/** Called where nothing failed: then nothing may be skipped, and what must have run has run and holds. */
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
