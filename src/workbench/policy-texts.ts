import { RefusedError } from '../core/errors.js';
import type { Clock } from '../core/ports.js';
import type { Caller } from '../core/request.js';
import { requirePolicies } from '../judge/caller-limits.js';
import { type Policy, REQUEST_BOUNDS } from '../policy/document/policy-document.js';
import { type LintedProblem, type LintFacts, lintPolicy } from '../policy/lint/lint.js';

/** A policy for display: its id, and its exact text. */
export interface PolicyText {
  readonly id: string;
  readonly version: number;
  readonly description: string | null;
  readonly sha256: string;
  readonly text: string;
}

export interface PolicyTextsParts extends LintFacts {
  /** The policies that a tenant has in use now. */
  readonly policies: (tenant: string) => { get(id: string): Policy | undefined; list(): readonly Policy[] };
  readonly clock: Clock;
}

/** Shows the policies in use, and lints other texts. */
export class PolicyTexts {
  readonly #parts: PolicyTextsParts;

  constructor(parts: PolicyTextsParts) {
    this.#parts = parts;
  }

  /** Lists the policies that the caller may name. */
  list(caller: Caller): readonly PolicyText[] {
    const all = this.#parts.policies(caller.tenant).list();
    return all.filter(({ id }) => caller.policies?.has(id) !== false).map(policyTextAnswer);
  }

  /** @throws {RefusedError} `forbidden`, even if the policy does not exist; `not_found` */
  get(id: string, caller: Caller): PolicyText {
    requirePolicies([id], caller, '/id');
    const policy = this.#parts.policies(caller.tenant).get(id);
    if (policy === undefined)
      throw new RefusedError('not_found', 'there is no policy of this id; GET /policies lists all');
    return policyTextAnswer(policy);
  }

  /** Lints a text. Loads no policy, and fetches nothing. */
  lint(text: string): readonly LintedProblem[] {
    const { policies: _, clock, ...facts } = this.#parts;
    return lintPolicy(text, { at: clock.now(), ...facts, bounds: REQUEST_BOUNDS });
  }
}

export type PolicyTextsUseCase = Pick<PolicyTexts, 'list' | 'get' | 'lint'>;

/** Formats a policy for display. */
export function policyTextAnswer({ id, version, description, sha256, text }: Policy): PolicyText {
  return { id, version, description, sha256, text };
}
