export const ORDERINGS = ['<', '<=', '>', '>='] as const;
export type Ordering = (typeof ORDERINGS)[number];

const HOLDS: { readonly [operator in Ordering]: (left: number, right: number) => boolean } = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

/** Whether two numbers are in the order of an operator. */
export function isOrdered(operator: Ordering, left: number, right: number): boolean {
  return HOLDS[operator](left, right);
}
