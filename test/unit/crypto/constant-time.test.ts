import { expect, it } from 'vitest';
import { equalInConstantTime } from '../../../src/crypto/constant-time.js';

const bytes = (...values: number[]) => Uint8Array.from(values);

it('compares values, also views of a larger buffer', () => {
  const buffer = bytes(9, 1, 2, 3, 9);
  expect(equalInConstantTime(bytes(1, 2, 3), buffer.subarray(1, 4))).toBe(true);
  expect(equalInConstantTime(bytes(1, 2, 3), bytes(1, 2, 4))).toBe(false);
  expect(equalInConstantTime(bytes(), bytes())).toBe(true);
});

it('DEC-10 takes values of different length for plainly not equal', () => {
  expect(equalInConstantTime(bytes(1, 2, 3), bytes(1, 2))).toBe(false);
  expect(equalInConstantTime(bytes(1, 2), bytes(1, 2, 0))).toBe(false);
  expect(equalInConstantTime(bytes(), bytes(0))).toBe(false);
});
