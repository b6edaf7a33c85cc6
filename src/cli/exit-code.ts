import type { Outcome } from '../model/decision.js';

/** Exit codes of the command line: part of the contract, since scripts look at nothing else. */
export const EXIT_CODE = { allow: 0, usage: 1, deny: 2, indeterminate: 3 } as const;

export function exitCodeOf(decision: Outcome): number {
  return EXIT_CODE[decision];
}
