import { describe, expect, it } from 'vitest';
import { readVerifyRequest } from '../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../format-error-of.js';
import { base64url, bodyOf, EC_JWK, type Json, NONCE, OKP_JWK, RSA_JWK, snpEvidence } from './sample-bodies.js';

const bodyWith = (jwk: unknown) => bodyOf({ evidence: snpEvidence(), nonce: base64url(NONCE), binding: { jwk } });
const read = (jwk: unknown) => readVerifyRequest(bodyWith(jwk)).bindingJwk;
const errorOf = (jwk: unknown) => formatErrorOf(() => readVerifyRequest(bodyWith(jwk)));
const bytes = (length: number, byte = 0xc1) => base64url(Buffer.alloc(length, byte));

describe('a bound key', () => {
  it.each<[string, Json]>([
    ['RSA', RSA_JWK],
    ['RSA of 8192 bits', { ...RSA_JWK, n: bytes(1024) }],
    ['P-256', EC_JWK],
    ['P-384', { ...EC_JWK, crv: 'P-384', x: bytes(48), y: bytes(48) }],
    ['P-521', { ...EC_JWK, crv: 'P-521', x: bytes(66, 1), y: bytes(66, 1) }],
    ['X25519', OKP_JWK],
    ['Ed25519', { ...OKP_JWK, crv: 'Ed25519' }],
    ['a coordinate that starts with zero', { ...EC_JWK, x: bytes(32, 0) }],
    [
      'members that Web Crypto writes',
      { ...RSA_JWK, alg: 'RSA-OAEP-256', ext: true, key_ops: ['encrypt'], kid: 'a', use: 'enc' },
    ],
  ])('may be %s', (_, jwk) => {
    expect({ ...read(jwk) }).toEqual(jwk);
  });

  it.each<[string, Json]>([
    ['RSA', { ...RSA_JWK, d: bytes(256) }],
    ['RSA by a prime alone', { ...RSA_JWK, p: bytes(128) }],
    ['RSA by an exponent alone', { ...RSA_JWK, dq: bytes(128) }],
    ['EC', { ...EC_JWK, d: bytes(32) }],
    ['OKP', { ...OKP_JWK, d: bytes(32) }],
    ['OKP beside an unknown member', { ...OKP_JWK, a: 1, d: bytes(32) }],
  ])('is refused where it is private: %s', (_, jwk) => {
    expect(errorOf(jwk)).toEqual({ code: 'schema', pointer: '/binding/jwk' });
  });

  it.each<[string, unknown, string]>([
    ['symmetric', { kty: 'oct', k: 'AAAA' }, '/binding/jwk'],
    ['of no type', { n: RSA_JWK.n, e: 'AQAB' }, '/binding/jwk/kty'],
    ['of a type that is not a string', { ...RSA_JWK, kty: 1 }, '/binding/jwk'],
    ['on another curve', { ...EC_JWK, crv: 'secp256k1' }, '/binding/jwk/crv'],
    ['without coordinate', { kty: 'EC', crv: 'P-256', x: EC_JWK.x }, '/binding/jwk/y'],
    ['with a short coordinate', { ...EC_JWK, x: bytes(31) }, '/binding/jwk/x'],
    ['with a long coordinate', { ...EC_JWK, y: bytes(33) }, '/binding/jwk/y'],
    ['with a coordinate of another curve', { ...EC_JWK, crv: 'P-384', x: bytes(48) }, '/binding/jwk/y'],
    ['with a short public key', { ...OKP_JWK, x: bytes(31) }, '/binding/jwk/x'],
    ['with a modulus under 2048 bits', { ...RSA_JWK, n: bytes(255) }, '/binding/jwk/n'],
    ['with a modulus over 8192 bits', { ...RSA_JWK, n: bytes(1025) }, '/binding/jwk/n'],
    [
      'with a modulus that starts with zero',
      { ...RSA_JWK, n: base64url(Buffer.concat([Buffer.alloc(1), Buffer.alloc(256, 1)])) },
      '/binding/jwk/n',
    ],
    ['with no exponent', { ...RSA_JWK, e: '' }, '/binding/jwk/e'],
    ['as a string', 'key', '/binding/jwk'],
    ['as null', null, '/binding/jwk'],
  ])('is refused %s', (_, jwk, pointer) => {
    expect(errorOf(jwk)).toEqual({ code: 'schema', pointer });
  });

  it.each<[string, Json, string]>([
    ['with padding', { ...RSA_JWK, e: 'AQ==' }, '/binding/jwk/e'],
    ['in the other alphabet', { ...RSA_JWK, n: Buffer.alloc(258, 0xff).toString('base64') }, '/binding/jwk/n'],
    ['with unused bits', { ...OKP_JWK, x: `${OKP_JWK.x.slice(0, -1)}N` }, '/binding/jwk/x'],
  ])('REQ-10 is refused when a number is written %s', (_, jwk, pointer) => {
    expect(errorOf(jwk)).toEqual({ code: 'encoding', pointer });
  });
});
