import { isOrdered, ORDERINGS, type Ordering } from '../orderings.js';
import type { IntegerRange } from './claim-type.js';
import { type Expression, isOneOf } from './expression.js';

const MIRRORED: { readonly [operator in Ordering]: Ordering } = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** Whether an expression is a number, as a rule writes it, outside of the range. */
export function isOutside({ spans }: IntegerRange, expression: Expression): boolean {
  const number = integerIn(expression);
  return number !== null && !spans.some(([least, greatest]) => least <= number && number <= greatest);
}

/**
 * The result of ordering a value of the range and a number; null if the value decides, or there is no number.
 * One that has the same result at both ends of a span has it in all of the span.
 *
 * @param side on which the value stands
 */
export function orderingOf(
  { spans }: IntegerRange,
  side: 'left' | 'right',
  operator: string,
  other: Expression,
): boolean | null {
  const number = integerIn(other);
  if (number === null || !isOneOf(ORDERINGS, operator)) return null;
  const asLeft = side === 'left' ? operator : MIRRORED[operator];
  const [result = false, ...others] = new Set(spans.flat().map((end) => isOrdered(asLeft, end, number)));
  return others.length === 0 ? result : null;
}

/** A number with its sign; null for anything else. */
function integerIn(expression: Expression): number | null {
  if (expression.op === 'negative') {
    const number = integerIn(expression.operand);
    return number === null ? null : -number;
  }
  return expression.op === 'literal' && typeof expression.value === 'number' ? expression.value : null;
}
