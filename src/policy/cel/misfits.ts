import type { IntegerRange, ScalarType } from './claim-type.js';
import { type Binary, type Expression, itemTypeOf, scalarOf, withAllParts } from './expression.js';
import { isOutside, orderingOf } from './integer-range.js';

/**
 * A comparison that the type of the claim decides: with an impossible text (capitals, wrong length, misspelt), or with
 * an integer outside the range.
 */
export interface Misfit {
  /** The constant result of the comparison. */
  readonly always: boolean;
  /** One sentence: lower case, no period. */
  readonly message: string;
}

/** Returns the comparisons of a rule that no evidence can change, each once. The rule loads, since the types fit. */
export function misfitsIn(expression: Expression): readonly Misfit[] {
  return distinctMisfits(withAllParts(expression).flatMap((part) => (part.op === 'binary' ? misfitsOf(part) : [])));
}

export function distinctMisfits(misfits: readonly Misfit[]): readonly Misfit[] {
  return [...new Map(misfits.map((each) => [`${each.always} ${each.message}`, each])).values()];
}

function misfitsOf({ operator, left, right, text }: Binary): readonly Misfit[] {
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
      return [
        ...decided(left, text, (range) => orderingOf(range, 'left', operator, right)),
        ...decided(right, text, (range) => orderingOf(range, 'right', operator, left)),
      ];
  }
}

/** Returns an ordering whose result follows from the range of one side. */
function decided(
  side: Expression,
  text: string,
  resultFor: (range: IntegerRange) => boolean | null,
): readonly Misfit[] {
  const range = scalarOf(side)?.range;
  const always = range === undefined ? null : resultFor(range);
  if (range === undefined || always === null) return [];
  return [{ always, message: `${side.text} is ${range.what}: ${text} is ${always ? 'always' : 'never'} true` }];
}

function misfits(
  what: string,
  type: ScalarType | null,
  others: readonly Expression[],
  always: boolean,
): readonly Misfit[] {
  const values = type?.form ?? type?.range;
  if (type === null || values === undefined) return [];
  return others
    .filter((other) => isNever(other, type))
    .map((other) => ({ always, message: `${what} is ${values.what}, and never ${other.text}` }));
}

/** Whether a literal is not among the values of a type. */
function isNever(literal: Expression, { form, range }: ScalarType): boolean {
  if (form !== null) return literal.op === 'literal' && !form.fits(String(literal.value));
  return range !== undefined && isOutside(range, literal);
}
