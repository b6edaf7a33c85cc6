import { expect, it } from 'vitest';
import { isBehind } from '../../../src/core/vtpm-resets.js';

const counts = (resetCount: number, restartCount: number) => ({ resetCount, restartCount });

it.each([
  [counts(6, 0), counts(7, 0), true],
  [counts(6, 9), counts(7, 0), true],
  [counts(7, 0), counts(7, 1), true],
  [counts(0, 0), counts(2 ** 32 - 1, 0), true],
  [counts(7, 1), counts(7, 1), false],
  [counts(7, 2), counts(7, 1), false],
  [counts(8, 0), counts(7, 9), false],
])('TPM-10 counts %j against %j: behind is %s', (one, other, expected) => {
  expect(isBehind(one, other)).toBe(expected);
});
