import type { ScalarType } from './claim-type.js';
import { type Binary, type Expression, itemTypeOf, partsOf, scalarOf } from './expression.js';

/** A comparison of a claim with a text that it can never be: in capitals, of another length, or misspelt. */
export interface Misfit {
  /** What the comparison always is. */
  readonly always: boolean;
  /** One sentence: lower case, no period. */
  readonly message: string;
}

/**
 * Comparisons in a rule that no evidence decides, each once. The rule loads: what is compared is of the right type.
 */
export function misfitsIn(expression: Expression): readonly Misfit[] {
  const found = new Map<string, Misfit>();
  const add = (part: Expression): void => {
    if (part.op === 'binary')
      for (const misfit of misfitsOf(part)) found.set(`${misfit.always} ${misfit.message}`, misfit);
    partsOf(part).forEach(add);
  };
  add(expression);
  return [...found.values()];
}

function misfitsOf({ operator, left, right }: Binary): readonly Misfit[] {
  switch (operator) {
    case '==':
    case '!=': {
      const always = operator === '!=';
      return [
        ...misfits(left.text, scalarOf(left), [right], always),
        ...misfits(right.text, scalarOf(right), [left], always),
      ];
    }
    case 'in':
      return [
        ...misfits(left.text, scalarOf(left), right.op === 'list' ? right.items : [], false),
        ...misfits(`an item of ${right.text}`, itemTypeOf(right), [left], false),
      ];
    default:
      return [];
  }
}

function misfits(
  what: string,
  type: ScalarType | null,
  others: readonly Expression[],
  always: boolean,
): readonly Misfit[] {
  const form = type?.form ?? null;
  if (form === null) return [];
  return others
    .filter((other) => other.op === 'literal' && !form.fits(String(other.value)))
    .map((other) => ({ always, message: `${what} is ${form.what}, and never ${other.text}` }));
}
