import { constants, createECDH, type KeyObject, privateEncrypt, randomBytes } from 'node:crypto';

/** DigestInfo of SHA-256 before the digest (RFC 8017, section 9.2). */
const SHA256_DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');
/** Order of P-256. */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P256_BYTES = 32;

/**
 * Signs a SHA-256 digest as Key Vault does, which never sees the message. Node's own functions hash what they sign.
 * @returns of ES256 r and s, 32 bytes each
 */
export function signatureOverDigest(key: KeyObject, alg: 'ES256' | 'RS256', digest: Uint8Array): Uint8Array {
  if (alg === 'ES256') return ecdsa(key, digest);
  const padding = constants.RSA_PKCS1_PADDING;
  return privateEncrypt({ key, padding }, Buffer.concat([SHA256_DIGEST_INFO, digest]));
}

/** FIPS 186-5, section 6.4.1. The point of the random number is what a key exchange would publish. */
function ecdsa(key: KeyObject, digest: Uint8Array): Uint8Array {
  const d = numberOf(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
  const exchange = createECDH('prime256v1');
  const k = (numberOf(randomBytes(P256_BYTES)) % (N - 1n)) + 1n;
  exchange.setPrivateKey(bytesOf(k));
  const r = numberOf(exchange.getPublicKey().subarray(1, 1 + P256_BYTES)) % N;
  const s = (power(k, N - 2n) * (numberOf(digest) + r * d)) % N;
  return Buffer.concat([bytesOf(r), bytesOf(s)]);
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % N;
    square = (square * square) % N;
  }
  return result;
}

const numberOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const bytesOf = (number: bigint) => Buffer.from(number.toString(16).padStart(2 * P256_BYTES, '0'), 'hex');
