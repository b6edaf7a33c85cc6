import { createPublicKey, createSecretKey } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { namedRsaKey, newEcKey } from '../../lab/lab-keys.js';
import { bothMakings, makeToken, registeredClaims, type TokenMaking } from '../../lab/token-making.js';

const KEY = namedRsaKey('maa-signer-1', 2048).privateKey;
const GENUINE = {
  header: { kid: 'k', typ: 'JWT' },
  claims: { iss: 'https://a.example', n: 1 },
  key: KEY,
  algorithm: 'RS256',
};
const make = (making?: TokenMaking) => makeToken(GENUINE, making);
const segmentOf = (token: string, index: number) => Buffer.from(token.split('.')[index] ?? '', 'base64url').toString();

describe('makeToken', () => {
  it.each(['RS256', 'PS384'])('signs with %s as another library verifies', async (algorithm) => {
    const { protectedHeader } = await compactVerify(make({ algorithm }), createPublicKey(KEY));
    expect(protectedHeader).toEqual({ alg: algorithm, kid: 'k', typ: 'JWT' });
  });

  it('signs with a curve, and with a secret', async () => {
    const { privateKey } = newEcKey('prime256v1');
    const secret = createSecretKey(Buffer.alloc(32, 7));
    await compactVerify(make({ algorithm: 'ES256', key: privateKey }), createPublicKey(privateKey));
    await compactVerify(make({ algorithm: 'HS256', key: secret }), secret);
  });

  it('takes a public key for a secret where it is told to', async () => {
    const pem = createPublicKey(KEY).export({ type: 'spki', format: 'pem' }).toString();
    await compactVerify(make({ algorithm: 'HS256' }), Buffer.from(pem));
  });

  it.each(['none', 'None', 'XX1'])('signs nothing with %s', (algorithm) => {
    const token = make({ algorithm });
    expect(decodeProtectedHeader(token).alg).toBe(algorithm);
    expect(token.endsWith('.')).toBe(true);
  });

  it('lets the header say another algorithm than the signature has', async () => {
    const token = make({ header: { alg: 'PS256' } });
    await expect(compactVerify(token, createPublicKey(KEY))).rejects.toThrow();
    expect(decodeProtectedHeader(token).alg).toBe('PS256');
  });

  it('lays members over the genuine ones, or makes others of them', () => {
    expect(decodeJwt(make({ claims: { n: 2 } }))).toEqual({ iss: 'https://a.example', n: 2 });
    expect(decodeJwt(make({ claims: ({ iss = '' }) => ({ iss }) }))).toEqual({ iss: 'https://a.example' });
  });

  it('changes texts before they are signed, and the token after', async () => {
    const token = make({
      headerText: (json) => json.replace('{', '{"alg":"none",'),
      claimsText: (json) => json.replace('"n":1', '"n":1e400'),
    });
    expect(segmentOf(token, 0)).toBe('{"alg":"none","alg":"RS256","kid":"k","typ":"JWT"}');
    expect(segmentOf(token, 1)).toBe('{"iss":"https://a.example","n":1e400}');
    expect(make({ afterSigning: (signed) => `${signed}.x` })).toMatch(/\.x$/);
  });

  it('joins two makings', () => {
    const both = bothMakings({ claims: { n: 2, m: 2 }, algorithm: 'none' }, { claims: { n: 3 }, header: { kid: 'j' } });
    const token = make(both);
    expect(decodeJwt(token)).toMatchObject({ n: 3, m: 2 });
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'none', kid: 'j', typ: 'JWT' });
  });
});

describe('registeredClaims', () => {
  it('has seconds, and an identity of its own each time', () => {
    const at = new Date('2026-01-15T12:00:00.900Z');
    const [one, other] = [registeredClaims('i', at, 60), registeredClaims('i', at, 60)];
    expect(one).toMatchObject({ iss: 'i', iat: 1768478400, nbf: 1768478400, exp: 1768478460 });
    expect(one['jti']).not.toBe(other['jti']);
  });
});
