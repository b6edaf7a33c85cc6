import type { Verified } from '../../model/verified.js';

/** Says of a value that it comes from bytes whose signature, chain or binding this room has checked. */
export function markVerified<T>(value: T): Verified<T> {
  return value as Verified<T>;
}
