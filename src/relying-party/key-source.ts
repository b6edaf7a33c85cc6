import { isObject, type JsonObject, member } from './json-text.js';

/** Where the keys of an issuer come from. */
export interface ReceiptKeySource {
  /**
   * All keys of the issuer's key set that have this `kid`, as they are published: none, one, or too many.
   *
   * @throws {ReceiptError} `receipt_keys_unavailable` where there is no key set to look into
   */
  find(kid: string): Promise<readonly JsonObject[]>;
}

const MAXIMUM_KEYS = 64;

/**
 * The keys of a JWK Set (RFC 7517, section 5).
 *
 * @throws {TypeError} for what is no key set, has no key, or more than 64
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
 * A key set that does not change: whoever uses it sees to it that keys which the issuer has dropped are dropped here.
 *
 * @param keySet what `/.well-known/jwks.json` answers; copied
 * @throws {TypeError} as `keysOf`
 */
export function fixedKeySet(keySet: unknown): ReceiptKeySource {
  const keys = keysOf(structuredClone(keySet));
  return { find: async (kid) => withKid(keys, kid) };
}
