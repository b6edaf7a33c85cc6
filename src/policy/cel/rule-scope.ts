import type { Claim, Expression } from './expression.js';
import { CHARACTERS_A_STEP, ITEMS_A_STEP, RuleBudget } from './rule-budget.js';
import { nameOfClaimType, nameOfType, ofClaimType, type RuleValue, UNDEFINED } from './rule-value.js';

/** The reason for a missing value once the budget is used up. */
export const TOO_EXPENSIVE = 'the rules of the policy take more steps than they may';

/** A claim that is present, but not of the type that the rule compares with. */
export interface MistypedClaim {
  readonly claim: string;
  readonly expected: string;
  readonly actual: string;
}

/** The claims of an evaluation, and its findings. */
export class RuleScope {
  readonly claims: ReadonlyMap<string, unknown>;
  readonly #budget: RuleBudget;
  /** Absent claims, in the syntax of rules. */
  readonly absent = new Set<string>();
  readonly mistyped = new Map<string, MistypedClaim>();
  /** Other reasons for a missing value: one sentence for each part. */
  readonly faults = new Map<string, string>();
  #variable: RuleValue = UNDEFINED;
  readonly #values: Map<Expression, RuleValue> | null;

  /**
   * @param claims by section, all verified; absent claims are left out
   * @param kept receives the value of each part; for a part that is evaluated for several items, the last value
   */
  constructor(
    claims: ReadonlyMap<string, unknown>,
    budget = new RuleBudget(),
    kept: Map<Expression, RuleValue> | null = null,
  ) {
    this.claims = claims;
    this.#budget = budget;
    this.#values = kept;
  }

  keep(part: Expression, value: RuleValue): RuleValue {
    this.#values?.set(part, value);
    return value;
  }

  /** Whether one more part may be evaluated. */
  step(): boolean {
    return this.#budget.spend(1);
  }

  /** Whether the budget allows reading these values, which can be long texts. */
  affords(values: readonly RuleValue[]): boolean {
    let steps = 0;
    for (const value of values) if (typeof value === 'string') steps += Math.floor(value.length / CHARACTERS_A_STEP);
    return this.#budget.spend(steps);
  }

  /** The value of the macro's variable while a part is evaluated with it. */
  get variable(): RuleValue {
    return this.#variable;
  }

  within<T>(item: RuleValue, evaluateBody: () => T): T {
    this.#variable = item;
    const value = evaluateBody();
    this.#variable = UNDEFINED;
    return value;
  }

  /** Reads a claim. Null counts as absent. A present object has the value true. */
  read(claim: Claim): RuleValue {
    const { path, text, type } = claim;
    const [section = '', ...members] = path;
    let value: unknown = this.claims.get(section);
    for (const member of members) value = ownMember(value, member);
    if (value === undefined || value === null) {
      this.absent.add(text);
      return UNDEFINED;
    }
    if (type !== 'double' && type.kind === 'object') return true;
    const isDear = Array.isArray(value) && !this.#budget.spend(Math.floor(value.length / ITEMS_A_STEP));
    if (isDear) return this.fault(claim, TOO_EXPENSIVE);
    const typed = ofClaimType(type, value);
    if (typed !== undefined) return typed;
    this.mistyped.set(text, { claim: text, expected: nameOfClaimType(type), actual: nameOfType(value) });
    return UNDEFINED;
  }

  /** Records why a part has no value, and returns the undefined value. */
  fault(part: Expression, why: string): typeof UNDEFINED {
    this.faults.set(part.text, why);
    return UNDEFINED;
  }
}

function ownMember(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as { readonly [member: string]: unknown })[name] : undefined;
}
