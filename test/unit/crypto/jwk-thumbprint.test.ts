import { describe, expect, it } from 'vitest';
import { jwkThumbprint, keyThumbprint, rsaThumbprint, thumbprintMembers } from '../../../src/crypto/jwk-thumbprint.js';

const OKP = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };

/** The key of RFC 7638, section 3.1. */
const n =
  '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3ok' +
  'njhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu' +
  '6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8a' +
  'wapJzKnqDKgw';
const RSA_THUMBPRINT = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs';
const EC = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AQ' };

describe('thumbprint of a JWK', () => {
  it('is that of RFC 7638 for its RSA key, whatever other members the key has', () => {
    expect(jwkThumbprint({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' })).toBe(RSA_THUMBPRINT);
    expect(jwkThumbprint({ e: 'AQAB', n, kty: 'RSA' })).toBe(RSA_THUMBPRINT);
  });

  it('is that of RFC 8037 for its Ed25519 key', () => {
    expect(jwkThumbprint(OKP)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('depends on the y of an elliptic curve key', () => {
    const key = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' };
    expect(jwkThumbprint(key)).not.toBe(jwkThumbprint({ ...key, y: 'AQ' }));
  });

  it.each([
    ['null', null],
    ['a text', 'OKP'],
    ['a list', [OKP]],
    ['an object without kty', { crv: OKP.crv, x: OKP.x }],
    ['of a kty that is no text', { ...OKP, kty: ['OKP'] }],
    ['of an unknown kty', { ...OKP, kty: 'oct' }],
    ['of a kty that objects have as a member', { ...OKP, kty: 'constructor' }],
    ['without a member that counts', { kty: 'OKP', crv: 'Ed25519' }],
    ['of a member that is no text', { ...OKP, x: 7 }],
  ])('is none for what is %s', (_, jwk) => {
    expect(jwkThumbprint(jwk)).toBeNull();
  });
});

describe('thumbprint of a parsed key', () => {
  const numbers = { modulus: Buffer.from(n, 'base64url'), exponent: Uint8Array.of(1, 0, 1) };

  it('is that of its JWK', () => {
    expect(rsaThumbprint({ n: numbers.modulus, e: numbers.exponent })).toBe(RSA_THUMBPRINT);
    expect(keyThumbprint({ kind: 'rsa', ...numbers })).toBe(RSA_THUMBPRINT);
    const point = { x: Uint8Array.of(0), y: Uint8Array.of(1) };
    expect(keyThumbprint({ kind: 'ec', curve: 'P-256', ...point })).toBe(jwkThumbprint(EC));
  });
});

describe('members that a thumbprint covers', () => {
  it.each([
    ['RSA', { kty: 'RSA', n, e: 'AQAB' }],
    ['EC', EC],
    ['OKP', OKP],
  ])('are all that is taken of an %s key', (_kty, members) => {
    expect(thumbprintMembers({ ...members, kid: 'k', d: 'secret' })).toEqual(members);
  });

  it('are null where they are missing', () => {
    expect(thumbprintMembers({ kty: 'OKP', crv: 'Ed25519' })).toEqual({ kty: 'OKP', crv: 'Ed25519', x: null });
  });

  it('are none of an unknown kty', () => {
    expect(thumbprintMembers({ kty: 'oct', k: 'secret' })).toBeNull();
    expect(thumbprintMembers({})).toBeNull();
  });
});
