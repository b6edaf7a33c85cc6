import { FormatError } from '../../../core/errors.js';
import type { JsonObject } from '../../../core/json.js';
import type { BindingPem } from '../../../core/request.js';
import type { ExpectedBinding } from '../../../core/verification.js';
import { boundValue } from '../../../crypto/bound-value.js';
import { jwkThumbprint } from '../../../crypto/jwk-thumbprint.js';
import { publicJwkOf } from '../../../crypto/public-key-jwk.js';

/**
 * Returns X, the value that evidence must hold. Without a key, X is the nonce N. With a key, X has 40 bytes:
 * `veritee1`, then SHA-256 over label, N and the RFC 7638 thumbprint of the key.
 *
 * A key as PEM does not change X, because a field that holds the PEM key holds no nonce.
 *
 * @throws {FormatError} `schema` for a key without thumbprint, and for a PEM key of an unsupported kind
 */
export function expectedBinding(nonce: Uint8Array, jwk: JsonObject | null, pem?: BindingPem): ExpectedBinding {
  if (pem !== undefined) return { nonce, value: nonce, jkt: null, pem: { text: pem.text, jkt: thumbprintOf(pem) } };
  if (jwk === null) return { nonce, value: nonce, jkt: null };
  const jkt = jwkThumbprint(jwk);
  if (jkt === null) throw new FormatError('schema', 'the key is not a public JWK', { pointer: '/binding/jwk' });
  return { nonce, value: boundValue(nonce, jkt), jkt };
}

function thumbprintOf({ spki }: BindingPem): string {
  const jkt = jwkThumbprint(publicJwkOf(spki));
  if (jkt !== null) return jkt;
  const message = 'the key is neither RSA from 2048 bits nor on P-256, P-384 or P-521';
  throw new FormatError('schema', message, { pointer: '/binding/pem' });
}
