import type { ExplainedPart } from '../../model/explanation.js';
import { evaluate, type RuleScope, shownValue, UNDEFINED } from './evaluate.js';
import { type Expression, partsOf, type Quantified } from './expression.js';

/** A rule with the value of each part of it. */
export function explain(expression: Expression, scope: RuleScope): ExplainedPart {
  const value = evaluate(expression, scope);
  const { text } = expression;
  const part = { text, value: shownValue(value), note: noteOn(expression, scope) };
  return { ...part, state: value === UNDEFINED ? 'undefined' : 'value', parts: explainParts(expression, scope) };
}

function explainParts(expression: Expression, scope: RuleScope): readonly ExplainedPart[] {
  switch (expression.op) {
    case 'choose':
      return explainChoice(expression, scope);
    case 'all':
    case 'exists':
      return explainItems(expression, scope);
    default:
      // A literal says what it is by itself.
      return partsOf(expression)
        .filter((part) => !isLiteral(part))
        .map((part) => explain(part, scope));
  }
}

function isLiteral(part: Expression): boolean {
  return part.op === 'literal' || (part.op === 'list' && part.items.every(isLiteral));
}

function explainChoice({ condition, ifTrue, ifFalse }: Expression & { op: 'choose' }, scope: RuleScope) {
  const value = evaluate(condition, scope);
  const branch = (part: Expression, isChosen: boolean) => (isChosen ? explain(part, scope) : notReached(part));
  return [explain(condition, scope), branch(ifTrue, value === true), branch(ifFalse, value === false)];
}

function notReached({ text }: Expression): ExplainedPart {
  return { text, state: 'not reached', value: null, note: null, parts: [] };
}

/** Most items of a list that are shown each by itself. */
const SHOWN_ITEMS = 8;

/** The items that decide come first: those for which `all` fails, or `exists` holds. */
function explainItems({ op, list, variable, body }: Quantified, scope: RuleScope): readonly ExplainedPart[] {
  const value = evaluate(list, scope);
  const explained = explain(list, scope);
  if (!Array.isArray(value)) return [explained];
  const items = value as readonly (number | string)[];
  const decides = (item: number | string) => {
    const found = scope.within(item, () => evaluate(body, scope));
    return found === UNDEFINED || found === (op === 'exists');
  };
  const deciding = items.filter(decides);
  const others = items.filter((item) => !deciding.includes(item));
  const shown = [...deciding, ...others].slice(0, SHOWN_ITEMS);
  return [
    explained,
    ...shown.map((item) =>
      scope.within(item, () => ({ ...explain(body, scope), note: `${variable} is ${JSON.stringify(item)}` })),
    ),
  ];
}

function noteOn({ op, text }: Expression, scope: RuleScope): string | null {
  const mistyped = scope.mistyped.get(text);
  if (mistyped !== undefined) return `is ${mistyped.actual}, and is compared as ${mistyped.expected}`;
  if (op === 'claim' && scope.absent.has(text)) return 'is absent';
  return scope.faults.get(text) ?? null;
}
