import type { PolicyProblemCode } from '../document/policy-problem.js';

/** The reason why the text of a rule does not load. */
export class RuleFault extends Error {
  override readonly name = 'RuleFault';
  readonly code: PolicyProblemCode & `rule_${string}`;

  constructor(code: RuleFault['code'], message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}
