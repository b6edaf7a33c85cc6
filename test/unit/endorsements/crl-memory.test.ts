import { describe, expect, it } from 'vitest';
import { isOlder, newestOf } from '../../../src/endorsements/crl-memory.js';

const age = (number: bigint, day: number) => ({ number, thisUpdate: new Date(Date.UTC(2026, 0, day)) });

describe('age of revocation lists', () => {
  it.each([
    [age(1n, 5), age(2n, 4), true],
    [age(2n, 4), age(1n, 5), false],
    [age(2n, 4), age(2n, 5), true],
    [age(2n, 5), age(2n, 5), false],
    [age(9n, 1), age(10n, 1), true],
    [age(2n ** 64n, 1), age(2n ** 64n + 1n, 1), true],
  ])('compares numbers as numbers, then dates (case %#)', (a, b, expected) => {
    expect(isOlder(a, b)).toBe(expected);
  });

  it('finds the newest, and none among none', () => {
    expect(newestOf([age(1n, 9), age(3n, 1), age(2n, 9)])).toEqual(age(3n, 1));
    expect(newestOf([])).toBeNull();
  });
});
