import { readTextAs } from './compare-values.js';
import type { ClaimCondition } from './policy-tree.js';

/** The numbers from `least` to `greatest`. An open end is not included. */
export interface NumberRange {
  readonly least: number;
  readonly greatest: number;
  readonly openBelow: boolean;
  readonly openAbove: boolean;
}

/** The numbers that meet a condition; null if its value is not a number, and for notEquals. */
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

/** The integers in a range, ends included. If there are none, `least` is greater than `greatest`. */
export function integersOf({ least, greatest, openBelow, openAbove }: NumberRange): NumberRange {
  return {
    least: openBelow ? Math.floor(least) + 1 : Math.ceil(least),
    greatest: openAbove ? Math.ceil(greatest) - 1 : Math.floor(greatest),
    openBelow: false,
    openAbove: false,
  };
}

/** Converts a span of integers, ends included. */
export function rangeOfSpan([least, greatest]: readonly [number, number]): NumberRange {
  return { least, greatest, openBelow: false, openAbove: false };
}

/** The intersection of two ranges. */
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
