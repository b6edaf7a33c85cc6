import type { ExplainedPart } from '../../core/explanation.js';
import type { JsonObject } from '../../core/json.js';
import { claimAt } from './claim-value.js';
import { compareAuthority } from './compare-authority.js';
import { type Comparison, compareValues } from './compare-values.js';
import type { ClaimCondition, Condition, ConditionGroup, ReleaseAuthority, ReleasePolicy } from './policy-tree.js';
import { shownClaim, shownValue } from './shown-values.js';

/** The input of a release policy: the claims of a token. Another step verifies the token. */
export interface CheckedToken {
  /** `iss`; null if the claims have none, such as `maaView`. Then no authority is met. */
  readonly issuer: string | null;
  readonly claims: JsonObject;
}

export interface ReleaseEvaluation {
  readonly met: boolean;
  /**
   * The values that compatible comparison treated as equal in the first entry that is met. Text in lower case, without
   * a period.
   */
  readonly normalisations: readonly string[];
  readonly explanation: ExplainedPart;
}

/**
 * Evaluates a release policy for claims. The policy is met if the authority of one entry is the issuer and its
 * conditions are met. Evaluates every condition of such an entry, so that the explanation lists all unmet ones.
 *
 * Key Vault may decide differently, because its normalisation is not documented.
 */
export function evaluateReleasePolicy(
  policy: ReleasePolicy,
  token: CheckedToken,
  comparison: Comparison,
): ReleaseEvaluation {
  const parts: ExplainedPart[] = [];
  let met = false;
  let normalisations: readonly string[] = [];
  for (const entry of policy.authorities) {
    const evaluation = new Evaluation(token, comparison);
    const judged = evaluation.entry(entry);
    parts.push(judged.part);
    if (!judged.met || met) continue;
    met = true;
    normalisations = evaluation.normalisations;
  }
  return {
    met,
    normalisations,
    explanation: decided('anyOf', met, parts, issuerNote(token, parts)),
  };
}

interface Judged {
  readonly met: boolean;
  readonly part: ExplainedPart;
}

class Evaluation {
  readonly #token: CheckedToken;
  readonly #comparison: Comparison;
  readonly normalisations: string[] = [];

  constructor(token: CheckedToken, comparison: Comparison) {
    this.#token = token;
    this.#comparison = comparison;
  }

  /**
   * Explains an entry in one line if its authority is not the issuer, since a policy often has an entry for each
   * region.
   */
  entry({ authority, group }: ReleaseAuthority): Judged {
    const text = `authority ${shownValue(authority)}`;
    const { issuer } = this.#token;
    if (issuer === null) {
      return { met: false, part: undecided(text, 'iss is absent', [this.#condition(group).part]) };
    }
    const compared = compareAuthority(authority, issuer, this.#comparison);
    if (!compared.met) return { met: false, part: notReached(text, compared.note ?? 'is not the issuer of the token') };
    this.normalisations.push(...compared.normalisations);
    const judged = this.#condition(group);
    const note = compared.normalisations.join('; ') || null;
    return { met: judged.met, part: decided(text, judged.met, [judged.part], note) };
  }

  #condition(condition: Condition): Judged {
    return condition.kind === 'claim' ? this.#claim(condition) : this.#group(condition);
  }

  #group({ kind, conditions }: ConditionGroup): Judged {
    const judged = conditions.map((condition) => this.#condition(condition));
    const met = kind === 'allOf' ? judged.every((each) => each.met) : judged.some((each) => each.met);
    const parts = judged.map(({ part }) => part);
    return { met, part: decided(kind, met, parts, null) };
  }

  #claim(condition: ClaimCondition): Judged {
    const text = `${condition.claim} ${condition.operator} ${shownValue(condition.value)}`;
    const found = claimAt(this.#token.claims, condition.claim);
    if (found.absent !== null) {
      const claim = undecided(condition.claim, found.absent, []);
      return { met: false, part: undecided(text, found.absent, [claim]) };
    }
    const { met, normalisation, note } = compareValues(condition, found.value, this.#comparison);
    if (normalisation !== null) this.normalisations.push(`${condition.claim}: ${normalisation}`);
    const shown = shownClaim(found.value);
    const claim: ExplainedPart = { text: condition.claim, state: 'value', ...shown, parts: [] };
    return { met, part: decided(text, met, [claim], normalisation ?? note) };
  }
}

function issuerNote({ issuer }: CheckedToken, parts: readonly ExplainedPart[]): string | null {
  if (issuer === null) return 'iss is absent, so no authority is met';
  return parts.every(({ state }) => state === 'not reached')
    ? `no authority is the issuer ${shownValue(issuer)}`
    : null;
}

function decided(text: string, met: boolean, parts: readonly ExplainedPart[], note: string | null): ExplainedPart {
  return { text, state: 'value', value: met, note, parts };
}

function undecided(text: string, note: string, parts: readonly ExplainedPart[]): ExplainedPart {
  return { text, state: 'undefined', value: null, note, parts };
}

function notReached(text: string, note: string): ExplainedPart {
  return { text, state: 'not reached', value: null, note, parts: [] };
}
