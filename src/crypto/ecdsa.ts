import { type KeyObject, verify } from 'node:crypto';
import type { EcCurve } from '../formats/public-key.js';
import { CURVES, integer, numberBytes } from './curve.js';

export type EcdsaHash = 'sha256' | 'sha384' | 'sha512';

/** OpenSSL's names for the curves. */
const CURVE_NAMES: { readonly [curve in EcCurve]: string } = { 'P-256': 'prime256v1', 'P-384': 'secp384r1' };

/**
 * Verifies an ECDSA signature (FIPS 186-5 section 6.4). P-384 is verified in the thread pool: one takes as long
 * as twenty of P-256, which would block the event loop.
 *
 * The signature is not unique: n - s verifies if s does, see `lowS`.
 *
 * @param rawRS r‖s, big endian, each as long as the field of the curve; any other length does not verify
 * @param key a key on another curve does not verify
 */
export async function verifyEcdsa(
  curve: EcCurve,
  hash: EcdsaHash,
  data: Uint8Array,
  rawRS: Uint8Array,
  key: KeyObject,
): Promise<boolean> {
  if (curve === 'P-256') return verifyP256(hash, data, rawRS, key);
  if (!isUsable(curve, rawRS, key)) return false;
  return new Promise((resolve, reject) => {
    verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, rawRS, (error, holds) =>
      error === null ? resolve(holds) : reject(error),
    );
  });
}

/** Like `verifyEcdsa` for P-256, but synchronous: for callers that verify many signatures in a row. */
export function verifyP256(hash: EcdsaHash, data: Uint8Array, rawRS: Uint8Array, key: KeyObject): boolean {
  return verifyEcdsaAtOnce('P-256', hash, data, rawRS, key);
}

/** Like `verifyEcdsa`, but synchronous: for a single signature, whose key may also be of another kind. */
export function verifyEcdsaAtOnce(
  curve: EcCurve,
  hash: EcdsaHash,
  data: Uint8Array,
  rawRS: Uint8Array,
  key: KeyObject,
): boolean {
  return isUsable(curve, rawRS, key) && verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, rawRS);
}

/**
 * Converts two big-endian numbers of any length to r‖s: some writers add leading zeros, others do not.
 * Null if a number is longer than the field of the curve.
 */
export function rawEcdsa(
  { r, s }: { readonly r: Uint8Array; readonly s: Uint8Array },
  curve: EcCurve,
): Uint8Array | null {
  const { octets } = CURVES[curve];
  if (r.byteLength > octets || s.byteLength > octets) return null;
  const raw = new Uint8Array(2 * octets);
  raw.set(r, octets - r.byteLength);
  raw.set(s, 2 * octets - s.byteLength);
  return raw;
}

/** Bounds for r and s, as bytes of a field element. */
const BOUNDS = { 'P-256': boundsOf('P-256'), 'P-384': boundsOf('P-384') } as const;

function boundsOf(curve: EcCurve) {
  const { n, octets } = CURVES[curve];
  const bytes = (value: bigint) => numberBytes(value, octets);
  return { octets, zero: bytes(0n), half: bytes(n / 2n), order: bytes(n) };
}

/**
 * Returns the signature with the smaller of s and n - s: both verify, and both count as the same evidence.
 * Returns its argument if s is the smaller one already, or if the signature is malformed (another length, or s over n - 1).
 */
export function lowS(curve: EcCurve, rawRS: Uint8Array): Uint8Array {
  const { octets, half, order } = BOUNDS[curve];
  const s = rawRS.subarray(octets);
  if (s.byteLength !== octets || Buffer.compare(s, half) <= 0 || Buffer.compare(s, order) >= 0) return rawRS;
  const lowered = new Uint8Array(rawRS);
  lowered.set(numberBytes(CURVES[curve].n - integer(s), octets), octets);
  return lowered;
}

/** Checks that r and s are in [1, n - 1], without relying on the library (compare CVE-2022-21449). */
function isUsable(curve: EcCurve, rawRS: Uint8Array, key: KeyObject): boolean {
  const { octets, zero, order } = BOUNDS[curve];
  if (key.asymmetricKeyDetails?.namedCurve !== CURVE_NAMES[curve] || rawRS.byteLength !== 2 * octets) return false;
  const isInRange = (value: Uint8Array) => Buffer.compare(value, zero) > 0 && Buffer.compare(value, order) < 0;
  return isInRange(rawRS.subarray(0, octets)) && isInRange(rawRS.subarray(octets));
}
