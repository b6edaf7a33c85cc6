import { readTextAs } from './compare-values.js';
import type { ClaimCondition } from './policy-tree.js';

/** Numbers from `least` to `greatest`. An end that is open is left out itself. */
export interface NumberRange {
  readonly least: number;
  readonly greatest: number;
  readonly openBelow: boolean;
  readonly openAbove: boolean;
}

/** Numbers that meet a condition; null where it does not compare with a number, or by notEquals. */
export function rangeOf({ operator, value }: ClaimCondition): NumberRange | null {
  const number = typeof value === 'number' ? value : readTextAs('number', value);
  if (typeof number !== 'number') return null;
  const all = {
    least: Number.NEGATIVE_INFINITY,
    greatest: Number.POSITIVE_INFINITY,
    openBelow: false,
    openAbove: false,
  };
  switch (operator) {
    case 'equals':
      return { ...all, least: number, greatest: number };
    case 'less':
      return { ...all, greatest: number, openAbove: true };
    case 'lessOrEquals':
      return { ...all, greatest: number };
    case 'greater':
      return { ...all, least: number, openBelow: true };
    case 'greaterOrEquals':
      return { ...all, least: number };
    default:
      return null;
  }
}

/** The integers of a range, closed; `least` is above `greatest` where there are none. */
export function integersOf({ least, greatest, openBelow, openAbove }: NumberRange): NumberRange {
  return {
    least: openBelow ? Math.floor(least) + 1 : Math.ceil(least),
    greatest: openAbove ? Math.ceil(greatest) - 1 : Math.floor(greatest),
    openBelow: false,
    openAbove: false,
  };
}

/** A span of integers, ends included. */
export function rangeOfSpan([least, greatest]: readonly [number, number]): NumberRange {
  return { least, greatest, openBelow: false, openAbove: false };
}

/** The numbers that two ranges have in common. */
export function inBoth(a: NumberRange, b: NumberRange): NumberRange {
  const least = Math.max(a.least, b.least);
  const greatest = Math.min(a.greatest, b.greatest);
  const open = (side: 'openBelow' | 'openAbove', end: 'least' | 'greatest', at: number) =>
    (a[side] && a[end] === at) || (b[side] && b[end] === at);
  return {
    least,
    greatest,
    openBelow: open('openBelow', 'least', least),
    openAbove: open('openAbove', 'greatest', greatest),
  };
}

export function isEmptyRange({ least, greatest, openBelow, openAbove }: NumberRange): boolean {
  return least > greatest || (least === greatest && (openBelow || openAbove));
}
