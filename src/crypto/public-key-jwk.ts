import { createPublicKey } from 'node:crypto';
import { isSameBytes } from '../core/bytes.js';
import type { JsonObject } from '../core/json.js';

const MINIMUM_RSA_BITS = 2048;
/** OpenSSL's names for P-256, P-384 and P-521. */
const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/**
 * The public JWK of a SubjectPublicKeyInfo: RSA from 2048 bits, or EC on P-256, P-384 or P-521.
 *
 * @param spki DER
 * @returns null for any other key, and for malformed or trailing bytes
 */
export function publicJwkOf(spki: Uint8Array): JsonObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
    const isAccepted =
      key.asymmetricKeyType === 'rsa'
        ? modulusLength >= MINIMUM_RSA_BITS
        : key.asymmetricKeyType === 'ec' && CURVES.has(namedCurve);
    const isWhole = isSameBytes(key.export({ format: 'der', type: 'spki' }), spki);
    return isAccepted && isWhole ? (key.export({ format: 'jwk' }) as JsonObject) : null;
  } catch {
    return null;
  }
}
