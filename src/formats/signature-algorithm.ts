import { hex } from '../core/bytes.js';
import { DER, type DerReader } from './der.js';

/** Signature algorithms of certificates that this service can verify, parameters included. */
export type SignatureAlgorithm =
  | 'rsassa-pss-sha384'
  | 'rsassa-pkcs1-sha256'
  | 'rsassa-pkcs1-sha384'
  | 'rsassa-pkcs1-sha512'
  | 'ecdsa-sha256';

/** An AlgorithmIdentifier (RFC 5280 4.1.1.2), unchanged. */
export interface AlgorithmIdentifier {
  /** The whole encoding. */
  readonly bytes: Uint8Array;
  /** Null for an algorithm, or parameters, outside the list. */
  readonly name: SignatureAlgorithm | null;
}

const SHA384 = '300d06096086480165030402020500';
const PSS = '06092a864886f70d01010a';
/** Hash [0], mask generation function [1] with the same hash, and salt length [2] of 48 (RFC 4055 section 3.1). */
const PSS_SHA384 = `a00f${SHA384}a11c301a06092a864886f70d010108${SHA384}a203020130`;

/**
 * Whole encodings, since parameters are part of an algorithm. The PSS trailer field has a default, which DER leaves
 * out. AMD wrote it into its certificates until 2024, so both forms are genuine (`[3] 1` is its only value).
 */
const NAMES: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  [`3041${PSS}3034${PSS_SHA384}`, 'rsassa-pss-sha384'],
  [`3046${PSS}3039${PSS_SHA384}a303020101`, 'rsassa-pss-sha384'],
  // RFC 4055 section 5: parameters are NULL, and present
  ['300d06092a864886f70d01010b0500', 'rsassa-pkcs1-sha256'],
  ['300d06092a864886f70d01010c0500', 'rsassa-pkcs1-sha384'],
  ['300d06092a864886f70d01010d0500', 'rsassa-pkcs1-sha512'],
  // RFC 5758 section 3.2: parameters are absent
  ['300a06082a8648ce3d040302', 'ecdsa-sha256'],
]);

/** Reads the next element as an AlgorithmIdentifier. An unknown algorithm is not malformed: its name is null. */
export function readAlgorithmIdentifier(reader: DerReader, what: string): AlgorithmIdentifier {
  const { bytes } = reader.read(DER.sequence, what);
  return {
    bytes,
    name: NAMES.get(hex(bytes)) ?? null,
  };
}
