import { type Expression, withAllParts } from './expression.js';

/** Returns the texts that a rule compares with a claim by `==`, `!=` or `in`, each once. */
export function textsComparedWith(claim: string, expression: Expression): readonly string[] {
  const isClaim = (part: Expression) => part.op === 'claim' && part.path.join('.') === claim;
  const compared = withAllParts(expression)
    .map((part) => (part.op === 'binary' ? [part.left, part.right] : []))
    .filter((sides) => sides.some(isClaim));
  return [...new Set(compared.flat().flatMap(textsIn))];
}

/** Returns the texts of a literal, a list of literals, or a choice between them. */
function textsIn(part: Expression): readonly string[] {
  switch (part.op) {
    case 'literal':
      return typeof part.value === 'string' ? [part.value] : [];
    case 'list':
      return part.items.flatMap(textsIn);
    case 'choose':
      return [...textsIn(part.ifTrue), ...textsIn(part.ifFalse)];
    default:
      return [];
  }
}
