import { sha256 } from '../../crypto/digest.js';
import { jwkThumbprint } from '../../crypto/jwk-thumbprint.js';
import { FormatError } from '../../model/errors.js';
import type { JsonObject } from '../../model/json.js';
import type { ExpectedBinding } from '../../model/verification.js';

/** Begins every X that binds a key. A nonce that begins so is refused: no guest can be given X as if it were one. */
const BOUND_PREFIX = Buffer.from('veritee1', 'ascii');
const BIND_LABEL = Buffer.from('veritee-bind-v1\0', 'ascii');

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
  const hash = sha256(BIND_LABEL, nonce, Buffer.from(jkt, 'base64url'));
  return { nonce, value: Buffer.concat([BOUND_PREFIX, hash]), jkt };
}
