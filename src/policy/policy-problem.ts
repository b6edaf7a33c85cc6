import { ConfigurationError } from '../model/errors.js';

/**
 * - `policy_schema`: the text, or a member of it, is not what it must be.
 * - `policy_member_unused`: a member that nothing consults, or that keeps the policy from ever allowing.
 */
export type PolicyProblemCode = 'policy_schema' | 'policy_member_unused';

/** One reason why a policy does not load. */
export interface PolicyProblem {
  readonly code: PolicyProblemCode;
  /** JSON pointer of the member; empty for the whole document. */
  readonly pointer: string;
  /** Line of the text, where the syntax is wrong. */
  readonly line?: number;
  /** Lower case, without period. */
  readonly message: string;
}

/** A policy text that does not load. */
export class PolicyError extends ConfigurationError {
  readonly policyProblems: readonly PolicyProblem[];

  constructor(policyProblems: readonly PolicyProblem[], options: { cause?: unknown } = {}) {
    super(policyProblems.map(problemText), options);
    this.policyProblems = policyProblems;
  }
}

export function schemaProblem(pointer: string, message: string): PolicyProblem {
  return { code: 'policy_schema', pointer, message };
}

export function unusedMember(pointer: string, message: string): PolicyProblem {
  return { code: 'policy_member_unused', pointer, message };
}

/** `place: what (code)`, as logs and the command line show it. */
function problemText({ code, pointer, line, message }: PolicyProblem): string {
  const place = line === undefined ? pointer || 'document' : `line ${line}`;
  return `${place}: ${message} (${code})`;
}
