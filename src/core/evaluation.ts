import type { Check } from './check.js';
import type { Outcome } from './decision.js';
import type { ExplainedPart } from './explanation.js';

/** The outcome of a policy. It is no decision: it must not release anything. */
export interface Evaluation {
  readonly outcome: Outcome;
  readonly matched: readonly string[];
  readonly unmatched: readonly string[];
  /** The checks, or the parts of a release policy. */
  readonly because: { readonly checks: readonly Check[] } | { readonly part: ExplainedPart };
}
