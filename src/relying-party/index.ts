export type { BoundKey } from './bound-key.js';
export { checkReceipt, type ReceiptStatus, type VerifiedReceipt } from './check-receipt.js';
export {
  type CheckedExpectations,
  type ExpectedBinding,
  type ExpectedPolicy,
  NONCE_NOT_EXPECTED,
  subjectOf,
} from './expectations.js';
export { type FetchedKeySetOptions, fetchedKeySet } from './fetched-keys.js';
export type { JsonObject, JsonValue } from './json-text.js';
export { fixedKeySet, type ReceiptKeySource } from './key-source.js';
export { RECEIPT_STEPS, ReceiptError, type ReceiptErrorCode } from './receipt-error.js';
