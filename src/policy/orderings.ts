export const ORDERINGS = ['<', '<=', '>', '>='] as const;
export type Ordering = (typeof ORDERINGS)[number];

const HOLDS: { readonly [operator in Ordering]: (left: number, right: number) => boolean } = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

/** Whether two numbers stand in the order that an operator asks for. */
export function isOrdered(operator: Ordering, left: number, right: number): boolean {
  return HOLDS[operator](left, right);
}
