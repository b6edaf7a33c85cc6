import { timingSafeEqual } from 'node:crypto';

/** Compares in constant time for values of the same length. Values of different lengths differ. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
