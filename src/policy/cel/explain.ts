import type { ExplainedPart } from '../../core/explanation.js';
import type { JsonValue } from '../../core/json.js';
import { evaluate } from './evaluate.js';
import { type Expression, expressionParts, type Quantified } from './expression.js';
import { MOST_STEPS, RuleBudget } from './rule-budget.js';
import { RuleScope } from './rule-scope.js';
import { type RuleValue, UNDEFINED } from './rule-value.js';

/** Maximum number of parts in the explanations of all rules of a policy. A long part counts as several. */
const MOST_PARTS = 4_000;

/** Characters of text and value that count as one part. */
const CHARACTERS_A_PART = 128;

const LEFT_OUT = 'its parts are left out, since the explanation has too many';

/**
 * Maximum number of characters of a text, or items of a list, that one part shows. Claims can be long, and many parts
 * may depend on one claim.
 */
const [SHOWN_CHARACTERS, SHOWN_OF_A_LIST] = [256, 16];

/** The limit of the explanations of all rules of one appraisal together. */
export class ExplanationBudget {
  /** The rule is evaluated once more, and its macros twice. Each part that had a value has it here too. */
  readonly steps = new RuleBudget(3 * MOST_STEPS);
  readonly parts = new RuleBudget(MOST_PARTS);
}

/**
 * Explains a rule with the value of each of its parts.
 *
 * @param claims by section, as in the evaluation of the rule
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

/** Maximum number of list items that are shown separately. */
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
    const shown = shownValue(value);
    const characters = expression.text.length + lengthOf(shown.value);
    const isShown = this.#budget.spend(1 + Math.floor(characters / CHARACTERS_A_PART));
    return {
      text: expression.text,
      state: value === UNDEFINED ? 'undefined' : 'value',
      value: shown.value,
      note: isShown ? ((value === UNDEFINED ? this.#whyUndefined(expression) : null) ?? shown.note) : LEFT_OUT,
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
        return expressionParts(expression)
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
    const judged = items.map((item) => ({ item, isDeciding: decides(item) }));
    const inOrder = judged.toSorted((a, b) => Number(b.isDeciding) - Number(a.isDeciding));
    const shown = inOrder.slice(0, SHOWN_ITEMS).map(({ item }) => item);
    return [explained, ...shown.map((item) => this.#withItem(item, body, variable))];
  }

  #withItem(item: number | string, body: Expression, variable: string): ExplainedPart {
    return this.#scope.within(item, () => {
      evaluate(body, this.#scope);
      return { ...this.of(body), note: `${variable} is ${JSON.stringify(cut(item))}` };
    });
  }

  #whyUndefined({ op, text }: Expression): string | null {
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

/** A value as answers show it, and what of it is left out. */
function shownValue(value: RuleValue): { readonly value: JsonValue; readonly note: string | null } {
  if (value === UNDEFINED) return { value: null, note: null };
  if (typeof value === 'object') {
    const isWhole = value.length <= SHOWN_OF_A_LIST;
    const note = isWhole ? null : `the first ${SHOWN_OF_A_LIST} of ${value.length} items`;
    return { value: value.slice(0, SHOWN_OF_A_LIST).map(cut), note };
  }
  const shown = cut(value);
  const note = shown === value ? null : `the first ${SHOWN_CHARACTERS} of ${String(value).length} characters`;
  return { value: shown, note };
}

function cut<T extends number | boolean | string>(value: T): T | string {
  return typeof value === 'string' ? value.slice(0, SHOWN_CHARACTERS) : value;
}

function lengthOf(shown: JsonValue): number {
  if (Array.isArray(shown)) return shown.reduce((sum: number, item: JsonValue) => sum + lengthOf(item), 0);
  return typeof shown === 'string' ? shown.length : 0;
}
