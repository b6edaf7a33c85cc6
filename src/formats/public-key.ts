import {
  DER,
  type DerElement,
  DerReader,
  malformed,
  oidText,
  parseDer,
  parseDerSequence,
  unsignedOctets,
  wholeOctets,
} from './der.js';

export type EcCurve = 'P-256' | 'P-384';

/** The key in a SubjectPublicKeyInfo. `other`: an unsupported kind of key. */
export type PublicKey = RsaKey | EcKey | OtherKey;

export interface RsaKey {
  readonly kind: 'rsa';
  readonly bits: number;
  /** Modulus and exponent, big endian, without leading zero. */
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
}

export interface EcKey {
  readonly kind: 'ec';
  readonly curve: EcCurve;
  /** Coordinates, big endian, each as long as the field. Whether the point is on the curve is not checked. */
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

export interface OtherKey {
  readonly kind: 'other';
  /** The kind of key, for messages. */
  readonly detail: string;
}

export interface PublicKeyInfo {
  /** The whole encoding. */
  readonly spki: Uint8Array;
  readonly key: PublicKey;
}

const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';
const EC_PUBLIC_KEY = '1.2.840.10045.2.1';

const CURVES: ReadonlyMap<string, { readonly curve: EcCurve; readonly octets: number }> = new Map([
  ['1.2.840.10045.3.1.7', { curve: 'P-256', octets: 32 }],
  ['1.3.132.0.34', { curve: 'P-384', octets: 48 }],
]);

const UNCOMPRESSED = 0x04;

/**
 * Reads the next element as a SubjectPublicKeyInfo (RFC 5280 4.1.2.7, RFC 3279 2.3, RFC 5480 2).
 *
 * @throws {FormatError} `cert_format`
 */
export function readPublicKeyInfo(reader: DerReader): PublicKeyInfo {
  const element = reader.read(DER.sequence, 'public key info');
  const info = element.elements;
  const spki = element.bytes;
  const algorithm = info.open(DER.sequence, 'public key algorithm');
  const oid = oidText(algorithm.read(DER.oid, 'public key algorithm').content);
  const parameters = algorithm.done ? null : algorithm.any('public key parameters');
  algorithm.end('public key algorithm');
  const octets = wholeOctets(info.read(DER.bitString, 'public key').content, 'public key');
  info.end('public key info');
  if (oid === RSA_ENCRYPTION) return { spki, key: rsaKey(parameters, octets) };
  if (oid === EC_PUBLIC_KEY) return { spki, key: ecKey(parameters, octets) };
  return { spki, key: { kind: 'other', detail: 'neither RSA nor elliptic curve' } };
}

/**
 * Reads a SubjectPublicKeyInfo to its last byte.
 * @throws {FormatError} `cert_format`
 */
export function parsePublicKeyInfo(bytes: Uint8Array): PublicKey {
  parseDer(bytes);
  return readPublicKeyInfo(new DerReader(bytes, 0, bytes.byteLength)).key;
}

function rsaKey(parameters: DerElement | null, octets: Uint8Array): RsaKey {
  // RFC 3279 2.3.1: the parameters are NULL
  if (parameters?.tag !== DER.null) throw malformed('RSA key has parameters');
  const reader = parseDerSequence(octets, 'RSA key');
  const modulus = unsignedOctets(reader.read(DER.integer, 'RSA modulus').content, 'RSA modulus');
  const exponent = unsignedOctets(reader.read(DER.integer, 'RSA exponent').content, 'RSA exponent');
  reader.end('RSA key');
  return { kind: 'rsa', bits: modulusBits(modulus), modulus, exponent };
}

/** @param modulus big endian, without leading zero */
export function modulusBits(modulus: Uint8Array): number {
  return modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
}

function ecKey(parameters: DerElement | null, octets: Uint8Array): EcKey | OtherKey {
  if (parameters?.tag !== DER.oid) return { kind: 'other', detail: 'curve is not given by name' };
  const named = CURVES.get(oidText(parameters.content));
  if (named === undefined) return { kind: 'other', detail: 'curve is not P-256 or P-384' };
  if (octets[0] !== UNCOMPRESSED) return { kind: 'other', detail: 'point is not in uncompressed form' };
  if (octets.length !== 1 + 2 * named.octets) throw malformed('point has another length than its curve');
  return {
    kind: 'ec',
    curve: named.curve,
    x: octets.subarray(1, 1 + named.octets),
    y: octets.subarray(1 + named.octets),
  };
}
