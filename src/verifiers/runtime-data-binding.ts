import { equalInConstantTime } from '../crypto/constant-time.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';
import { decodeBase64 } from '../formats/base64.js';
import { nullIfMalformed } from '../model/errors.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { ExpectedBinding } from '../model/verification.js';

/** N in the member `nonce`, and, where a key is bound, that key among the member `keys`, by its thumbprint. */
export function holdsNonceAndKey(data: JsonObject, { nonce, jkt }: ExpectedBinding): boolean {
  const held = decodeNonce(data['nonce'] ?? null);
  if (held === null || !equalInConstantTime(held, nonce)) return false;
  if (jkt === null) return true;
  const keys = data['keys'];
  return Array.isArray(keys) && keys.some((key: JsonValue) => jwkThumbprint(key) === jkt);
}

function decodeNonce(value: JsonValue): Uint8Array | null {
  return typeof value === 'string' ? nullIfMalformed(() => decodeBase64(value)) : null;
}
