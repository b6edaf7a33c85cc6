import { describe, expect, it } from 'vitest';
import { presentedReceipt } from '../../../src/http/presented-receipt.js';

const R = 'aa.bb-_.cc';

describe('a receipt', () => {
  it.each<[string, readonly string[], object]>([
    ['a header of its own', ['X-Veritee-Receipt', R], { receipt: R, scheme: 'header', proof: null }],
    ['Authorization', ['Authorization', `Bearer ${R}`], { receipt: R, scheme: 'bearer', proof: null }],
    [
      'Authorization in small letters',
      ['authorization', `bearer  ${R}`],
      { receipt: R, scheme: 'bearer', proof: null },
    ],
    ['DPoP', ['Authorization', `DPoP ${R}`, 'DPoP', 'p'], { receipt: R, scheme: 'dpop', proof: 'p' }],
    ['a header beside a proof', ['x-veritee-receipt', R, 'dpop', 'p'], { receipt: R, scheme: 'header', proof: 'p' }],
    [
      'a header beside another Authorization',
      ['X-Veritee-Receipt', R, 'Authorization', 'Basic YTpi'],
      { receipt: R, scheme: 'header', proof: null },
    ],
  ])('is taken from %s', (_where, headers, expected) => {
    expect(presentedReceipt(['Host', 'a', ...headers, 'Accept', '*/*'])).toEqual(expected);
  });

  it.each<[string, readonly string[], string]>([
    ['is missing', [], 'receipt_missing'],
    ['is not in the value of another header', ['X-Other', 'x-veritee-receipt', 'b', R], 'receipt_missing'],
    ['is none under another scheme', ['Authorization', `Basic ${R}`], 'receipt_missing'],
    ['is none under a scheme that begins alike', ['Authorization', `Bearers ${R}`], 'receipt_missing'],
    ['stands twice', ['X-Veritee-Receipt', R, 'x-veritee-receipt', R], 'receipt_repeated'],
    ['stands in both places', ['X-Veritee-Receipt', R, 'Authorization', `Bearer ${R}`], 'receipt_repeated'],
    ['stands in both places as DPoP', ['X-Veritee-Receipt', R, 'Authorization', `DPoP ${R}`], 'receipt_repeated'],
    ['stands beside nothing at all', ['X-Veritee-Receipt', R, 'Authorization', 'Bearer'], 'receipt_repeated'],
    ['stands in Authorization twice', ['Authorization', `Bearer ${R}`, 'Authorization', 'Basic x'], 'receipt_repeated'],
    ['is two in one', ['Authorization', `Bearer ${R}, Bearer ${R}`], 'receipt_form'],
    ['is empty', ['Authorization', 'Bearer '], 'receipt_form'],
    ['has two proofs', ['X-Veritee-Receipt', R, 'DPoP', 'p', 'dpop', 'q'], 'dpop_repeated'],
  ])('GAT-02 %s', (_what, headers, code) => {
    expect(() => presentedReceipt(headers)).toThrow(expect.objectContaining({ code }));
  });
});
