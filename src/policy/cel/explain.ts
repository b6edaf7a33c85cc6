import type { ExplainedPart } from '../../model/explanation.js';
import { evaluate, RuleBudget, RuleScope, type RuleValue, shownValue, UNDEFINED } from './evaluate.js';
import { type Expression, partsOf, type Quantified } from './expression.js';

/** Parts that an explanation shows of all rules of a policy together. */
const MOST_PARTS = 4_000;

const LEFT_OUT = 'its parts are left out, since the explanation has too many';

/** What the explanations of all rules of one appraisal may cost together. */
export class ExplanationBudget {
  /** A part beyond these has no value. */
  readonly steps = new RuleBudget();
  readonly parts = new RuleBudget(MOST_PARTS);
}

/**
 * A rule with the value of each part of it.
 *
 * @param claims by section, as the rule was evaluated over them
 */
export function explain(
  expression: Expression,
  claims: ReadonlyMap<string, unknown>,
  { steps, parts } = new ExplanationBudget(),
): ExplainedPart {
  const values = new Map<Expression, RuleValue>();
  const scope = new RuleScope(claims, steps, values);
  evaluate(expression, scope);
  return new Explanation(scope, values, parts).of(expression);
}

/** Most items of a list that are shown each by itself. */
const SHOWN_ITEMS = 8;

/** Parts of a rule that has been evaluated. */
class Explanation {
  readonly #scope: RuleScope;
  readonly #values: ReadonlyMap<Expression, RuleValue>;
  readonly #budget: RuleBudget;

  /** @param budget parts that may have parts of their own */
  constructor(scope: RuleScope, values: ReadonlyMap<Expression, RuleValue>, budget: RuleBudget) {
    this.#scope = scope;
    this.#values = values;
    this.#budget = budget;
  }

  of(expression: Expression): ExplainedPart {
    const value = this.#valueOf(expression);
    const isShown = this.#budget.spend(1);
    return {
      text: expression.text,
      state: value === UNDEFINED ? 'undefined' : 'value',
      value: shownValue(value),
      note: isShown ? this.#noteOn(expression) : LEFT_OUT,
      parts: isShown ? this.#partsOf(expression) : [],
    };
  }

  #valueOf(expression: Expression): RuleValue {
    return this.#values.get(expression) ?? UNDEFINED;
  }

  #partsOf(expression: Expression): readonly ExplainedPart[] {
    switch (expression.op) {
      case 'choose':
        return this.#choice(expression);
      case 'all':
      case 'exists':
        return this.#items(expression);
      default:
        // A literal says what it is by itself.
        return partsOf(expression)
          .filter((part) => !isLiteral(part))
          .map((part) => this.of(part));
    }
  }

  #choice({ condition, ifTrue, ifFalse }: Expression & { op: 'choose' }): readonly ExplainedPart[] {
    const value = this.#valueOf(condition);
    const branch = (part: Expression, isChosen: boolean) => (isChosen ? this.of(part) : notReached(part));
    return [this.of(condition), branch(ifTrue, value === true), branch(ifFalse, value === false)];
  }

  /** The items that decide come first: those for which `all` fails, or `exists` holds. */
  #items({ op, list, variable, body }: Quantified): readonly ExplainedPart[] {
    const value = this.#valueOf(list);
    const explained = this.of(list);
    if (!Array.isArray(value)) return [explained];
    const items = value as readonly (number | string)[];
    const decides = (item: number | string) => {
      const found = this.#scope.within(item, () => evaluate(body, this.#scope));
      return found === UNDEFINED || found === (op === 'exists');
    };
    const deciding = items.filter(decides);
    const others = items.filter((item) => !deciding.includes(item));
    const shown = [...deciding, ...others].slice(0, SHOWN_ITEMS);
    return [explained, ...shown.map((item) => this.#withItem(item, body, variable))];
  }

  #withItem(item: number | string, body: Expression, variable: string): ExplainedPart {
    return this.#scope.within(item, () => {
      evaluate(body, this.#scope);
      return { ...this.of(body), note: `${variable} is ${JSON.stringify(item)}` };
    });
  }

  #noteOn({ op, text }: Expression): string | null {
    const { absent, mistyped, faults } = this.#scope;
    const other = mistyped.get(text);
    if (other !== undefined) return `is ${other.actual}, and is compared as ${other.expected}`;
    if (op === 'claim' && absent.has(text)) return 'is absent';
    return faults.get(text) ?? null;
  }
}

function isLiteral(part: Expression): boolean {
  return part.op === 'literal' || (part.op === 'list' && part.items.every(isLiteral));
}

function notReached({ text }: Expression): ExplainedPart {
  return { text, state: 'not reached', value: null, note: null, parts: [] };
}
