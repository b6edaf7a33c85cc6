import { boundValue } from '../../crypto/bound-value.js';
import { jwkThumbprint } from '../../crypto/jwk-thumbprint.js';
import { FormatError } from '../../model/errors.js';
import type { JsonObject } from '../../model/json.js';
import type { ExpectedBinding } from '../../model/verification.js';

/**
 * X, the value that evidence must hold: the nonce N, or with a key `veritee1` and SHA-256 over label, N and the
 * RFC 7638 thumbprint of the key (40 bytes).
 *
 * @throws {FormatError} `schema` for a key without thumbprint
 */
export function expectedBinding(nonce: Uint8Array, jwk: JsonObject | null): ExpectedBinding {
  if (jwk === null) return { nonce, value: nonce, jkt: null };
  const jkt = jwkThumbprint(jwk);
  if (jkt === null) throw new FormatError('schema', 'the key is not a public JWK', { pointer: '/binding/jwk' });
  return { nonce, value: boundValue(nonce, jkt), jkt };
}
