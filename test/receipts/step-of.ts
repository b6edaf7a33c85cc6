import { checkReceipt } from '../../src/relying-party/check-receipt.js';
import { fixedKeySet } from '../../src/relying-party/key-source.js';
import { ReceiptError } from '../../src/relying-party/receipt-error.js';
import type { Expectation } from './vectors.js';

/**
 * The client's result for a receipt.
 *
 * @param now in seconds since 1970
 * @returns the step that refuses the receipt; null if none does
 */
export async function stepOf(
  receipt: string,
  keySet: unknown,
  expected: Expectation,
  now: number,
): Promise<number | null> {
  try {
    await checkReceipt(receipt, fixedKeySet(keySet), { ...expected, binding: null }, new Date(now * 1000));
    return null;
  } catch (error) {
    if (error instanceof ReceiptError) return error.step;
    throw error;
  }
}
