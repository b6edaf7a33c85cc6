import type { ExplainedPart } from '../../model/explanation.js';
import type { JsonObject } from '../../model/json.js';
import { claimAt } from './claim-value.js';
import { compareAuthority } from './compare-authority.js';
import { type Comparison, compareValues } from './compare-values.js';
import type { ClaimCondition, Condition, ConditionGroup, ReleaseAuthority, ReleasePolicy } from './policy-tree.js';
import { shownClaim, shownValue } from './shown-values.js';

/** What a release policy is judged on: a token's claims as issued. Whether the token is genuine is judged elsewhere. */
export interface JudgedToken {
  /** `iss`; null where the claims have none, as those of `maaView`: then no authority is met. */
  readonly issuer: string | null;
  readonly claims: JsonObject;
}

/** Something that was taken as equal although it differs, and without which a comparison would have failed. */
export interface Normalisation {
  /** Of the authority or the condition. */
  readonly pointer: string;
  /** Lower case, without period. */
  readonly message: string;
}

export interface ReleaseEvaluation {
  readonly met: boolean;
  /** The first entry that is met, as the policy writes it; null where none is. */
  readonly authority: { readonly pointer: string; readonly authority: string } | null;
  /** Of that entry: without them it would not be met. */
  readonly normalisations: readonly Normalisation[];
  readonly explanation: ExplainedPart;
}

/**
 * Judges claims by a release policy. It is met where the authority of one entry is the issuer and its conditions hold.
 * Every condition of such an entry is looked at, so that the explanation has all that is missing.
 *
 * It does not establish that Key Vault decides alike: how the service normalises is not documented.
 */
export function evaluateReleasePolicy(
  policy: ReleasePolicy,
  token: JudgedToken,
  comparison: Comparison,
): ReleaseEvaluation {
  const parts: ExplainedPart[] = [];
  let met: ReleaseAuthority | null = null;
  let normalisations: readonly Normalisation[] = [];
  for (const entry of policy.authorities) {
    const evaluation = new Evaluation(token, comparison);
    const judged = evaluation.entry(entry);
    parts.push(judged.part);
    if (!judged.met || met !== null) continue;
    met = entry;
    normalisations = evaluation.normalisations;
  }
  return {
    met: met !== null,
    authority: met === null ? null : { pointer: met.pointer, authority: met.authority },
    normalisations,
    explanation: decided('anyOf', met !== null, parts, issuerNote(token, parts)),
  };
}

interface Judged {
  readonly met: boolean;
  readonly part: ExplainedPart;
}

class Evaluation {
  readonly #token: JudgedToken;
  readonly #comparison: Comparison;
  readonly normalisations: Normalisation[] = [];

  constructor(token: JudgedToken, comparison: Comparison) {
    this.#token = token;
    this.#comparison = comparison;
  }

  /** One line where the authority is not the issuer: a policy often has an entry for each region. */
  entry({ pointer, authority, group }: ReleaseAuthority): Judged {
    const text = `authority ${shownValue(authority)}`;
    const { issuer } = this.#token;
    if (issuer === null) {
      return { met: false, part: undecided(text, 'iss is absent', [this.#condition(group).part]) };
    }
    const compared = compareAuthority(authority, issuer, this.#comparison);
    if (!compared.met) return { met: false, part: notReached(text, compared.note ?? 'is not the issuer of the token') };
    for (const message of compared.normalisations) this.#normalised(`${pointer}/authority`, message);
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
    if (normalisation !== null) this.#normalised(condition.pointer, `${condition.claim}: ${normalisation}`);
    const shown = shownClaim(found.value);
    const claim: ExplainedPart = { text: condition.claim, state: 'value', ...shown, parts: [] };
    return { met, part: decided(text, met, [claim], normalisation ?? note) };
  }

  #normalised(pointer: string, message: string): void {
    this.normalisations.push({ pointer, message });
  }
}

function issuerNote({ issuer }: JudgedToken, parts: readonly ExplainedPart[]): string | null {
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
