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
  /** Of its encoding. */
  readonly octets: number;
}

/**
 * Importing a P-384 key takes a fifth of the time of a verification, so keys are kept. They are public and never change.
 * Whoever sends certificates chooses keys that no signature vouches for yet, which is why the bound is one of bytes. One
 * that was driven out is imported again.
 */
const KEYS = new LRUCache<string, KeptKey>({
  maxSize: KEYS_BYTES,
  sizeCalculation: ({ octets }) => importedBytes(octets),
});

type CertificateKey = Pick<X509Certificate, 'spki' | 'publicKey'>;

/** SHA-256 of a certificate's SubjectPublicKeyInfo, lower-case hex: what trust anchors are pinned by. */
export function spkiDigest(certificate: Pick<X509Certificate, 'spki'>): string {
  return hex(sha256(certificate.spki));
}

/**
 * The key of a certificate, ready for use.
 *
 * @throws {Error} for a key that a path check refuses: of another kind, or not a point on its curve
 */
export function publicKeyOf(certificate: CertificateKey): KeyObject {
  return kept(spkiDigest(certificate), certificate.spki.byteLength, () => importKey(certificate));
}

/**
 * An RSA key that was not given as a certificate, ready for use. Whether it is a strong one is for the caller.
 *
 * @throws {Error} where the numbers make no key
 */
export function rsaPublicKey({ n, e }: RsaPublicKey): KeyObject {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(n.byteLength);
  return kept(hex(sha256(length, n, e)), n.byteLength + e.byteLength, () => importRsa(n, e));
}

/**
 * An EC key that was not given as a certificate, ready for use.
 *
 * @throws {Error} where the point is not on the curve
 */
export function ecPublicKey(key: EcKey): KeyObject {
  const digest = hex(sha256(Buffer.from(key.curve), key.x, key.y));
  return kept(digest, key.x.byteLength + key.y.byteLength, () => importEc(key));
}

/**
 * A P-256 key that was given by its point alone, ready for use.
 *
 * @param point X‖Y, 64 bytes
 * @returns null where the point is not on the curve
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
 * The key of a certificate, imported once and kept as long as the function is: for a certificate that is kept itself.
 * @returns the key @throws {Error} as `publicKeyOf`
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
  // JWK is the faster way in for RSA and P-256, DER for P-384
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
