import type { JsonObject } from '../core/json.js';
import type { ReceiptKeys } from './receipt-keys.js';

/** The published data about the keys of receipts. */
export class PublishedReceiptKeys {
  readonly #keys: Pick<ReceiptKeys, 'published' | 'algorithms'>;
  readonly #issuer: string | null;

  /** @param issuer null: no discovery, since the public name of the service is unknown */
  constructor(keys: Pick<ReceiptKeys, 'published' | 'algorithms'>, issuer: string | null) {
    this.#keys = keys;
    this.#issuer = issuer;
  }

  /** JWK Set (RFC 7517). */
  keySet(): JsonObject {
    return { keys: this.#keys.published() };
  }

  /** OpenID Connect Discovery 1.0, 3, without the members for logins. */
  discovery(): JsonObject | null {
    if (this.#issuer === null) return null;
    return {
      issuer: this.#issuer,
      jwks_uri: `${this.#issuer.replace(/\/$/, '')}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: this.#keys.algorithms(),
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
    };
  }
}
