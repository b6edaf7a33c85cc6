import type { Check } from './check.js';
import type { Outcome } from './decision.js';
import type { ExplainedPart } from './explanation.js';

/** The outcome of a policy. It is no decision: nothing may be released by it. */
export interface Evaluation {
  readonly outcome: Outcome;
  readonly matched: readonly string[];
  readonly unmatched: readonly string[];
  /** The checks, or, of a release policy, its parts. */
  readonly because: { readonly checks: readonly Check[] } | { readonly part: ExplainedPart };
}
