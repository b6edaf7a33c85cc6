import type { RsaPublicKey } from '../model/rsa-public-key.js';
import { DER } from './der.js';

/** AlgorithmIdentifier of rsaEncryption with its NULL (RFC 3279 2.3.1). */
const RSA_ALGORITHM = Uint8Array.from([
  0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
]);

/**
 * Writes an RSA key as SubjectPublicKeyInfo, DER: the encoding that its certificate would have.
 * @param key both numbers without leading zero, and neither is zero
 */
export function encodeRsaPublicKeyInfo({ n, e }: RsaPublicKey): Uint8Array {
  const key = element(DER.sequence, positive(n), positive(e));
  return element(DER.sequence, RSA_ALGORITHM, element(DER.bitString, Uint8Array.of(0), key));
}

function positive(octets: Uint8Array): Uint8Array {
  // the first bit is the sign (X.690 8.3.3)
  const sign = ((octets[0] ?? 0) & 0x80) === 0 ? [] : [Uint8Array.of(0)];
  return element(DER.integer, ...sign, octets);
}

function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, content) => sum + content.byteLength, 0);
  return new Uint8Array(Buffer.concat([Uint8Array.of(tag), lengthOctets(length), ...contents]));
}

/** X.690 10.1: as short as it can be. Keys are shorter than 64 KiB. */
function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  return length < 0x100 ? Uint8Array.of(0x81, length) : Uint8Array.of(0x82, length >> 8, length & 0xff);
}
