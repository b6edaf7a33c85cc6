import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../../src/core/json.js';
import { maaJwk, namedRsaKey, type TokenMaking } from '../../../lab/index.js';
import { AT, expectFailed, expectMalformed, expectVerified, idsWith } from '../fixture.js';
import { azureVm, ISSUER, keySetOf, maaVerifier, OTHER_SIGNER, SIGNER, tokenOf, verifyMaa } from './fixture.js';

const SECOND = 1000;
const NOW = AT.getTime() / SECOND;
const PLACE = '/evidence/token';
const STRANGER = namedRsaKey('maa-unit-stranger', 2048);
const made = (making: TokenMaking) => verifyMaa(tokenOf(azureVm(), making));

describe('the times of a token', () => {
  const claims = (times: { readonly [claim: string]: JsonValue }) => made({ claims: times });
  const without = (...names: readonly string[]) =>
    made({ claims: (all) => Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name))) });
  const text = (exp: string) => made({ claimsText: (json) => json.replace(/"exp":\d+/, `"exp":${exp}`) });

  it.each([
    ['is missing', () => without('exp')],
    ['is null', () => claims({ exp: null })],
    ['is a text', () => claims({ exp: String(NOW + 60) })],
    ['is no number that a double holds', () => text('1e400')],
    ['is not whole', () => claims({ exp: NOW + 60.5 })],
    ['is no safe integer', () => text('9007199254740993')],
    ['is in the year 10000', () => claims({ exp: 253_402_300_800 })],
    ['is negative', () => claims({ exp: -1 })],
    ['is a list', () => claims({ exp: [NOW + 60] })],
  ])('TOK-06 refuses an exp that %s', async (_, making) => {
    await expectMalformed(making(), 'token_claim', PLACE);
  });

  it.each(['iat', 'nbf'])('TOK-06 refuses an %s that is not a time', async (name) => {
    for (const value of [null, String(NOW), NOW + 0.5, true]) {
      await expectMalformed(claims({ [name]: value }), 'token_claim', PLACE);
    }
  });

  it('TOK-06 refuses claims that are no object, and other JSON than claims', async () => {
    await expectMalformed(made({ claimsText: () => '[]' }), 'token_claim', PLACE);
    await expectMalformed(made({ claimsText: (json) => json.slice(1) }), 'token_claim', PLACE);
    await expectMalformed(made({ claimsText: (json) => json.replace('{', '{"__proto__":1,') }), 'token_claim', PLACE);
  });

  it('TOK-06 refuses a token that lives longer than a day, and takes one of a day', async () => {
    expectFailed(await claims({ exp: NOW + 86_401 }), 'token_lifetime');
    expectVerified(await claims({ exp: NOW + 86_400 }));
  });

  it.each([
    ['iat in the future', { iat: NOW + 61, nbf: NOW }],
    ['nbf in the future', { nbf: NOW + 61 }],
    ['nbf after exp', { nbf: NOW + 60, exp: NOW + 30 }],
    ['nbf at exp', { nbf: NOW, exp: NOW }],
    ['iat after exp', { iat: NOW + 50, nbf: NOW, exp: NOW + 30 }],
    ['exp in the past', { iat: NOW - 100, nbf: NOW - 100, exp: NOW - 60 }],
  ])('TOK-07 refuses %s', async (_, times) => {
    expectFailed(await claims(times), 'token_time');
  });

  it.each([['iat'], ['nbf'], ['iat', 'nbf']])('TOK-07 refuses a token without %s', async (...names) => {
    expectFailed(await without(...names), 'token_time');
  });

  it.each([
    ['exp', { iat: NOW - 100, nbf: NOW - 100, exp: NOW - 59 }, -59],
    ['iat', { iat: NOW + 60 }, 60],
    ['nbf', { nbf: NOW + 60 }, 60],
  ])('TOK-07 tolerates and reports a skew of the clocks within the leeway: %s', async (_, times, skew) => {
    const found = await claims(times);
    expectVerified(found);
    expect(found.clockSkewSeconds).toBe(skew);
  });

  it('TOK-07 counts to the second without a leeway', async () => {
    const token = tokenOf();
    const at = (seconds: number) => new Date(AT.getTime() + seconds * SECOND);
    const judged = (seconds: number) => verifyMaa(token, { at: at(seconds), leewaySeconds: 0 });
    expectVerified(await judged(0));
    expectVerified(await judged(28_799));
    expectFailed(await judged(28_800), 'token_time');
    expectFailed(await judged(-1), 'token_time');
  });
});

describe('the issuer of a token', () => {
  it.each([
    ['with a suffix', `${ISSUER}.stranger.example`],
    ['with a path', `${ISSUER}/x`],
    ['in another case', ISSUER.replace('lab', 'LAB')],
    ['with a slash at the end', `${ISSUER}/`],
    ['with a port', `${ISSUER}:443`],
    ['with userinfo', ISSUER.replace('https://', 'https://sharedlab.lab.attest.azure.net@')],
    ['in look-alike letters', ISSUER.replace('a', '\u0430')],
    ['over http', ISSUER.replace('https', 'http')],
    ['that is a list', [ISSUER]],
    ['that is null', null],
    ['that is another region of the same provider', ISSUER.replaceAll('lab', 'weu')],
    ['that is an instance of anybody', 'https://anybody.lab.attest.azure.net'],
    ['that is a name of a prototype', 'toString'],
  ] satisfies [string, JsonValue][])('TOK-08 refuses one %s', async (_, iss) => {
    expectFailed(await made({ claims: { iss } }), 'token_issuer');
  });

  it('TOK-08 refuses a token without one', async () => {
    expectFailed(await made({ claims: ({ iss: _, ...rest }) => rest }), 'token_issuer');
  });
});

describe('the key of a token', () => {
  const kid = (value: JsonValue) => made({ header: { kid: value } });

  it.each([
    ['a key that the issuer does not publish', 'unknown'],
    ['a list', [SIGNER.kid]],
    ['null', null],
    ['an empty text', ''],
    ['a name of 40 KiB', 'x'.repeat(40_960)],
    ['a path', '../../x'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['its key in base64url', SIGNER.kid.replaceAll('+', '-').replaceAll('/', '_').replace('=', '')],
  ] satisfies [string, JsonValue][])('TOK-10 refuses %s', async (_, value) => {
    expectFailed(await kid(value), 'token_key');
  });

  it('TOK-10 refuses a token that names none', async () => {
    expectFailed(await made({ header: ({ kid: _, ...rest }) => rest }), 'token_key');
  });

  it.each([
    ['names none', ({ kid: _, ...rest }) => rest],
    ['names one at too great length', (header) => ({ ...header, kid: 'x'.repeat(513) })],
    ['names a list', (header) => ({ ...header, kid: [SIGNER.kid] })],
  ] satisfies [string, TokenMaking['header']][])(
    'TOK-10 needs no key set to refuse a token that %s, and asks for none',
    async (_, header) => {
      const token = tokenOf(azureVm(), { header });
      expect(maaVerifier().open({ type: 'maa-token', token }).needs).toEqual([]);
      expectFailed(await verifyMaa(token, { keys: null }), 'token_key');
    },
  );

  it('TOK-25 takes a key that the set lists twice', async () => {
    expectVerified(await verifyMaa(tokenOf(), { keys: keySetOf(maaJwk(SIGNER), maaJwk(SIGNER)) }));
  });

  it('TOK-10, TOK-25 refuses a name that two keys have, also where one of them signed', async () => {
    const keys = keySetOf(maaJwk(SIGNER), { ...maaJwk(OTHER_SIGNER), kid: SIGNER.kid });
    expectFailed(await verifyMaa(tokenOf(), { keys }), 'token_key');
  });

  it('TOK-10 refuses the signature of another key of the issuer', async () => {
    const keys = keySetOf(maaJwk(SIGNER), maaJwk(OTHER_SIGNER));
    const token = tokenOf(azureVm(), { header: { kid: OTHER_SIGNER.kid } });
    expectFailed(await verifyMaa(token, { keys }), 'token_signature');
    expectVerified(await verifyMaa(tokenOf(), { keys }));
  });

  it('TOK-10 refuses a signature by a stranger under the name of a key of the issuer', async () => {
    expectFailed(await made({ key: STRANGER.privateKey }), 'token_signature');
  });

  it.each(['jwks_unavailable', 'jwks_stale', 'jwks_invalid'] as const)(
    'leaves open what no key set is at hand for: %s',
    async (code) => {
      const found = await verifyMaa(tokenOf(), { keys: { code, detail: 'out of reach', retryable: true } });
      expectFailed(found);
      expect(idsWith(found, 'unavailable')).toEqual([code]);
      expect(found.claims).toEqual({});
    },
  );

  it('says of a key set that could not be renewed when it was fetched', async () => {
    const fresh = keySetOf(maaJwk(SIGNER));
    const old = { ...fresh, value: { ...fresh.value, unrenewedSince: new Date('2026-01-15T04:00:00Z') } };
    const detailOf = async (keys: typeof fresh) =>
      (await verifyMaa(tokenOf(), { keys })).checks.find(({ id }) => id === 'jwks_unavailable');
    expect(await detailOf(fresh)).toMatchObject({ result: 'pass', detail: 'the keys of the issuer are available' });
    expect(await detailOf(old)).toMatchObject({
      result: 'pass',
      detail:
        'the keys of the issuer are available, as fetched at 2026-01-15T04:00:00.000Z: they could not be renewed since',
    });
  });

  it('leaves open what nobody fetched keys for', async () => {
    expect(idsWith(await verifyMaa(tokenOf(), { keys: null }), 'unavailable')).toEqual(['jwks_unavailable']);
  });
});
