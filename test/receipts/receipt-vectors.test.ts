import { describe, expect, it } from 'vitest';
import { refusedBy } from './relying-party.js';
import { stepOf } from './step-of.js';
import { receiptVectors } from './vectors.js';

const { now, keySet, expected, receipts } = receiptVectors();

describe('docs/generated/receipt-vectors.json', () => {
  it.each(receipts)('REC-01 $name: a relying party refuses it by step $fails', ({ receipt, fails }) => {
    expect(refusedBy(receipt, keySet, expected, now)).toBe(fails);
  });

  it.each(receipts)('REC-01 $name: the client refuses it by step $fails', async ({ receipt, fails }) => {
    expect(await stepOf(receipt, keySet, expected, now)).toBe(fails);
  });

  it('breaks every step', () => {
    expect(new Set(receipts.map(({ fails }) => fails))).toEqual(
      new Set([null, ...Array.from({ length: 12 }, (_, i) => i + 1)]),
    );
  });
});
