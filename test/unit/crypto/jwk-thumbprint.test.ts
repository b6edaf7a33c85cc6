import { describe, expect, it } from 'vitest';
import { jwkThumbprint } from '../../../src/crypto/jwk-thumbprint.js';

const OKP = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };

describe('thumbprint of a JWK', () => {
  it('is that of RFC 7638 for its RSA key, whatever other members the key has', () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3ok' +
      'njhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu' +
      '6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8a' +
      'wapJzKnqDKgw';
    const thumbprint = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs';
    expect(jwkThumbprint({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' })).toBe(thumbprint);
    expect(jwkThumbprint({ e: 'AQAB', n, kty: 'RSA' })).toBe(thumbprint);
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
