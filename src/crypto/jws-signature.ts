import { compactVerify, errors } from 'jose';
import type { P256PublicKey } from '../core/p256-public-key.js';
import type { RsaPublicKey } from '../core/rsa-public-key.js';
import { p256PublicKey, rsaPublicKey } from './key-cache.js';

/**
 * Algorithms of tokens: RSASSA-PKCS1-v1_5 with SHA-256, RSASSA-PSS with SHA-384, ECDSA with P-256 and SHA-256 (RFC 7518, sections 3.3
 * to 3.5).
 */
export type JwsAlgorithm = 'RS256' | 'PS384' | 'ES256';

export type JwsKey = RsaPublicKey | P256PublicKey;

/** Whether the algorithm can use this kind of key. */
export function isKeyFor(algorithm: JwsAlgorithm, key: JwsKey): boolean {
  return (algorithm === 'ES256') === 'point' in key;
}

/**
 * Verifies the signature of a JWS that `parseJws` accepted, with the expected algorithm: the
 * header does not select it. An RSA key has 2048 bits or more.
 *
 * @throws {Error} if the key cannot be used
 */
export async function verifyJws(token: string, algorithm: JwsAlgorithm, key: JwsKey): Promise<boolean> {
  if (!isKeyFor(algorithm, key)) throw new TypeError(`not a key for ${algorithm}`);
  const imported = 'point' in key ? p256PublicKey(key.point) : rsaPublicKey(key);
  if (imported === null) throw new TypeError('not a point on its curve');
  try {
    await compactVerify(token, imported, { algorithms: [algorithm] });
    return true;
  } catch (error) {
    // These errors of the library mean an invalid signature; any other error is a failure.
    if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed)
      return false;
    throw error;
  }
}
