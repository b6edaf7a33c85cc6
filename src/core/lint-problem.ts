/** One thing that is wrong with a policy or a configuration, or that deserves a second look. */
export interface LintProblem {
  readonly code: string;
  /** JSON pointer (RFC 6901) into the document; empty for the whole. */
  readonly pointer: string;
  /** Lower case, without period. */
  readonly message: string;
  /** One sentence on what its author can do. */
  readonly remedy: string;
  /** `error`: the policy does not load, or the service does not start. */
  readonly severity: 'error' | 'warning';
}
