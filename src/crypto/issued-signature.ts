import { readEcdsaSignature } from '../formats/ecdsa-signature.js';
import type { PublicKey } from '../formats/public-key.js';
import type { SignatureAlgorithm } from '../formats/signature-algorithm.js';
import type { X509Certificate } from '../formats/x509-certificate.js';
import { CURVES } from './curve.js';
import { verifyP256 } from './ecdsa.js';
import { publicKeyOf } from './key-cache.js';
import { type RsaHash, verifyRsaPkcs1, verifyRsaPss } from './rsa.js';

/** A signed object: a certificate or a CRL. */
export type Issued = Pick<X509Certificate, 'tbs' | 'signature'>;

/** Whether keys of this kind create signatures of this algorithm. */
export function algorithmFitsKey(algorithm: SignatureAlgorithm, key: PublicKey): boolean {
  if (algorithm === 'ecdsa-sha256') return key.kind === 'ec' && key.curve === 'P-256';
  return key.kind === 'rsa';
}

/**
 * Verifies the signature of a certificate or CRL under its issuer's key. Does not verify the issuer.
 *
 * @param algorithm the one beside the signature
 */
export function verifyIssuedSignature(
  { tbs, signature }: Issued,
  algorithm: SignatureAlgorithm,
  issuer: X509Certificate,
): boolean {
  const key = publicKeyOf(issuer);
  switch (algorithm) {
    case 'rsassa-pss-sha384':
      return verifyRsaPss('sha384', 48, tbs, signature, key);
    case 'ecdsa-sha256': {
      const raw = readEcdsaSignature(signature, CURVES['P-256'].octets);
      return raw !== null && verifyP256('sha256', tbs, raw, key);
    }
    default:
      return verifyRsaPkcs1(PKCS1_HASH[algorithm], tbs, signature, key);
  }
}

const PKCS1_HASH: {
  readonly [algorithm in Exclude<SignatureAlgorithm, 'rsassa-pss-sha384' | 'ecdsa-sha256'>]: RsaHash;
} = {
  'rsassa-pkcs1-sha256': 'sha256',
  'rsassa-pkcs1-sha384': 'sha384',
  'rsassa-pkcs1-sha512': 'sha512',
};
