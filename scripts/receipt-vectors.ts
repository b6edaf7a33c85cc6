import { fileURLToPath } from 'node:url';
import { receiptVectors } from '../test/receipts/vectors.js';

export const RECEIPT_VECTORS_PATH = fileURLToPath(new URL('../docs/receipt-vectors.json', import.meta.url));

/** The text of docs/receipt-vectors.json. */
export function receiptVectorsText(): string {
  return `${JSON.stringify(receiptVectors(), null, 2)}\n`;
}
