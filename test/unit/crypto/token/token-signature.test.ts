import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { TokenKey } from '../../../../src/core/endorsement.js';
import { FormatError } from '../../../../src/core/errors.js';
import type { JsonObject } from '../../../../src/core/json.js';
import {
  kidOf,
  readToken,
  TOKEN_CHECKS,
  type TokenRules,
  type TokenScheme,
  verifyToken,
} from '../../../../src/crypto/token/token-signature.js';
import { checksAt } from '../../../../src/tee/catalogue.js';
import { type LabKey, makeToken, namedRsaKey, registeredClaims, type TokenMaking } from '../../../lab/index.js';
import { certificate } from '../../small-pki.js';

/** The steps that tokens of both kinds share, for an issuer of two algorithms. */

const AT = new Date('2026-06-01T12:00:00Z');
const ISSUER = 'https://issuer.example';
const LAB = namedRsaKey('jws', 3072);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

function tokenOf(making: TokenMaking = {}, algorithm = 'PS384'): string {
  const claims = registeredClaims(ISSUER, AT, 300);
  return makeToken({ header: { kid: 'k', typ: 'JWT' }, claims, key: LAB.privateKey, algorithm }, making);
}

const SCHEME: TokenScheme = {
  type: 'maa-token',
  verifier: 'some verifier',
  issuerSettings: 'some.issuers',
  keysSetting: 'some.issuers[].keys',
  algorithms: ['PS384', 'RS256'],
};

function keyOf(alg: string | null, { privateKey, spki }: LabKey = LAB): TokenKey {
  const { n = '', e = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const numbers = { n: Buffer.from(n, 'base64url'), e: Buffer.from(e, 'base64url') };
  return { kid: 'k', alg, key: numbers, spki, certificates: [] };
}

async function verify(text: string, rules: Partial<TokenRules> = {}, keys: readonly TokenKey[] = [keyOf('PS384')]) {
  const checks = checksAt('/evidence/token');
  const value = { keys: new Map([['k', keys]]), crls: [] };
  const found = await verifyToken(checks, readToken(text), {
    scheme: SCHEME,
    issuer: ISSUER,
    issuers: [ISSUER],
    keys: { value, origin: 'cache' },
    at: AT,
    leewaySeconds: 60,
    longestLifetimeSeconds: 86_400,
    nbfIsOptional: false,
    audiences: null,
    ...rules,
  });
  return {
    found,
    checks: checks.all,
    failed: checks.all.filter(({ result }) => result === 'fail').map(({ id }) => id),
  };
}

describe('verifyToken', () => {
  it('passes each of its checks once, in their order', async () => {
    const { found, checks } = await verify(tokenOf());
    expect(checks.map(({ id, result }) => [id, result])).toEqual(TOKEN_CHECKS.map((id) => [id, 'pass']));
    expect(found).toMatchObject({
      source: 'cache',
      expiresAt: new Date(AT.getTime() + 300_000),
      clockSkewSeconds: null,
      key: { kid: 'k' },
    });
  });

  it.each([
    ['algorithm', tokenOf({ algorithm: 'PS256' }), {}, 'token_alg'],
    ['issuer', tokenOf({ algorithm: 'RS256' }), { issuer: null }, 'token_issuer'],
    ['name of a key', tokenOf({ header: { kid: 'other' }, claims: { exp: 1 } }), {}, 'token_key'],
    [
      'signature',
      tokenOf({ key: namedRsaKey('jws-other', 3072).privateKey, claims: { exp: 1 } }),
      {},
      'token_signature',
    ],
  ] as const)('stops at a wrong %s', async (_, text, rules, id) => {
    const { found, failed } = await verify(text, rules);
    expect(found).toBeNull();
    expect(failed).toEqual([id]);
  });

  it('says by which algorithm the signature is', async () => {
    const { checks } = await verify(tokenOf());
    expect(checks.find(({ id }) => id === 'token_signature')).toMatchObject({ result: 'pass', expected: 'PS384' });
  });

  it('TOK-10 takes no token that names no key: token_key', async () => {
    const { found, checks } = await verify(tokenOf({ header: ({ kid: _, ...header }) => header }));
    expect(found).toBeNull();
    expect(checks.at(-1)).toMatchObject({ id: 'token_key', result: 'fail', detail: 'the token does not name its key' });
  });

  it('has no result without the keys of the issuer: jwks_unavailable', async () => {
    const setting = 'some.issuers[].keys';
    const without = await verify(tokenOf(), { keys: null });
    expect(without.found).toBeNull();
    expect(without.checks.at(-1)).toMatchObject({
      id: 'jwks_unavailable',
      result: 'unavailable',
      detail: 'no source for the keys of the issuer',
      retryable: false,
      setting,
    });
    const why = { detail: 'the keys are no JSON', retryable: true };
    const invalid = await verify(tokenOf(), { keys: { code: 'jwks_invalid', ...why } });
    expect(invalid.found).toBeNull();
    expect(invalid.checks.at(-1)).toMatchObject({ id: 'jwks_invalid', result: 'unavailable', ...why, setting });
  });

  it('says since when keys could not be renewed', async () => {
    const told = async (unrenewed: { readonly unrenewedSince?: Date }) => {
      const value = { keys: new Map([['k', [keyOf('PS384')]]]), crls: [], ...unrenewed };
      const { checks } = await verify(tokenOf(), { keys: { value, origin: 'cache' } });
      return checks.find(({ id }) => id === 'jwks_unavailable')?.detail;
    };
    expect(await told({})).toBe('the keys of the issuer are available');
    expect(await told({ unrenewedSince: AT })).toBe(
      'the keys of the issuer are available, as fetched at 2026-06-01T12:00:00.000Z: they could not be renewed since',
    );
  });

  it('TOK-02 takes an x5c that has the key of the issuer', async () => {
    const x5c = [base64(certificate('leaf', { spki: LAB.spki }).der)];
    expect((await verify(tokenOf({ header: { x5c } }))).failed).toEqual([]);
  });

  it.each([
    ['that has another key', [base64(certificate('leaf').der)]],
    ['that is no certificate', ['AAAA']],
    ['that is no base64', ['?']],
    ['that is empty', []],
    ['that is a list of numbers', [7]],
    ['that is a text', base64(certificate('leaf', { spki: LAB.spki }).der)],
    ['that is null', null],
  ])('TOK-02 takes no token with an x5c %s: token_header', async (_what, x5c) => {
    const text = tokenOf({ header: { x5c } as JsonObject });
    await expect(verify(text)).rejects.toMatchObject({
      code: 'token_header',
      message: 'x5c is for another key than the one that the issuer publishes',
    });
  });

  it('TOK-06, TOK-07 names both where a token lives too long and is not valid', async () => {
    const { found, failed } = await verify(tokenOf({ claims: { iat: 0, nbf: 0, exp: 100_000 } }));
    expect(found).toBeNull();
    expect(failed).toEqual(['token_lifetime', 'token_time']);
  });

  it('TOK-01 takes a key for the algorithm that it says, and one that says none for each that it fits', async () => {
    const rs256 = tokenOf({ algorithm: 'RS256' });
    expect((await verify(rs256)).failed).toEqual(['token_alg']);
    for (const alg of ['RS256', null]) expect((await verify(rs256, {}, [keyOf(alg)])).failed).toEqual([]);
    expect((await verify(tokenOf(), {}, [keyOf(null)])).failed).toEqual([]);
  });

  it('TOK-01 takes no key without algorithm for PS384 that is under 3072 bits', async () => {
    const small = namedRsaKey('jws-small', 2048);
    expect((await verify(tokenOf({ key: small.privateKey }), {}, [keyOf(null, small)])).failed).toEqual(['token_alg']);
    const rs256 = tokenOf({ key: small.privateKey, algorithm: 'RS256' });
    expect((await verify(rs256, {}, [keyOf(null, small)])).failed).toEqual([]);
  });

  it.each(['PS384', 'RS256'])(
    'TOK-25 takes one key that is listed once for each algorithm, for %s',
    async (algorithm) => {
      const { found, failed } = await verify(tokenOf({ algorithm }), {}, [keyOf('PS384'), keyOf('RS256')]);
      expect([failed, found?.key.alg]).toEqual([[], algorithm]);
    },
  );

  it('TOK-25 takes one key that is listed twice, and one of two keys by the algorithm', async () => {
    const another = namedRsaKey('jws-other', 3072);
    expect((await verify(tokenOf(), {}, [keyOf('PS384'), keyOf('PS384'), keyOf(null)])).failed).toEqual([]);
    const { found, failed } = await verify(tokenOf(), {}, [keyOf('RS256', another), keyOf('PS384')]);
    expect([failed, found?.key.spki]).toEqual([[], LAB.spki]);
  });

  it.each(['PS384', null])('TOK-10, TOK-25 takes none of two keys of one name and algorithm, %s', async (alg) => {
    const keys = [keyOf('PS384'), keyOf(alg, namedRsaKey('jws-other', 3072))];
    for (const listed of [keys, keys.toReversed()]) {
      const { failed, checks } = await verify(tokenOf(), {}, listed);
      expect(failed).toEqual(['token_key']);
      expect(checks.at(-1)?.detail).toBe('several keys of the issuer have this name and algorithm');
    }
    expect((await verify(tokenOf(), {}, [])).failed).toEqual(['token_key']);
  });

  it('TOK-01 says for which algorithms a key is listed', async () => {
    const scheme = { ...SCHEME, algorithms: ['PS384', 'RS256', 'ES256'] } as const;
    const told = async (...keys: readonly TokenKey[]) =>
      (await verify(tokenOf({}, 'PS384'), { scheme }, keys)).checks.at(-1);
    expect(await told(keyOf('RS256'))).toMatchObject({
      id: 'token_alg',
      expected: 'RS256',
      actual: 'PS384',
      detail: 'the key is for RS256',
    });
    expect(await told(keyOf('RS256'), keyOf('RS512'))).toMatchObject({ detail: 'the key is for RS256 and RS512' });
    const point = new Uint8Array(64);
    expect(await told({ ...keyOf(null), key: { point } })).toMatchObject({
      expected: null,
      detail: 'the key is of another kind than its algorithm needs, or too small',
    });
  });

  it('TOK-10 says of a key that is not listed whether the issuer or a file of the operator lists none', async () => {
    const told = async (origin: 'cache' | 'store', ...keys: readonly TokenKey[]) => {
      const value = { keys: new Map(keys.length === 0 ? [] : [['k', keys]]), crls: [] };
      const { checks } = await verify(tokenOf(), { keys: { value, origin } });
      const { result, expected, detail } = checks.find(({ id }) => id === 'token_key') ?? {};
      return [result, expected, detail];
    };
    const setting = 'some.issuers[].keys';
    const key = keyOf('PS384');
    expect(await told('cache')).toEqual(['fail', null, 'the token names no key that the issuer publishes']);
    expect(await told('store')).toEqual([
      'fail',
      { setting },
      'the token names no key that the key file of some.issuers[].keys lists',
    ]);
    expect(await told('store', key, keyOf('PS384', namedRsaKey('jws-other', 3072)))).toEqual([
      'fail',
      null,
      'several keys of the key file of some.issuers[].keys have this name and algorithm',
    ]);
    expect(await told('cache', key)).toEqual(['pass', null, 'the issuer publishes the key']);
    expect(await told('store', key)).toEqual(['pass', null, 'the key file of some.issuers[].keys lists the key']);
  });

  it.each([['https://somebody.example'], [['https://somebody.example', 'https://else.example']], [''], [[]], [{}]])(
    'TOK-09 takes no token for the audience %j: neither verifier names one',
    async (aud) => {
      const { found, checks, failed } = await verify(tokenOf({ claims: { aud } as JsonObject }));
      expect([found, failed]).toEqual([null, ['token_audience']]);
      expect(checks.find(({ id }) => id === 'token_audience')).toMatchObject({ expected: null, actual: aud });
    },
  );

  it('TOK-09 twin: takes a token for nobody in particular', async () => {
    const { found, checks } = await verify(tokenOf());
    expect(found).not.toBeNull();
    expect(checks.find(({ id }) => id === 'token_audience')?.result).toBe('pass');
  });

  it.each([
    ['one of them', 'api://veritee', []],
    ['a list that has one of them', ['https://other.example', 'api://veritee'], []],
    ['none', undefined, ['token_audience']],
    ['another', 'https://other.example', ['token_audience']],
    ['strangers', ['https://other.example', 'https://else.example'], ['token_audience']],
    ['one of them in another case', 'API://veritee', ['token_audience']],
    ['one of them, and what is no text', ['api://veritee', 7], ['token_audience']],
    ['an empty list', [], ['token_audience']],
    ['an object', { 0: 'api://veritee' }, ['token_audience']],
  ])('TOK-09 takes, where audiences are named, a token for %s as it should', async (_, aud, expected) => {
    const claims = aud === undefined ? {} : { aud };
    const { found, failed } = await verify(tokenOf({ claims } as never), { audiences: ['api://veritee', 'urn:x'] });
    expect([found === null, failed]).toEqual([expected.length > 0, expected]);
  });

  it('TOK-06 bounds the lifetime as the rules say', async () => {
    const seconds = Math.floor(AT.getTime() / 1000);
    const of = (lifetime: number) => tokenOf({ claims: { iat: seconds, nbf: seconds, exp: seconds + lifetime } });
    for (const [lifetime, expected] of [
      [3600, []],
      [3601, ['token_lifetime']],
    ] as const) {
      expect((await verify(of(lifetime), { longestLifetimeSeconds: 3600 })).failed).toEqual(expected);
    }
  });

  it.each([0, 60, 300])('TOK-07 ends a token at its exp, with a leeway of %i seconds', async (leewaySeconds) => {
    const seconds = AT.getTime() / 1000;
    const of = (exp: number) =>
      verify(tokenOf({ claims: { iat: seconds - 900, nbf: seconds - 900, exp } }), { leewaySeconds });
    expect((await of(seconds - leewaySeconds)).failed).toEqual(['token_time']);
    expect((await of(seconds - leewaySeconds + 1)).failed).toEqual([]);
  });

  it.each([0, 60, 300])('TOK-07 begins a token at its nbf, with a leeway of %i seconds', async (leewaySeconds) => {
    const begin = AT.getTime() / 1000 + leewaySeconds;
    const of = (claims: object) => verify(tokenOf({ claims } as never), { leewaySeconds });
    expect((await of({ iat: begin, nbf: begin, exp: begin + 600 })).failed).toEqual([]);
    expect((await of({ iat: begin, nbf: begin + 1, exp: begin + 600 })).failed).toEqual(['token_time']);
    expect((await of({ iat: begin + 1, nbf: begin, exp: begin + 600 })).failed).toEqual(['token_time']);
  });

  it('TOK-07 needs nbf, unless the rules leave it to the issuer', async () => {
    const without = tokenOf({ claims: ({ nbf: _, ...claims }) => claims });
    expect((await verify(without)).failed).toEqual(['token_time']);
    expect((await verify(without, { nbfIsOptional: true })).failed).toEqual([]);
    const later = Math.floor(AT.getTime() / 1000) + 61;
    expect((await verify(tokenOf({ claims: { nbf: later } }), { nbfIsOptional: true })).failed).toEqual(['token_time']);
    const undated = tokenOf({ claims: ({ nbf: _, iat: __, ...claims }) => claims });
    expect((await verify(undated, { nbfIsOptional: true })).failed).toEqual(['token_time']);
  });

  it('says whose token it is, and which settings name the issuers', async () => {
    const told = async (rules: Partial<TokenRules>) =>
      (await verify(tokenOf(), rules)).checks.find(({ id }) => id === 'token_issuer')?.detail;
    expect(await told({})).toBe('the token is from some verifier, and some.issuers has its issuer');
    expect(await told({ issuer: null })).toBe('some.issuers does not have the issuer of the token');
  });

  it.each([
    ['maa-token', 'Intel Trust Authority', ': it looks like a token of Trust Authority, which is sent as ita-token'],
    [
      'maa-token',
      'https://portal.eu.trustauthority.intel.com',
      ': it looks like a token of Trust Authority, which is sent as ita-token',
    ],
    [
      'ita-token',
      'https://sharedweu.weu.attest.azure.net',
      ': it looks like a token of Azure Attestation, which is sent as maa-token',
    ],
    ['maa-token', 'https://sharedweu.weu.attest.azure.net', ''],
    ['ita-token', 'https://portal.trustauthority.intel.com', ''],
    ['ita-token', 'https://attest.azure.net.example', ''],
    ['ita-token', 'at https://sharedweu.weu.attest.azure.net', ''],
    ['ita-token', 'https://sharedweu.weu.attest.azure.net/x', ''],
    ['maa-token', 'of Intel Trust Authority', ''],
    ['maa-token', 'Intel Trust Authority 2', ''],
    ['maa-token', null, ''],
    ['maa-token', ['Intel Trust Authority'], ''],
  ] as const)('TOK-04 says of a token sent as %s with the issuer %j which it looks like', async (type, iss, hint) => {
    const rules = { issuer: null, scheme: { ...SCHEME, type } };
    const actual = hint === '' ? null : { type: type === 'maa-token' ? 'ita-token' : 'maa-token' };
    const told = async (algorithm: string) => (await verify(tokenOf({ algorithm, claims: { iss } }), rules)).checks;
    expect(await told('PS384')).toContainEqual(
      expect.objectContaining({
        id: 'token_issuer',
        result: 'fail',
        actual,
        detail: `some.issuers does not have the issuer of the token${hint}`,
      }),
    );
    expect(await told('PS256')).toContainEqual(
      expect.objectContaining({
        id: 'token_alg',
        result: 'fail',
        actual,
        detail: `the token names an algorithm that its issuer does not use${hint}`,
      }),
    );
  });

  it('says which issuers there are, and nothing that the token says before its signature holds', async () => {
    const { checks } = await verify(tokenOf(), { issuer: null, issuers: ['https://issuer.example'] });
    expect(checks.find(({ id }) => id === 'token_issuer')).toMatchObject({
      expected: ['https://issuer.example'],
      actual: null,
    });
  });
});

describe('readToken', () => {
  const typed = (typ: unknown) => tokenOf({ header: { typ } as JsonObject });
  const untyped = tokenOf({ header: ({ typ: _, ...header }) => header });
  const codeOf = (read: () => unknown) => {
    try {
      read();
      return null;
    } catch (error) {
      return error instanceof FormatError ? error.code : error;
    }
  };

  it('TOK-03 takes the type JWT alone, unless others are named', () => {
    expect(codeOf(() => readToken(typed('JWT')))).toBeNull();
    for (const text of [typed('at+jwt'), typed('jwt'), typed('application/JWT'), typed(null), untyped])
      expect(codeOf(() => readToken(text))).toBe('token_header');
  });

  it('TOK-03 takes the types that are named, and no type where that is named', () => {
    const rules = { types: ['JWT', 'at+jwt'], isOptional: true, asMediaType: false };
    for (const text of [typed('JWT'), typed('at+jwt'), untyped])
      expect(codeOf(() => readToken(text, rules))).toBeNull();
    for (const typ of ['eat+jwt', 'jwt', 'application/at+jwt', 1, {}, null])
      expect(codeOf(() => readToken(typed(typ), rules))).toBe('token_header');
  });

  it('TOK-03 takes media types in either case, and with application/ before them, where they are compared so', () => {
    const rules = { types: ['JWT', 'at+jwt'], isOptional: false, asMediaType: true };
    for (const typ of ['JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/JWT'])
      expect(codeOf(() => readToken(typed(typ), rules))).toBeNull();
    for (const typ of [
      'eat+jwt',
      'application/eat+jwt',
      'text/jwt',
      'x-application/jwt',
      'application/application/jwt',
      'jwt;a=b',
      1,
      null,
    ])
      expect(codeOf(() => readToken(typed(typ), rules))).toBe('token_header');
    expect(codeOf(() => readToken(untyped, rules))).toBe('token_header');
  });
});

describe('kidOf', () => {
  it.each([
    ['k', 'k'],
    ['x'.repeat(512), 'x'.repeat(512)],
    ['x'.repeat(513), null],
    ['', null],
    [1, null],
    [null, null],
    [{}, null],
  ])('TOK-10 is a text of at most 512 characters', (kid, expected) => {
    expect(kidOf(readToken(tokenOf({ header: { kid } as JsonObject })))).toBe(expected);
  });
});
