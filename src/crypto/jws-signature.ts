import { compactVerify, errors } from 'jose';
import type { RsaPublicKey } from '../model/rsa-public-key.js';
import { rsaPublicKey } from './key-cache.js';

/** Algorithms of tokens: RSASSA-PKCS1-v1_5 with SHA-256, RSASSA-PSS with SHA-384 (RFC 7518, sections 3.3 and 3.5). */
export type JwsAlgorithm = 'RS256' | 'PS384';

/**
 * Verifies the signature of a JWS that `parseJws` accepted, with the one algorithm that is expected: that of the
 * header does not choose. The key has 2048 bits or more.
 *
 * @throws {Error} where the key cannot be used
 */
export async function verifyJws(token: string, algorithm: JwsAlgorithm, key: RsaPublicKey): Promise<boolean> {
  try {
    await compactVerify(token, rsaPublicKey(key), { algorithms: [algorithm] });
    return true;
  } catch (error) {
    // The library's way of answering no; anything else is no answer.
    if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed)
      return false;
    throw error;
  }
}
