import type { Outcome } from '../../core/decision.js';
import type { Expectation } from './case-document.js';

/** The result of a case, limited to the parts that a test can expect. */
export interface CaseFinding {
  readonly outcome: Outcome;
  readonly unmatched: readonly string[];
  readonly reasons: readonly string[];
}

/** Returns the members that differ from the expectation. For lists every item counts, in any order. */
export function unmetExpectations(
  { outcome, unmatched, reasons }: Expectation,
  found: CaseFinding,
): readonly (keyof CaseFinding)[] {
  return [
    ...(outcome === found.outcome ? [] : (['outcome'] as const)),
    ...(isSameSet(unmatched, found.unmatched) ? [] : (['unmatched'] as const)),
    ...(isSameSet(reasons, found.reasons) ? [] : (['reasons'] as const)),
  ];
}

function isSameSet(expected: readonly string[] | null, found: readonly string[]): boolean {
  if (expected === null) return true;
  const set = new Set(expected);
  return set.size === new Set(found).size && found.every((each) => set.has(each));
}
