import { expect, it } from 'vitest';
import { registerNames } from '../../../src/core/register-names.js';

it.each<[readonly number[], string]>([
  [[], 'no PCR'],
  [[7], 'PCR 7'],
  [[7, 7], 'PCR 7'],
  [[5, 17], 'PCRs 5, 17'],
  [[8, 9], 'PCRs 8, 9'],
  [[0, 1, 2], 'PCRs 0 to 2'],
  [[0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 14], 'PCRs 0 to 7, 11, 12, 14'],
  [[10, 2, 1, 0, 9, 8], 'PCRs 0 to 2, 8 to 10'],
])('%j is told as %s', (numbers, text) => {
  expect(registerNames('PCR', numbers)).toBe(text);
  expect(registerNames('RTMR', numbers)).toBe(text.replace('PCR', 'RTMR'));
});
