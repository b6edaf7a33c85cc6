import type { JsonObject } from '../core/json.js';

/** The published metadata of receipt keys. */
export interface ReceiptKeysUseCase {
  /** JWK Set (RFC 7517). */
  keySet(): JsonObject;
  /** OpenID provider metadata, as far as receipts need it; null if no issuer is configured. */
  discovery(): JsonObject | null;
}
