import { createPublicKey } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { ApiKeyCallers } from '../../../src/callers/api-keys.js';
import { ConfiguredCallers } from '../../../src/callers/configured-callers.js';
import { type CallerIssuer, type TokenCaller, TokenCallers } from '../../../src/callers/token-callers.js';
import { entraDemands, genericDemands, kubernetesDemands } from '../../../src/callers/token-demands.js';
import type { CredentialClock } from '../../../src/core/clock-doubt.js';
import type { Sourced, TokenKey, TokenKeySet, Unavailable } from '../../../src/core/endorsement.js';
import { RefusedError } from '../../../src/core/errors.js';
import type { JsonObject } from '../../../src/core/json.js';
import { makeToken, namedRsaKey, type TokenMaking } from '../../lab/index.js';
import { FakeLog, fixedClock } from '../judge/fakes.js';
import { KEYS as KEYS_ON_P256 } from '../small-pki.js';
import { callerOf } from './caller-of.js';

const AT = new Date('2026-06-01T12:00:00Z');
const NOW = AT.getTime() / 1000;
const ISSUER = 'https://issuer.example';
const KEY = namedRsaKey('jws', 3072);
const OTHER = namedRsaKey('jws-other', 3072);

const { n = '', e = '' } = createPublicKey(KEY.privateKey).export({ format: 'jwk' });
const PUBLISHED: TokenKey = {
  kid: 'k',
  alg: 'RS256',
  key: { n: Buffer.from(n, 'base64url'), e: Buffer.from(e, 'base64url') },
  spki: KEY.spki,
  certificates: [],
};
const KEYS: Sourced<TokenKeySet> = { value: { keys: new Map([['k', [PUBLISHED]]]), crls: [] }, origin: 'cache' };
const DOWN: Unavailable = {
  code: 'jwks_unavailable',
  detail: 'the issuer is down',
  retryable: true,
  retryAfterSeconds: 7,
};

const generic = (name: string, members: Partial<Parameters<typeof genericDemands>[0]> = {}): TokenCaller => ({
  caller: callerOf(name),
  audiences: ['api://veritee'],
  ...genericDemands({ subjects: [], claims: { repository: 'org/app' }, ...members }),
});

const CLAIMS: JsonObject = {
  iss: ISSUER,
  aud: 'api://veritee',
  sub: 'repo:org/app',
  repository: 'org/app',
  iat: NOW,
  nbf: NOW,
  exp: NOW + 600,
};

function token(making: TokenMaking = {}, claims: JsonObject = CLAIMS): string {
  return makeToken({ header: { kid: 'k', typ: 'JWT' }, claims, key: KEY.privateKey, algorithm: 'RS256' }, making);
}

function callers(
  issuers: readonly (Partial<CallerIssuer> & { readonly found?: Sourced<TokenKeySet> | Unavailable })[],
  { deadlineMs = 1_000, ...clock }: Partial<CredentialClock> & { readonly deadlineMs?: number } = {},
) {
  const log = new FakeLog();
  const asked: string[] = [];
  const parts = issuers.map(({ found = KEYS, ...members }) => ({
    issuer: ISSUER,
    keys: {
      find: async (kid: string) => {
        asked.push(kid);
        return found;
      },
    },
    callers: [generic('git')],
    ...members,
  }));
  return {
    log,
    asked,
    tokens: new TokenCallers({
      issuers: parts,
      leewaySeconds: 60,
      deadlineMs,
      clock: { ...fixedClock(AT.toISOString()), ...clock },
      log,
    }),
  };
}

/** Names of those who are found; or code and message of the refusal. */
async function found(tokens: TokenCallers, text: string): Promise<readonly string[]> {
  try {
    return (await tokens.find(text)).map(({ principal }) => principal);
  } catch (error) {
    if (error instanceof RefusedError) return [error.code, error.message];
    throw error;
  }
}

const ofOne = (text: string) => found(callers([{}]).tokens, text);

describe('a token of a caller, signed with ES256', () => {
  const keysWith = (...keys: readonly TokenKey[]): Sourced<TokenKeySet> => ({
    value: { keys: new Map([['k', keys]]), crls: [] },
    origin: 'cache',
  });
  const ec = (alg: string | null): TokenKey => ({
    ...PUBLISHED,
    alg,
    key: { point: KEYS_ON_P256.leaf.spki.subarray(-64) },
    spki: KEYS_ON_P256.leaf.spki,
  });
  const ofKeys = (keys: Sourced<TokenKeySet>, text: string) => found(callers([{ found: keys }]).tokens, text);
  const signed = (making: TokenMaking = {}) =>
    token({ algorithm: 'ES256', key: KEYS_ON_P256.leaf.privateKey, ...making });
  const OTHER_KIND = 'the key is of another kind than its algorithm needs';

  it.each(['ES256', null])('is whose demands it meets, under a key with alg %s', async (alg) => {
    expect(await ofKeys(keysWith(ec(alg)), signed())).toEqual(['git']);
  });

  it('twin: an RSA key without alg is for RS256', async () => {
    expect(await ofKeys(keysWith({ ...PUBLISHED, alg: null }), token())).toEqual(['git']);
  });

  it('TOK-25 is whose demands it meets, under a key that is listed twice or shares its kid with one of another kind', async () => {
    expect(await ofKeys(keysWith(ec('ES256'), ec(null), { ...PUBLISHED, alg: null }), signed())).toEqual(['git']);
  });

  it('TOK-10, TOK-25 is of nobody under a kid that two keys have for one algorithm', async () => {
    const { spki } = KEYS_ON_P256.other;
    const another = { ...ec(null), key: { point: spki.subarray(-64) }, spki };
    const message = 'several keys of the issuer have this name and algorithm';
    expect(await ofKeys(keysWith(ec('ES256'), another), signed())).toEqual(['unauthorized', message]);
  });

  it.each<[string, TokenKey, string, string]>([
    ['TOK-01 RS256 under an EC key', ec(null), token(), OTHER_KIND],
    ['TOK-01 RS256 under an EC key that says so', ec('RS256'), token(), OTHER_KIND],
    ['TOK-01 ES256 under an RSA key', { ...PUBLISHED, alg: null }, signed(), OTHER_KIND],
    ['TOK-01 ES256 under an EC key for RS256', ec('RS256'), signed(), 'the key is for RS256'],
    [
      'another key',
      ec(null),
      signed({ key: KEYS_ON_P256.other.privateKey }),
      'the signature of the token does not verify',
    ],
  ])('%s is of nobody', async (_title, key, text, message) => {
    expect(await ofKeys(keysWith(key), text)).toEqual(['unauthorized', expect.stringContaining(message)]);
  });
});

describe('a token of a caller', () => {
  it('CLK-10 is refused where it had expired by the highest time that held, and is a matter of the clock else', async () => {
    const doubt = { detail: 'the clock was set back', retryAfterSeconds: 7 };
    const ask = async (highest: Date, inDoubt = true) => {
      const { tokens, asked } = callers([{}], { highest: () => highest, doubt: () => (inDoubt ? doubt : null) });
      return [(await found(tokens, token()))[0], asked.length];
    };
    const { exp } = JSON.parse(Buffer.from(token().split('.')[1] ?? '', 'base64url').toString());
    // With the leeway of 60 seconds.
    const expired = new Date((exp + 60) * 1000);
    expect((await ask(expired))[0]).toBe('unauthorized');
    expect(await ask(new Date(expired.getTime() - 1))).toEqual(['clock', 0]);
    // One that has not begun by the time that held may have begun since.
    expect(await ask(new Date(AT.getTime() - 86_400_000))).toEqual(['clock', 0]);
    expect((await ask(expired, false))[0]).toBe('unauthorized');
    expect(await ask(AT, false)).toEqual(['git', 1]);
  });

  it('is whose demands it meets', async () => {
    expect(await ofOne(token())).toEqual(['git']);
  });

  it.each<[string, string, string]>([
    [
      'TOK-01 another algorithm',
      token({ algorithm: 'PS256' }),
      'the token names an algorithm that its issuer does not use',
    ],
    ['TOK-01 no algorithm', token({ algorithm: 'none' }), 'the token names an algorithm that its issuer does not use'],
    ['TOK-02 a key of its own', token({ header: { jwk: {} } }), 'the token is malformed: the header has jwk'],
    ['TOK-03 crit', token({ header: { crit: ['b64'] } }), 'the token is malformed: the header has crit'],
    [
      'TOK-03 the type of a receipt',
      token({ header: { typ: 'eat+jwt' } }),
      'the token is malformed: typ is not JWT or at+jwt or JOSE',
    ],
    [
      'TOK-03 the type of a receipt, as a media type',
      token({ header: { typ: 'application/eat+jwt' } }),
      'the token is malformed: typ is not JWT or at+jwt or JOSE',
    ],
    [
      'TOK-05 a blank in a part',
      `${token()} `,
      'the token is malformed: the token has a space or line feed after it: expected it without',
    ],
    [
      'TOK-06 no exp',
      token({ claims: ({ exp: _, ...claims }) => claims }),
      'the token is malformed: the token has no exp',
    ],
    ['TOK-07 the past', token({ claims: { iat: NOW - 900, nbf: NOW - 900, exp: NOW - 60 } }), 'the token has expired'],
    ['TOK-07 the future', token({ claims: { nbf: NOW + 61 } }), 'the token is not yet valid'],
    [
      'TOK-08 an issuer with a slash',
      token({ claims: { iss: `${ISSUER}/` } }),
      'no caller has the issuer of this token',
    ],
    ['TOK-08 issuers', token({ claims: { iss: [ISSUER] } }), 'no caller has the issuer of this token'],
    ['TOK-09 another audience', token({ claims: { aud: 'api://other' } }), 'the token is for another audience'],
    ['TOK-09 no audience', token({ claims: ({ aud: _, ...claims }) => claims }), 'the token is for another audience'],
    ['TOK-10 no kid', token({ header: ({ kid: _, ...header }) => header }), 'the token does not name its key'],
    ['TOK-10 an unknown kid', token({ header: { kid: 'other' } }), 'the token names no key that the issuer publishes'],
    ['another key', token({ key: OTHER.privateKey }), 'token_signature'],
  ])('%s is unauthorized', async (_, text, message) => {
    const [code, said] = await ofOne(text);
    expect(code).toBe('unauthorized');
    if (message !== 'token_signature') expect(said).toBe(message);
  });

  it('TOK-07 is of nobody from the instant on at which it expires, the leeway included', async () => {
    const ending = (exp: number) => token({ claims: { iat: NOW - 900, nbf: NOW - 900, exp } });
    expect(await ofOne(ending(NOW - 60))).toEqual(['unauthorized', 'the token has expired']);
    expect(await ofOne(ending(NOW - 59))).toEqual(['git']);
  });

  it('without nbf, or of the types that access tokens and clusters have, is one', async () => {
    expect(await ofOne(token({ claims: ({ nbf: _, ...claims }) => claims }))).toEqual(['git']);
    for (const typ of ['at+jwt', 'application/at+jwt', 'jwt', 'JOSE'])
      expect(await ofOne(token({ header: { typ } }))).toEqual(['git']);
    expect(await ofOne(token({ header: ({ typ: _, ...header }) => header }))).toEqual(['git']);
  });

  it('that is bound to a key is not taken for a bearer token, and the log says why', async () => {
    const { tokens, log } = callers([{}]);
    const [code] = await found(tokens, token({ claims: { cnf: { jkt: 'x' } } }));
    expect(code).toBe('unauthorized');
    expect(log.lines).toMatchObject([
      {
        level: 'info',
        message: 'a genuine token matches no caller',
        fields: { callers: [{ caller: 'git', lack: 'a bearer token: it is bound to a key' }] },
      },
    ]);
  });

  it('of a known issuer without usable keys is caller_keys_unavailable, and of an unknown one unauthorized', async () => {
    const { tokens } = callers([{ found: DOWN }]);
    await expect(tokens.find(token())).rejects.toMatchObject({
      code: 'caller_keys_unavailable',
      message: 'the issuer is down',
      retryAfterSeconds: 7,
    });
    expect(await found(tokens, token({ claims: { iss: 'https://other.example' } }))).toEqual([
      'unauthorized',
      'no caller has the issuer of this token',
    ]);
    // Errors that do not depend on the keys are reported.
    expect((await found(tokens, token({ algorithm: 'PS256' })))[0]).toBe('unauthorized');
  });

  it('without a time to come back has one all the same', async () => {
    const { retryAfterSeconds: _, ...found } = DOWN;
    await expect(callers([{ found }]).tokens.find(token())).rejects.toMatchObject({ retryAfterSeconds: 5 });
  });

  it('asks for no keys where it names no issuer of ours, or no key', async () => {
    const { tokens, asked } = callers([{}]);
    await found(tokens, token({ claims: { iss: 'https://other.example' } }));
    await found(tokens, token({ header: ({ kid: _, ...header }) => header }));
    expect(asked).toEqual([]);
  });

  it('is looked at by the keys of each place where its issuer has some', async () => {
    const elsewhere = { ...KEYS, value: { keys: new Map([['k', []]]), crls: [] } };
    const both = [{ found: elsewhere, callers: [generic('a')] }, { callers: [generic('b')] }];
    expect(await found(callers(both).tokens, token())).toEqual(['b']);
    const oneDown = [
      { found: DOWN, callers: [generic('a')] },
      { callers: [generic('b', { claims: { repository: 'x' } })] },
    ];
    for (const places of [oneDown, oneDown.toReversed()])
      expect((await found(callers(places).tokens, token()))[0]).toBe('caller_keys_unavailable');
  });

  it('is of nobody yet where keys out of reach may have signed it for another caller', async () => {
    const { tokens } = callers([
      { callers: [generic('a')] },
      { found: DOWN, callers: [generic('b', { claims: { repository: 'x' } }), generic('c')] },
    ]);
    await expect(tokens.find(token())).rejects.toMatchObject({
      code: 'caller_keys_unavailable',
      message: 'the issuer is down',
      retryAfterSeconds: 7,
    });
    const twin = callers([{ callers: [generic('a')] }, { callers: [generic('c')] }]);
    expect(await found(twin.tokens, token())).toEqual(['a', 'c']);
  });

  it('is whose demands it meets where keys out of reach are of callers whose demands it does not meet', async () => {
    const lacking = { found: DOWN, callers: [generic('b', { subjects: ['x'] })] };
    expect(await found(callers([{ callers: [generic('a')] }, lacking]).tokens, token())).toEqual(['a']);
    const elsewhere = { found: DOWN, callers: [{ ...generic('b'), audiences: ['api://other'] }] };
    expect(await found(callers([{ callers: [generic('a')] }, elsewhere]).tokens, token())).toEqual(['a']);
  });

  it('is of each caller whose demands it meets', async () => {
    const demands = [
      generic('a'),
      generic('b', { subjects: ['repo:org/app'], claims: {} }),
      generic('c', { subjects: ['x'] }),
    ];
    expect(await found(callers([{ callers: demands }]).tokens, token())).toEqual(['a', 'b']);
  });

  it('has to be for an audience of the caller itself, and no older than the caller takes', async () => {
    const [long, short] = [generic('long'), generic('short')];
    const pair = [long, { ...short, audiences: ['api://short'], longestLifetimeSeconds: 599 }];
    expect(await found(callers([{ callers: pair }]).tokens, token())).toEqual(['long']);
    const both = token({ claims: { aud: ['api://veritee', 'api://short'] } });
    expect(await found(callers([{ callers: pair }]).tokens, both)).toEqual(['long']);
    const brief = token({ claims: { aud: ['api://veritee', 'api://short'], exp: NOW + 599 } });
    expect(await found(callers([{ callers: pair }]).tokens, brief)).toEqual(['long', 'short']);
  });
});

describe('what is sent as Authorization: Bearer', () => {
  async function said(text: string): Promise<string> {
    const apiKeys = new ApiKeyCallers([], fixedClock(AT.toISOString()), new FakeLog());
    const directory = new ConfiguredCallers({ apiKeys, tokens: callers([{}]).tokens, certificates: null });
    const shown = { headers: { authorization: `Bearer ${text}` }, clientCertificate: () => null };
    return directory.identify(shown).then(
      ({ principal }) => principal,
      (error: Error) => error.message,
    );
  }
  const NO_KEY = 'the API key is not known, or is no longer valid';

  it.each<[string, (json: string) => string]>([
    ['compact', (json) => json],
    ['with a blank after its brace', (json) => json.replace('{', '{ ')],
    ['with a line feed after its brace', (json) => json.replace('{', '{\n  ')],
  ])('is a token where its header is %s', async (_title, headerText) => {
    expect(await said(token({ headerText }))).toBe('git');
  });

  it.each(['eyJ.x', 'eyJx.y.z=', `${token()}.x`, 'a.b.', 'a.b.c'])(
    'is told what is wrong with %s as a token',
    async (text) => {
      expect(await said(text)).toMatch(/^the token is malformed: /);
    },
  );

  it.each(['a', 'a.b', 'a.b.c.d', 'a.b.c+', '.b.c', 'eyJ'])('is an API key that nobody knows as %s', async (text) => {
    expect(await said(text)).toBe(NO_KEY);
  });
});

describe('what a caller of Entra demands', () => {
  const TENANT = '5f1c0c2a-7c65-4a0e-8f2b-5d3b7a1e9c04';
  const APP = '5a1c8f5e-0d3c-4c41-9c1b-7f6f2d6a9b10';
  const genuine: JsonObject = { ver: '2.0', tid: TENANT, azp: APP, idtyp: 'app', roles: ['verify', 'other'] };
  const { lacks, longestLifetimeSeconds } = entraDemands({ tenantId: TENANT, clientIds: [APP], appRoles: ['verify'] });

  it('is met by a token of one of its applications, for a day and the five minutes before', () => {
    expect(lacks(genuine)).toBeNull();
    expect(longestLifetimeSeconds).toBe(86_700);
  });

  it.each<[string, JsonObject, string]>([
    ['version 1', { ver: '1.0' }, 'ver 2.0'],
    ['another tenant', { tid: APP }, 'tid'],
    ['a user', { idtyp: 'user' }, 'idtyp app'],
    ['a user, by its scopes', { scp: 'access' }, 'no scp'],
    ['another application of the tenant', { azp: TENANT }, 'azp'],
    ['an application without the role', { roles: ['other'] }, 'the app role verify'],
    ['roles that are no list', { roles: 'verify' }, 'the app role verify'],
  ])('is not met by a token of %s', (_, changes, lack) => {
    expect(lacks({ ...genuine, ...changes })).toContain(lack);
  });

  it.each(['ver', 'tid', 'azp', 'idtyp', 'roles'])('is not met without %s', (name) => {
    const { [name]: _, ...rest } = genuine;
    expect(lacks(rest)).not.toBeNull();
  });

  it('asks for no role where none is named', () => {
    expect(
      entraDemands({ tenantId: TENANT, clientIds: [APP], appRoles: [] }).lacks({ ...genuine, roles: [] }),
    ).toBeNull();
  });
});

describe('what a caller of another issuer demands', () => {
  const lacks = (subjects: readonly string[], claims: Record<string, string>) =>
    genericDemands({ subjects, claims }).lacks;

  it('is a token that lives for a day at most', async () => {
    const longLived = (seconds: number) => token({ claims: { exp: NOW + seconds } });
    expect(await ofOne(longLived(86_400))).toEqual(['git']);
    expect((await ofOne(longLived(86_401)))[0]).toBe('unauthorized');
  });

  it('is its subject, exactly, or each of its claims, exactly', () => {
    expect(lacks(['a', 'b'], {})({ sub: 'b' })).toBeNull();
    expect(lacks(['a'], {})({ sub: 'A' })).toBe('sub among subjects');
    expect(lacks(['a'], {})({})).toBe('sub among subjects');
    expect(lacks([], { ref: 'main', repository: 'x' })({ ref: 'main', repository: 'x' })).toBeNull();
    expect(lacks([], { ref: 'main', repository: 'x' })({ ref: 'main', repository: 'y' })).toBe(
      'the claim repository as the caller has it',
    );
    expect(lacks([], { run: '1' })({ run: 1 })).toBe('the claim run as the caller has it');
    expect(lacks(['a'], { ref: 'main' })({ sub: 'a' })).toBe('the claim ref as the caller has it');
  });
});

describe('what a caller of a cluster demands', () => {
  const cluster = {
    namespace: 'gates',
    serviceaccount: { name: 'release', uid: '1' },
    pod: { name: 'release-0', uid: '2' },
  };
  const genuine: JsonObject = { sub: 'system:serviceaccount:gates:release', 'kubernetes.io': cluster };
  const { lacks, longestLifetimeSeconds } = kubernetesDemands(['gates/release', 'gates/other']);

  it('is met by a token of one of its accounts that is bound to a pod, for a day', () => {
    expect(lacks(genuine)).toBeNull();
    expect(longestLifetimeSeconds).toBe(86_400);
  });

  it.each<[string, JsonObject, string]>([
    ['no claims of a cluster', { 'kubernetes.io': null }, 'kubernetes.io'],
    ['no account', { 'kubernetes.io': { ...cluster, serviceaccount: 'release' } }, 'kubernetes.io'],
    ['another subject', { sub: 'system:serviceaccount:gates:other' }, 'sub'],
    ['a subject of no account', { sub: 'system:node:a' }, 'sub'],
    [
      'another namespace',
      { sub: 'system:serviceaccount:x:release', 'kubernetes.io': { ...cluster, namespace: 'x' } },
      'an account among serviceAccounts',
    ],
    ['no pod', { 'kubernetes.io': { ...cluster, pod: null } }, 'a pod'],
    ['a pod without a name', { 'kubernetes.io': { ...cluster, pod: { uid: '2' } } }, 'a pod'],
    ['a pod without an id', { 'kubernetes.io': { ...cluster, pod: { name: 'a', uid: '' } } }, 'a pod'],
  ])('is not met by a token with %s', (_, changes, lack) => {
    expect(lacks({ ...genuine, ...changes } as JsonObject)).toContain(lack);
  });
});

describe('keys that do not come', () => {
  it.each([
    ['the request may take', 1_000, 1_000],
    ['3 seconds, where the request may take longer', 60_000, 3_000],
  ])('are waited for as long as %s, and no longer', async (_title, deadlineMs, waitMs) => {
    vi.useFakeTimers();
    try {
      const signals: AbortSignal[] = [];
      const hanging = (_kid: string, signal: AbortSignal) => {
        signals.push(signal);
        return new Promise<Unavailable>((resolve) => signal.addEventListener('abort', () => resolve(DOWN)));
      };
      const { tokens } = callers([{ keys: { find: hanging } }], { deadlineMs });
      const finding = found(tokens, token());
      await vi.advanceTimersByTimeAsync(waitMs - 1);
      expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
      await vi.advanceTimersByTimeAsync(1);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      expect((await finding)[0]).toBe('caller_keys_unavailable');
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
