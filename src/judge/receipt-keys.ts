import type { JsonObject } from '../core/json.js';

/** What relying parties are told of the keys of receipts. */
export interface ReceiptKeysUseCase {
  /** JWK Set (RFC 7517). */
  keySet(): JsonObject;
  /** OpenID provider metadata, as far as receipts need it; null where no issuer is configured. */
  discovery(): JsonObject | null;
}
