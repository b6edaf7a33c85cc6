import { describe, expect, it } from 'vitest';
import { parseTpm2bPublic } from '../../../../../src/tee/tpm/format/tpmt-public.js';
import { formatErrorOf } from '../../../../format-error-of.js';
import {
  AK_ATTRIBUTES,
  bigEndian,
  buildTpm2bPublic,
  buildTpmtPublic,
  EPHEMERAL_ATTRIBUTES,
  joinBytes,
  type TpmAttribute,
  type TpmKeyFields,
} from '../../../../lab/index.js';

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const N = Uint8Array.from({ length: 256 }, (_, index) => 0x80 | index);
const RSA = { kty: 'RSA', n: base64url(N), e: 'AQAB' };
const X = Uint8Array.from({ length: 32 }, (_, index) => index + 1);
const Y = Uint8Array.from({ length: 32 }, (_, index) => index + 101);
const EC = { kty: 'EC', crv: 'P-256', x: base64url(X), y: base64url(Y) };
const EC384 = {
  kty: 'EC',
  crv: 'P-384',
  x: base64url(new Uint8Array(48).fill(3)),
  y: base64url(new Uint8Array(48).fill(4)),
};

const read = (fields: TpmKeyFields) => parseTpm2bPublic(buildTpm2bPublic(fields));
const errorOf = (fields: TpmKeyFields) => formatErrorOf(() => read(fields));
const MALFORMED = { code: 'tpm_format', pointer: null };
const alg = (...numbers: readonly number[]) => joinBytes(...numbers.map((number) => bigEndian(number, 2)));

describe('parseTpm2bPublic', () => {
  it('reads an RSA key', () => {
    const authPolicy = new Uint8Array(32).fill(9);
    const found = read({ jwk: RSA, authPolicy });
    expect(found).toMatchObject({ nameAlgorithm: 0x000b, nameHash: 'sha256', authPolicy });
    expect(found.key).toEqual({ kind: 'rsa', n: N, e: Uint8Array.of(1, 0, 1) });
    expect(Buffer.from(found.area)).toEqual(Buffer.from(buildTpmtPublic({ jwk: RSA, authPolicy })));
    expect(read({ jwk: RSA, exponent: 3 }).key).toMatchObject({ e: Uint8Array.of(3) });
    expect(read({ jwk: RSA, exponent: 0xffffffff }).key).toMatchObject({ e: new Uint8Array(4).fill(0xff) });
  });

  it('reads a key on a curve, with the zeros that a TPM leaves out', () => {
    expect(read({ jwk: EC }).key).toEqual({ kind: 'ec', curve: 'P-256', x: X, y: Y });
    expect(read({ jwk: EC384 }).key).toMatchObject({ curve: 'P-384', x: new Uint8Array(48).fill(3) });
    const short = { ...EC, x: base64url(X.subarray(2)) };
    expect(read({ jwk: short }).key).toMatchObject({ x: Uint8Array.from([0, 0, ...X.subarray(2)]) });
  });

  it.each<TpmAttribute>([
    'fixedTpm',
    'fixedParent',
    'sensitiveDataOrigin',
    'userWithAuth',
    'restricted',
    'decrypt',
    'sign',
  ])('reads the attribute %s', (attribute) => {
    const { attributes } = read({ jwk: RSA, attributes: [attribute] });
    expect(Object.entries(attributes).filter(([, isSet]) => isSet)).toEqual([[attribute, true]]);
  });

  it('reads what clients and paravisors make', () => {
    const set = (attributes: readonly TpmAttribute[]) =>
      Object.entries(read({ jwk: RSA, attributes }).attributes).flatMap(([name, isSet]) => (isSet ? [name] : []));
    expect(set(EPHEMERAL_ATTRIBUTES)).toEqual(['fixedTpm', 'fixedParent', 'sensitiveDataOrigin', 'decrypt']);
    expect(set(AK_ATTRIBUTES)).not.toContain('decrypt');
  });

  it.each<[string, Partial<TpmKeyFields>, object]>([
    ['AES for its children', { symmetric: alg(0x0006, 128, 0x0043) }, RSA],
    ['RSASSA', { scheme: alg(0x0014, 0x000b) }, RSA],
    ['RSAPSS', { scheme: alg(0x0016, 0x000b) }, RSA],
    ['OAEP', { scheme: alg(0x0017, 0x000b) }, RSA],
    ['RSAES', { scheme: alg(0x0015) }, RSA],
    ['ECDSA', { scheme: alg(0x0018, 0x000b) }, EC],
    ['ECDH', { scheme: alg(0x0019, 0x000b) }, EC],
    ['SM2', { scheme: alg(0x001b, 0x000b) }, EC],
    ['EC Schnorr', { scheme: alg(0x001c, 0x000b) }, EC],
    ['ECMQV', { scheme: alg(0x001d, 0x000b) }, EC],
    ['ECDAA', { scheme: alg(0x001a, 0x000b, 0) }, EC],
    ['MGF1', { kdf: alg(0x0007, 0x000b) }, EC],
    ['KDF1 of SP 800-56A', { kdf: alg(0x0020, 0x000b) }, EC],
    ['KDF2', { kdf: alg(0x0021, 0x000b) }, EC],
    ['KDF1 of SP 800-108', { kdf: alg(0x0022, 0x000b) }, EC],
    ['the longest policy', { authPolicy: new Uint8Array(64) }, RSA],
    ['8192 bits', {}, { ...RSA, n: base64url(new Uint8Array(1024).fill(0xff)) }],
  ])('reads a key with %s', (_, fields, jwk) => {
    expect(() => read({ jwk: jwk as TpmKeyFields['jwk'], ...fields })).not.toThrow();
  });

  it('says of a hash that is not known that it is not', () => {
    expect(read({ jwk: RSA, nameAlg: 0x0012 })).toMatchObject({ nameAlgorithm: 0x0012, nameHash: null });
  });

  it.each<[string, TpmKeyFields]>([
    ['a kind of key that is not known', { jwk: RSA, type: 0x0025 }],
    ['a curve that is not known', { jwk: EC, curveId: 0x0005 }],
    ['a scheme that is not known', { jwk: RSA, scheme: alg(0x0018) }],
    ['a scheme of RSA on a curve', { jwk: EC, scheme: alg(0x0014, 0x000b) }],
    ['a KDF that is not known', { jwk: EC, kdf: alg(0x0008) }],
    ['a modulus that is longer than it says', { jwk: RSA, keyBits: 1024 }],
    ['a modulus that is shorter than it says', { jwk: RSA, keyBits: 4096 }],
    ['a modulus with a leading zero bit', { jwk: { ...RSA, n: base64url(Uint8Array.from([0x7f, ...N.subarray(1)])) } }],
    ['a modulus with a leading zero', { jwk: { ...RSA, n: base64url(Uint8Array.from([0, ...N.subarray(1)])) } }],
    ['a coordinate that is too long', { jwk: { ...EC, x: base64url(new Uint8Array(33)) } }],
    ['a policy that is too long', { jwk: RSA, authPolicy: new Uint8Array(65) }],
    ['a byte after the structure', { jwk: RSA, trailing: Uint8Array.of(0) }],
    ['an RSA modulus that is too long', { jwk: { ...RSA, n: base64url(new Uint8Array(1025).fill(0xff)) } }],
  ])('TPM-02 refuses %s', (_, fields) => {
    expect(errorOf(fields)).toEqual(MALFORMED);
  });

  it('TPM-02 refuses each length that is not the right one', () => {
    for (const jwk of [RSA, EC]) {
      const bytes = buildTpm2bPublic({ jwk });
      for (let length = 0; length < bytes.byteLength; length++) {
        expect(formatErrorOf(() => parseTpm2bPublic(bytes.subarray(0, length)))).toEqual(MALFORMED);
      }
      expect(formatErrorOf(() => parseTpm2bPublic(joinBytes(bytes, Uint8Array.of(0))))).toEqual(MALFORMED);
    }
  });
});
