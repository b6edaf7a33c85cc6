import { createPublicKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { hex } from '../core/bytes.js';
import type { RsaPublicKey } from '../core/rsa-public-key.js';
import { encodeBase64Url } from '../formats/base64.js';
import type { EcKey } from '../formats/public-key.js';
import type { X509Certificate } from '../formats/x509-certificate.js';
import { isOnCurve } from './curve.js';
import { sha256 } from './digest.js';

const KEYS_BYTES = 4 * 1024 * 1024;

/** Measured: an RSA key of 8192 bits takes 12 KB, one of 2048 bits 3 KB, a P-384 key 3 KB. */
const importedBytes = (octets: number) => 2048 + 10 * octets;

interface KeptKey {
  readonly key: KeyObject;
  /** Bytes of its encoding. */
  readonly octets: number;
}

/**
 * Importing a P-384 key takes a fifth of the time of a verification, so keys are cached. They are public and never change.
 * A sender of certificates can choose keys that no verified signature covers yet, so the cache is bounded in bytes. An evicted
 * key is imported again.
 */
const KEYS = new LRUCache<string, KeptKey>({
  maxSize: KEYS_BYTES,
  sizeCalculation: ({ octets }) => importedBytes(octets),
});

type CertificateKey = Pick<X509Certificate, 'spki' | 'publicKey'>;

/** SHA-256 of a certificate's SubjectPublicKeyInfo, lower-case hex, which pins trust anchors. */
export function spkiDigest(certificate: Pick<X509Certificate, 'spki'>): string {
  return hex(sha256(certificate.spki));
}

/**
 * Imports the key of a certificate.
 *
 * @throws {Error} for a key that a path check rejects: of another kind, or with a point outside its curve
 */
export function publicKeyOf(certificate: CertificateKey): KeyObject {
  return kept(spkiDigest(certificate), certificate.spki.byteLength, () => importKey(certificate));
}

/**
 * Imports an RSA key without a certificate. The caller checks its strength.
 *
 * @throws {Error} if the numbers are not a key
 */
export function rsaPublicKey({ n, e }: RsaPublicKey): KeyObject {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(n.byteLength);
  return kept(hex(sha256(length, n, e)), n.byteLength + e.byteLength, () => importRsa(n, e));
}

/**
 * Imports an EC key without a certificate.
 *
 * @throws {Error} if the point is not on the curve
 */
export function ecPublicKey(key: EcKey): KeyObject {
  const digest = hex(sha256(Buffer.from(key.curve), key.x, key.y));
  return kept(digest, key.x.byteLength + key.y.byteLength, () => importEc(key));
}

/**
 * Imports a P-256 key from its point.
 *
 * @param point X‖Y, 64 bytes
 * @returns null if the point is not on the curve
 */
export function p256PublicKey(point: Uint8Array): KeyObject | null {
  const digest = hex(sha256(point));
  const known = KEYS.get(digest);
  if (known !== undefined) return known.key;
  const key = { kind: 'ec', curve: 'P-256', x: point.subarray(0, 32), y: point.subarray(32) } as const;
  return isOnCurve(key) ? kept(digest, point.byteLength, () => importEc(key)) : null;
}

function kept(digest: string, octets: number, importIt: () => KeyObject): KeyObject {
  const known = KEYS.get(digest);
  if (known !== undefined) return known.key;
  const key = importIt();
  KEYS.set(digest, { key, octets });
  return key;
}

/**
 * Imports the key of a certificate once, and keeps it as long as the function: for a certificate that is itself cached.
 * @returns a function that returns the key @throws {Error} as `publicKeyOf`
 */
export function keptKey(certificate: CertificateKey): () => KeyObject {
  let key: KeyObject | null = null;
  return () => {
    key ??= importKey(certificate);
    return key;
  };
}

function importKey({ spki, publicKey }: CertificateKey): KeyObject {
  if (publicKey.kind === 'other') throw new Error('key is of a kind that is not supported');
  if (publicKey.kind === 'rsa') return importRsa(publicKey.modulus, publicKey.exponent);
  // JWK is the faster import for RSA and P-256, DER for P-384
  if (publicKey.curve === 'P-384') {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  }
  return importEc(publicKey);
}

function importEc({ curve, x, y }: EcKey): KeyObject {
  return createPublicKey({
    key: { kty: 'EC', crv: curve, x: encodeBase64Url(x), y: encodeBase64Url(y) },
    format: 'jwk',
  });
}

function importRsa(n: Uint8Array, e: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'RSA', n: encodeBase64Url(n), e: encodeBase64Url(e) }, format: 'jwk' });
}
