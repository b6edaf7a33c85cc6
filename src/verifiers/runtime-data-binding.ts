import { equalInConstantTime } from '../crypto/constant-time.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';
import { decodeBase64 } from '../formats/base64.js';
import { nullIfMalformed } from '../model/errors.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { ExpectedBinding } from '../model/verification.js';

/** N in the member `nonce`, and, where a key is bound, that key among the member `keys`, by its thumbprint. */
export function holdsNonceAndKey(data: JsonObject, { nonce, jkt }: ExpectedBinding): boolean {
  const held = nonceIn(data);
  if (held === null || !equalInConstantTime(held, nonce)) return false;
  return jkt === null || thumbprintsIn(data).includes(jkt);
}

/** The member `nonce`, decoded; null where it is absent or no base64. */
export function nonceIn({ nonce }: JsonObject): Uint8Array | null {
  return typeof nonce === 'string' ? nullIfMalformed(() => decodeBase64(nonce)) : null;
}

/** Thumbprints of the member `keys`, as far as they are public keys. */
export function thumbprintsIn({ keys }: JsonObject): readonly string[] {
  if (!Array.isArray(keys)) return [];
  return keys.flatMap((key: JsonValue) => jwkThumbprint(key) ?? []);
}
