import { constants, type KeyObject, verify } from 'node:crypto';

export type RsaHash = 'sha256' | 'sha384' | 'sha512';

/** Verifies RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.2). The signature must be exactly as long as the modulus. */
export function verifyRsaPkcs1(hash: RsaHash, data: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  return fits(signature, key) && verify(hash, data, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
}

/**
 * Verifies RSASSA-PSS (RFC 8017 section 8.1.2) with MGF1 over the same hash. Neither another salt length nor a
 * signature of another length than the modulus verifies.
 */
export function verifyRsaPss(
  hash: RsaHash,
  saltLength: number,
  data: Uint8Array,
  signature: Uint8Array,
  key: KeyObject,
): boolean {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return fits(signature, key) && verify(hash, data, { key, padding, saltLength }, signature);
}

function fits(signature: Uint8Array, key: KeyObject): boolean {
  const bits = key.asymmetricKeyType === 'rsa' ? key.asymmetricKeyDetails?.modulusLength : undefined;
  return bits !== undefined && signature.byteLength === Math.ceil(bits / 8);
}
