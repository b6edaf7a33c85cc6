import { type Expression, expressionParts } from './expression.js';

/** Texts that a rule compares a claim with by `==`, `!=` or `in`, each once. */
export function textsComparedWith(claim: string, expression: Expression): readonly string[] {
  const found = new Set<string>();
  const isClaim = (part: Expression) => part.op === 'claim' && part.path.join('.') === claim;
  const add = (part: Expression): void => {
    if (part.op === 'binary') {
      const sides = [part.left, part.right];
      if (sides.some(isClaim)) for (const text of sides.flatMap(textsIn)) found.add(text);
    }
    expressionParts(part).forEach(add);
  };
  add(expression);
  return [...found];
}

/** Of a literal, of a list of literals, and of a choice between them. */
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
