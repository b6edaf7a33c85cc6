import type { Checks } from '../../core/check.js';
import type { PcrBank } from '../../core/evidence.js';
import { rawEcdsa, verifyEcdsaAtOnce } from '../../crypto/ecdsa.js';
import { ecPublicKey, rsaPublicKey } from '../../crypto/key-cache.js';
import { verifyRsaPkcs1, verifyRsaPss } from '../../crypto/rsa.js';
import type { QuoteKey } from '../shared/evidence/parts.js';
import type { TpmHash, TpmSignature } from './format/tpmt-signature.js';

export type StrongHash = Exclude<TpmHash, 'sha1'>;

export const HASH_LENGTH: { readonly [hash in PcrBank]: number } = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

/** A TPMS_ATTEST and its signature. */
export interface SignedAttest {
  readonly message: Uint8Array;
  readonly signature: TpmSignature;
  /** Name of the structure in check details. */
  readonly name: 'quote' | 'certification';
}

/**
 * Verifies the signature over a TPMS_ATTEST.
 * @returns the hash algorithm of a valid signature; null for an invalid one
 */
export function verifyAttestSignature(
  checks: Checks,
  { message, signature, name }: SignedAttest,
  key: QuoteKey,
): StrongHash | null {
  const { hash } = signature;
  // Rejects SHA-1 before any verification, because with a collision two structures share a signature.
  checks.require(hash !== 'sha1', 'tpm_weak_signature', {
    expected: ['sha256', 'sha384', 'sha512'],
    actual: hash,
    detail: `the ${name} signature uses a strong hash`,
    otherwise: `the ${name} is signed with SHA-1`,
  });
  if (hash === 'sha1') return null;
  const holds = checks.require(signatureHolds(message, signature, hash, key), 'tpm_signature', {
    expected: 'a signature by the attestation key',
    actual: signature.scheme,
    detail: `the attestation key of this vTPM signed the ${name}`,
    otherwise: `the attestation key of this vTPM did not sign the ${name}, or the ${name} was changed afterwards`,
  });
  return holds ? hash : null;
}

/** Length of a bare signature in bytes; null for a key without that form. */
export function modulusLength(key: QuoteKey): number | null {
  return key.kind === 'rsa' ? key.modulus.byteLength : null;
}

/** Verifies a signature. Its kind must be that of the key. */
function signatureHolds(message: Uint8Array, signature: TpmSignature, hash: StrongHash, key: QuoteKey): boolean {
  if (key.kind === 'rsa') return signature.scheme !== 'ecdsa' && rsaHolds(message, signature, hash, key);
  const raw = signature.scheme === 'ecdsa' ? rawEcdsa(signature, key.curve) : null;
  return raw !== null && verifyEcdsaAtOnce(key.curve, hash, message, raw, ecPublicKey(key));
}

function rsaHolds(
  message: Uint8Array,
  { scheme, signature }: Exclude<TpmSignature, { readonly scheme: 'ecdsa' }>,
  hash: StrongHash,
  { modulus, exponent }: Extract<QuoteKey, { readonly kind: 'rsa' }>,
): boolean {
  // A signature has the length of the modulus (RFC 8017, 8.1.2).
  const publicKey = rsaPublicKey({ n: modulus, e: exponent });
  if (scheme === 'rsassa') return verifyRsaPkcs1(hash, message, signature, publicKey);
  // The salt has the maximum length, or in FIPS mode the length of the hash (TPM 2.0 part 1, B.7).
  const hashLength = HASH_LENGTH[hash];
  const salts = [hashLength, modulus.byteLength - hashLength - 2];
  return salts.some((saltLength) => verifyRsaPss(hash, saltLength, message, signature, publicKey));
}

/** Formats a number of the structure in hex. */
export function word(value: number): string {
  return `0x${value.toString(16)}`;
}
