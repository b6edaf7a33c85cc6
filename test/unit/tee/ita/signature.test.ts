import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import type { ItaAlgorithm } from '../../../lab/trust-authority-pki.js';
import { jwkOf, TOKEN_KEYS } from '../../token-jwk.js';
import { expectFailed, expectMalformed, expectVerified, idsWith } from '../fixture.js';
import { ABOUT, AT, CRLS, ISSUER, keysOf, NOW, PKI, ROOT, tokenOf, verifierOf, verifyToken } from './fixture.js';

const { n = '', e = '', kid = '', alg = '' } = PKI.jwk('PS384');
const BARE_JWK = { kty: 'RSA', n, e, kid };

const x5cOf = (algorithm: ItaAlgorithm) => [Buffer.from(PKI.tokenCertificate(algorithm)).toString('base64')];

describe('a token of Trust Authority is of its issuer', () => {
  it.each(['PS384', 'RS256'] as const)('passes every check, signed with %s', async (signer) => {
    const found = await verifyToken(tokenOf({ signer }));
    expectVerified(found);
    expect(new Set(found.checks.map(({ about }) => about))).toEqual(new Set([ABOUT]));
  });

  it('says who signed, until when it counts, and what it says', async () => {
    const found = await verifyToken(tokenOf({ version: 1 }));
    expect(found.endorsements).toMatchObject([
      {
        kind: 'token-key',
        source: 'network',
        revocation: 'not_applicable',
        notAfter: new Date('2027-05-02T12:00:00Z'),
      },
    ]);
    expect(found.validUntil).toEqual(new Date(AT.getTime() + 300_000));
    expect(found.claims.ita).toMatchObject({
      issuer: ISSUER,
      attestationType: 'TDX',
      policyHash: null,
      claims: { iss: ISSUER, ver: '1.0.0', attester_type: 'TDX' },
      stated: { complianceStatus: null, secureBoot: null, tcbStatus: 'UpToDate', matchedPolicyIds: [] },
    });
    expect(found.vouchesForParavisor).toBe(false);
    expect(found.clockSkewSeconds).toBeNull();
  });

  it('tells how far the clock of the issuer is ahead', async () => {
    const found = await verifyToken(tokenOf({ claims: { iat: NOW + 40, nbf: NOW + 40 } }));
    expectVerified(found);
    expect(found.clockSkewSeconds).toBe(40);
  });

  it('asks for the keys of the configured issuer, whatever jku says', () => {
    const token = tokenOf({ header: { jku: 'https://attacker.example/certs' } });
    const requests = verifierOf().openResult({ type: 'ita-token', token }, ABOUT).needs;
    expect(requests).toEqual([{ kind: 'token-keys', type: 'ita-token', issuer: ISSUER, kid }]);
    expect(verifierOf().open({ type: 'ita-token', token }).needs).toEqual(requests);
  });

  it.each([
    ['another issuer', { claims: { iss: 'https://portal.trustauthority.intel.com' } }],
    ['no kid', { header: { kid: null } }],
  ])('asks for no keys where the token has %s', (_, making) => {
    expect(verifierOf().openResult({ type: 'ita-token', token: tokenOf(making) }, ABOUT).needs).toEqual([]);
  });

  it('TOK-02 verifies a token whose jku is of somebody else with the keys of its issuer', async () => {
    expectVerified(await verifyToken(tokenOf({ header: { jku: 'https://attacker.example/certs' } })));
  });

  it('TOK-02 refuses x5c of another key in the header', async () => {
    await expectMalformed(verifyToken(tokenOf({ header: { x5c: x5cOf('RS256') } })), 'token_header', ABOUT);
    expectVerified(await verifyToken(tokenOf({ header: { x5c: x5cOf('PS384') } })));
  });

  it('TOK-02 refuses a key in the header', async () => {
    await expectMalformed(verifyToken(tokenOf({ header: { jwk: BARE_JWK } })), 'token_header', ABOUT);
  });

  it.each(['HS384', 'PS256', 'RS384', 'ES256', 'none'])('TOK-01 refuses %s', async (algorithm) => {
    const making = algorithm === 'ES256' ? { header: { alg: 'ES256' } } : { algorithm };
    expectFailed(await verifyToken(tokenOf(making)), 'token_alg');
  });

  it('TOK-19 refuses a token signed with RS256 under the key for PS384', async () => {
    expectFailed(await verifyToken(tokenOf({ signer: 'PS384', algorithm: 'RS256' })), 'token_alg');
  });

  it('TOK-19 refuses a token signed with PS384 under the key for RS256', async () => {
    expectFailed(await verifyToken(tokenOf({ signer: 'RS256', algorithm: 'PS384' })), 'token_alg');
  });

  it('TOK-19 refuses a token signed with PS384 that says RS256', async () => {
    const token = tokenOf({ signer: 'PS384', header: { alg: 'RS256', kid: PKI.kid('RS256') } });
    expectFailed(await verifyToken(token), 'token_signature');
  });

  it('takes a key that has no certificate, whether it says its algorithm or not', async () => {
    expectVerified(await verifyToken(tokenOf(), { keys: keysOf([{ ...BARE_JWK, alg }]) }));
    expectVerified(await verifyToken(tokenOf(), { keys: keysOf([BARE_JWK]) }));
  });

  it.each(['PS384', 'RS256'])(
    'TOK-25 takes the one key of production, listed for both algorithms: %s',
    async (signed) => {
      const keys = keysOf(PKI.productionKeySet()['keys'] as readonly JsonObject[], CRLS);
      const token = tokenOf({ signer: 'PS384', algorithm: signed });
      expectVerified(await verifyToken(token, { keys }));
      expectVerified(await verifyToken(token, { keys, roots: new Set([ROOT]) }));
    },
  );

  it('has no key for PS384 of less than 3072 bits', async () => {
    const weak = TOKEN_KEYS.a;
    const token = tokenOf({ key: weak.privateKey, header: { kid: 'weak' } });
    const keys = keysOf([jwkOf(weak, 'weak', { alg: 'PS384' }), jwkOf(TOKEN_KEYS.b, 'other', { alg: 'RS256' })]);
    expectFailed(await verifyToken(token, { keys }), 'token_key');
    const large = TOKEN_KEYS.large;
    const strong = tokenOf({ key: large.privateKey, header: { kid: 'large' } });
    expectVerified(await verifyToken(strong, { keys: keysOf([jwkOf(large, 'large', { alg: 'PS384' })]) }));
  });

  it.each([
    'intel trust authority',
    'Intel Trust Authority ',
    'Intel Trust Authority/',
    '\u0406ntel Trust Authority',
    'https://portal.eu.trustauthority.intel.com',
    [ISSUER],
    null,
  ])('TOK-08 refuses the issuer %j', async (iss) => {
    const found = await verifyToken(tokenOf({ claims: { iss } }));
    expectFailed(found, 'token_issuer');
    expect(found.claims).toEqual({});
    expect(found.validUntil).toBeNull();
  });

  it.each([
    ['unknown', 'no such key'],
    ['a list', [kid]],
    ['the name of a prototype', '__proto__'],
    ['missing', null],
  ])('TOK-10 refuses a kid that is %s', async (_, value) => {
    expectFailed(await verifyToken(tokenOf({ header: { kid: value } })), 'token_key');
  });

  it('TOK-10, TOK-25 refuses a kid that two keys have for one algorithm', async () => {
    const another = PKI.jwk('RS256');
    const keys = keysOf([PKI.jwk('PS384'), { ...another, kid, alg: 'PS384' }]);
    expectFailed(await verifyToken(tokenOf(), { keys }), 'token_key');
    expectVerified(await verifyToken(tokenOf(), { keys: keysOf([PKI.jwk('PS384'), { ...another, kid }]) }));
  });

  it('refuses a signature by another key', async () => {
    const found = await verifyToken(tokenOf({ key: TOKEN_KEYS.large.privateKey }));
    expectFailed(found, 'token_signature');
    expect(found.claims).toEqual({});
    expect(found.endorsements).toEqual([]);
  });

  it.each([
    ['expired', { exp: NOW - 60, iat: NOW - 300, nbf: NOW - 300 }, 'token_time'],
    ['not yet valid', { nbf: NOW + 61 }, 'token_time'],
    ['longer than a day', { exp: NOW + 86_401 }, 'token_lifetime'],
  ] as const)('refuses times: %s', async (_, claims, code) => {
    expectFailed(await verifyToken(tokenOf({ claims })), code);
  });

  it('cannot tell without the keys of the issuer', async () => {
    const detail = 'no answer yet';
    const keys = { code: 'jwks_unavailable', detail, retryable: true } as const;
    const found = await verifyToken(tokenOf(), { keys });
    expect(found.checks.filter(({ result }) => result === 'unavailable')).toMatchObject([{ id: 'jwks_unavailable' }]);
    expect(idsWith(found, 'fail')).toEqual([]);
    expect(found.claims).toEqual({});
  });
});
