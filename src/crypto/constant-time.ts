import { timingSafeEqual } from 'node:crypto';

/** Compares without telling by its time where two values differ. Values of different length are plainly not equal. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
