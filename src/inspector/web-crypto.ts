import { hex } from '../core/bytes.js';
import { readEcdsaSignature } from '../formats/ecdsa-signature.js';
import type { X509Certificate } from '../formats/x509-certificate.js';

/** Signatures of AMD and Intel, verified by WebCrypto. */

export type WebCrypto = typeof globalThis.crypto.subtle;

const VENDOR_ALGORITHMS: ReadonlySet<string | null> = new Set(['rsassa-pss-sha384', 'ecdsa-sha256']);

/** Whether a certificate has another signature algorithm than AMD and Intel use now. If it names two, it is invalid instead. */
export function hasUnknownAlgorithm(certificate: X509Certificate): boolean {
  return namesOneAlgorithm(certificate) && !VENDOR_ALGORITHMS.has(certificate.outerAlgorithm.name);
}

/** Whether the unsigned algorithm beside the signature equals the signed one (RFC 5280 4.1.1.2). */
function namesOneAlgorithm({ innerAlgorithm, outerAlgorithm }: X509Certificate): boolean {
  return hex(innerAlgorithm.bytes) === hex(outerAlgorithm.bytes);
}

/** Whether the issuer signed a certificate, by the algorithms of AMD and Intel. */
export async function verifyIssued(
  subtle: WebCrypto,
  issued: X509Certificate,
  issuer: X509Certificate,
): Promise<boolean> {
  if (!namesOneAlgorithm(issued)) return false;
  if (issued.outerAlgorithm.name === 'rsassa-pss-sha384') {
    const key = await subtle.importKey('spki', unshared(issuer.spki), { name: 'RSA-PSS', hash: 'SHA-384' }, false, [
      'verify',
    ]);
    return subtle.verify({ name: 'RSA-PSS', saltLength: 48 }, key, unshared(issued.signature), unshared(issued.tbs));
  }
  const raw = issued.outerAlgorithm.name === 'ecdsa-sha256' ? readEcdsaSignature(issued.signature, 32) : null;
  return raw !== null && verifyEcdsa(subtle, { curve: 'P-256', hash: 'SHA-256' }, issuer, raw, issued.tbs);
}

/** @param signature r, then s @throws {DOMException} if the key is on another curve */
export async function verifyEcdsa(
  subtle: WebCrypto,
  { curve, hash }: { readonly curve: string; readonly hash: string },
  { spki }: X509Certificate,
  signature: Uint8Array,
  signed: Uint8Array,
): Promise<boolean> {
  const key = await subtle.importKey('spki', unshared(spki), { name: 'ECDSA', namedCurve: curve }, false, ['verify']);
  return subtle.verify({ name: 'ECDSA', hash }, key, unshared(signature), unshared(signed));
}

/** WebCrypto rejects views of shared memory, which TypeScript cannot exclude. */
export const unshared = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
