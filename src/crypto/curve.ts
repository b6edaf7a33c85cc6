import type { EcCurve, EcKey } from '../formats/public-key.js';

/** A NIST curve y² = x³ - 3x + b over the field of p elements, with n points (SP 800-186 section 3.2.1). */
interface Curve {
  /** Length of a field element and of a number below n, in bytes. */
  readonly octets: number;
  readonly p: bigint;
  readonly b: bigint;
  readonly n: bigint;
}

/** Encodes a number big endian, with fixed length: numbers of the same length compare like their bytes. */
export function numberBytes(value: bigint, octets: number): Uint8Array {
  return Buffer.from(value.toString(16).padStart(2 * octets, '0'), 'hex');
}

export const CURVES: { readonly [curve in EcCurve]: Curve } = {
  'P-256': {
    octets: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  'P-384': {
    octets: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
};

/** Whether the point of a key is on its curve. The cofactor is 1, so every such point is a valid key. */
export function isOnCurve(key: EcKey): boolean {
  const { p, b } = CURVES[key.curve];
  const x = integer(key.x);
  const y = integer(key.y);
  return x < p && y < p && (y * y - (x * x * x - 3n * x + b)) % p === 0n;
}

/** Decodes a big-endian number. */
export function integer(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`);
}
