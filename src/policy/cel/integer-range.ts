import { isOrdered, ORDERINGS, type Ordering } from '../orderings.js';
import type { IntegerRange } from './claim-type.js';
import { type Expression, isOneOf } from './expression.js';

const MIRRORED: { readonly [operator in Ordering]: Ordering } = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** Whether an expression is a numeric literal outside the range. */
export function isOutside({ spans }: IntegerRange, expression: Expression): boolean {
  const number = integerIn(expression);
  return number !== null && !spans.some(([least, greatest]) => least <= number && number <= greatest);
}

/**
 * Returns the constant result of comparing a value of the range with a number; null if the result depends on the value,
 * or there is no number. If both ends of a span give the same result, the whole span does.
 *
 * @param side of the comparison that has the value
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

/** Returns the number of a literal with its sign; null for other expressions. */
function integerIn(expression: Expression): number | null {
  if (expression.op === 'negative') {
    const number = integerIn(expression.operand);
    return number === null ? null : -number;
  }
  return expression.op === 'literal' && typeof expression.value === 'number' ? expression.value : null;
}
