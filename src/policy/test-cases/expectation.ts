import type { Outcome } from '../../core/decision.js';
import type { Expectation } from './case-document.js';

/** The result of a case, as far as tests can expect it. */
export interface CaseFinding {
  readonly outcome: Outcome;
  readonly unmatched: readonly string[];
  readonly reasons: readonly string[];
}

/** Members of the expectation that are not as expected. Of lists every item counts, and their order does not. */
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
