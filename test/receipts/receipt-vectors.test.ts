import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RECEIPT_VECTORS_PATH, receiptVectorsText } from '../../scripts/receipt-vectors.js';
import { refusedBy } from './relying-party.js';
import { stepOf } from './step-of.js';
import { receiptVectors } from './vectors.js';

const { now, keySet, expected, receipts } = receiptVectors();

describe('docs/receipt-vectors.json', () => {
  it('is what is generated', () => {
    expect(readFileSync(RECEIPT_VECTORS_PATH, 'utf8')).toBe(receiptVectorsText());
  });

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
