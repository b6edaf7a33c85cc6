import { equalInConstantTime } from '../crypto/constant-time.js';

/** X, followed by zeros up to 64 bytes. A field that is all zero is not set, and never holds X. */
export function isPadded(field: Uint8Array | null, value: Uint8Array): boolean {
  if (field === null || field.every((byte) => byte === 0)) return false;
  const expected = new Uint8Array(64);
  expected.set(value);
  return equalInConstantTime(field, expected);
}

/** X and nothing else. */
export function isExactly(field: Uint8Array | null, value: Uint8Array): boolean {
  return field !== null && equalInConstantTime(field, value);
}
