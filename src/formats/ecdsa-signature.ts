import { nullIfMalformed } from '../core/errors.js';
import { DER, malformed, parseDerSequence, unsignedOctets } from './der.js';

/**
 * Reads an ECDSA-Sig-Value (RFC 3279 2.2.3) into r‖s, each big endian and as long as the field of the curve.
 *
 * @param octets length of the field of the curve
 * @returns null if it is malformed, or a number is too long. Then no key verifies the signature, which the verifier
 *   reports; the certificate is not malformed
 */
export function readEcdsaSignature(der: Uint8Array, octets: number): Uint8Array | null {
  return nullIfMalformed(() => parseEcdsaSignature(der, octets));
}

function parseEcdsaSignature(der: Uint8Array, octets: number): Uint8Array {
  const reader = parseDerSequence(der, 'signature');
  const raw = new Uint8Array(2 * octets);
  for (const end of [octets, 2 * octets]) {
    const number = unsignedOctets(reader.read(DER.integer, 'signature').content, 'signature');
    if (number.length > octets) throw malformed('signature has a number that is too large');
    raw.set(number, end - number.length);
  }
  reader.end('signature');
  return raw;
}
