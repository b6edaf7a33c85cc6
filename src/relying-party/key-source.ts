import { isObject, type JsonObject, member } from './json-text.js';

/** The source of an issuer's keys. */
export interface ReceiptKeySource {
  /**
   * Finds all keys of the issuer's key set with this `kid`, as published: none, one, or several.
   *
   * @throws {ReceiptError} `receipt_keys_unavailable` if there is no key set
   */
  find(kid: string): Promise<readonly JsonObject[]>;
}

const MAXIMUM_KEYS = 64;

/**
 * The keys of a JWK Set (RFC 7517, section 5).
 *
 * @throws {TypeError} if it is no key set, has no key, or more than 64
 */
export function keysOf(keySet: unknown): readonly JsonObject[] {
  const keys = member(keySet, 'keys');
  if (!Array.isArray(keys) || !keys.every(isObject)) {
    throw new TypeError('this is no JWK Set: expected an object with a list of keys in the member keys');
  }
  if (keys.length === 0) throw new TypeError('this JWK Set has no key');
  if (keys.length > MAXIMUM_KEYS) throw new TypeError(`this JWK Set has more than ${MAXIMUM_KEYS} keys`);
  return keys;
}

/** The keys that have this `kid`, an opaque text. */
export function withKid(keys: readonly JsonObject[], kid: string): readonly JsonObject[] {
  return keys.filter((key) => member(key, 'kid') === kid);
}

/**
 * A constant key set. The caller must remove keys that the issuer has withdrawn.
 *
 * @param keySet the answer of `/.well-known/jwks.json`; copied
 * @throws {TypeError} as `keysOf`
 */
export function fixedKeySet(keySet: unknown): ReceiptKeySource {
  const keys = keysOf(structuredClone(keySet));
  return { find: async (kid) => withKid(keys, kid) };
}
