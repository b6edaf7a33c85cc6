export type { BoundKey } from './bound-key.js';
export type { ReceiptStatus, VerifiedReceipt } from './check-receipt.js';
export type { ExpectedBinding } from './expectations.js';
export { type FetchedKeySetOptions, fetchedKeySet } from './fetched-keys.js';
export type { JsonObject, JsonValue } from './json-text.js';
export { fixedKeySet, type ReceiptKeySource } from './key-source.js';
export type { ReceiptDemand, ReceiptVerifierOptions, VerifyAllOptions } from './options.js';
export { ReceiptError, type ReceiptErrorCode } from './receipt-error.js';
export { createReceiptVerifier, type ReceiptVerifier } from './receipt-verifier.js';
export { type Check, NotAllowedError, type Refusal, ServiceError } from './service-errors.js';
export {
  type Challenge,
  createVeriteeClient,
  type EvidenceBody,
  type EvidenceDemand,
  type EvidenceRequest,
  type VeriteeClient,
  type VeriteeClientOptions,
} from './veritee-client.js';
