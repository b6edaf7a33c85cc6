/** A problem of a policy or a configuration, or a point to check again. */
export interface LintProblem {
  readonly code: string;
  /** JSON pointer (RFC 6901) into the document; empty for the whole. */
  readonly pointer: string;
  /** Lower case, without period. */
  readonly message: string;
  /** One sentence with the remedy for its author. */
  readonly remedy: string;
  /** `error`: the policy does not load, or the service does not start. */
  readonly severity: 'error' | 'warning';
}
