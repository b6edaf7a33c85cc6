import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../src/core/errors.js';
import { KeySetDownload } from '../../../../src/endorsements/token-keys/key-set-download.js';
import type { BoundedAnswer } from '../../../../src/outside/bounded-agent.js';
import type { Fetch, FetchRequest } from '../../../../src/outside/bounded-fetch.js';
import { FetchError } from '../../../../src/outside/fetch-error.js';
import { crlDistributionPointAt } from '../../../lab/pki.js';
import { base64Of, certificateOf, jwkOf, keySetOf, listOf, TOKEN_KEYS } from '../../token-jwk.js';
import { RecordingLog } from '../recording-log.js';

const ORIGIN = 'https://issuer.example';
const { a, b } = TOKEN_KEYS;
const SET = keySetOf(jwkOf(a, 'a'));
const NOT_FOUND = new FetchError('status', 'status 404', { status: 404 });

/** Answers by path; what is not there is not found. */
class PathFetch implements Fetch {
  readonly asked: FetchRequest[] = [];
  readonly answers = new Map<string, Uint8Array | Error>();

  async get(request: FetchRequest): Promise<BoundedAnswer> {
    this.asked.push(request);
    const answer = this.answers.get(request.path) ?? NOT_FOUND;
    if (answer instanceof Error) throw answer;
    return { status: 200, headers: {}, body: answer };
  }

  async close(): Promise<void> {}

  get paths(): readonly string[] {
    return this.asked.map(({ path }) => path);
  }
}

/** The result of the check of a request for an answer. */
function isOfUse(check: FetchRequest['check'], body: Uint8Array): boolean {
  try {
    check?.({ status: 200, headers: {}, body });
    return true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

interface Changes {
  readonly discovery?: string | null;
  readonly withCrls?: boolean;
  readonly url?: string | null;
  readonly authorization?: () => Promise<string>;
}

function setUp(changes: Changes = {}) {
  const fetch = new PathFetch();
  fetch.answers.set('/certs', SET);
  const log = new RecordingLog();
  const download = new KeySetDownload({
    issuer: ORIGIN,
    url: `${ORIGIN}/certs`,
    discovery: `${ORIGIN}/.well-known/openid-configuration`,
    withCrls: false,
    fetch,
    log,
    ...changes,
  });
  const signal = new AbortController().signal;
  return { fetch, log, get: (before: Parameters<KeySetDownload['get']>[0] = null) => download.get(before, signal) };
}

describe('KeySetDownload', () => {
  it('asks the configured place, for at most 256 KiB of JSON', async () => {
    const { fetch, get } = setUp({ url: `${ORIGIN}/v2/keys?set=1` });
    fetch.answers.set('/v2/keys?set=1', SET);
    expect([...(await get()).keys.keys()]).toEqual(['a']);
    expect(fetch.asked).toMatchObject([{ origin: ORIGIN, path: '/v2/keys?set=1', maximumBytes: 262_144 }]);
    expect([...(fetch.asked[0]?.mediaTypes ?? [])]).toContain('application/jwk-set+json');
  });

  it('TOK-12 refuses what is no key set', async () => {
    const { fetch, get } = setUp();
    fetch.answers.set('/certs', keySetOf({ kty: 'oct', kid: 'a', k: 'AAAA' }));
    await expect(get()).rejects.toThrow(FormatError);
  });

  it('says in the log which keys it left out', async () => {
    const { fetch, get, log } = setUp();
    fetch.answers.set('/certs', keySetOf(jwkOf(a, 'a'), jwkOf(TOKEN_KEYS.weak, 'weak')));
    await get();
    expect(log.of(/fetched/)).toMatchObject([{ issuer: ORIGIN, keys: 1, leftOut: [{ index: 1 }] }]);
  });
});

describe('KeySetDownload: discovery', () => {
  const DOCUMENT = '/.well-known/openid-configuration';
  const documentOf = (members: object) => Buffer.from(JSON.stringify(members));

  function setUpWithout(document: Uint8Array | Error, changes: Changes = {}) {
    const parts = setUp(changes);
    parts.fetch.answers.delete('/certs');
    parts.fetch.answers.set('/other', SET);
    parts.fetch.answers.set(DOCUMENT, document);
    return parts;
  }

  it.each([
    ['with its issuer', { issuer: ORIGIN, jwks_uri: `${ORIGIN}/other` }],
    ['without an issuer', { jwks_uri: `${ORIGIN}/other` }],
    ['with the port written out', { jwks_uri: `${ORIGIN}:443/other` }],
  ])('takes the place that a document names %s, where the keys are not found', async (_what, members) => {
    const { fetch, get } = setUpWithout(documentOf(members));
    expect([...(await get()).keys.keys()]).toEqual(['a']);
    expect(fetch.paths).toEqual(['/certs', DOCUMENT, '/other']);
  });

  it.each([
    ['another origin', { jwks_uri: 'https://elsewhere.example/other' }],
    ['another port', { jwks_uri: `${ORIGIN}:8443/other` }],
    ['plain http', { jwks_uri: 'http://issuer.example/other' }],
    ['a user', { jwks_uri: 'https://user@issuer.example/other' }],
    ['a path alone', { jwks_uri: '/other' }],
    ['no place', { issuer: ORIGIN }],
    ['a list', { jwks_uri: [`${ORIGIN}/other`] }],
    ['another issuer', { issuer: `${ORIGIN}/`, jwks_uri: `${ORIGIN}/other` }],
  ])('TOK-02 refuses a document with %s, and asks nobody else', async (_what, members) => {
    const { fetch, get } = setUpWithout(documentOf(members));
    await expect(get()).rejects.toThrow(FormatError);
    expect(fetch.paths).toEqual(['/certs', DOCUMENT]);
  });

  it.each(['null', '1', '[]', '"text"', '{"jwks_uri":1,"jwks_uri":2}', 'no JSON'])('refuses %s', async (text) => {
    const { get } = setUpWithout(Buffer.from(text));
    await expect(get()).rejects.toThrow(FormatError);
  });

  it('lets whoever watches the origin know which answers are of no use', async () => {
    const { fetch, get } = setUpWithout(documentOf({ issuer: ORIGIN, jwks_uri: `${ORIGIN}/other` }));
    await get();
    const tells = (body: Uint8Array) => fetch.asked.map(({ check }) => isOfUse(check, body));
    expect(tells(SET)).toEqual([true, false, true]);
    expect(tells(documentOf({ issuer: ORIGIN, jwks_uri: `${ORIGIN}/other` }))).toEqual([false, true, false]);
    expect(tells(documentOf({ jwks_uri: 'https://elsewhere.example/other' }))).toEqual([false, false, false]);
  });

  it('asks the document first where there is no place of the keys, and then it has to name its issuer', async () => {
    const found = setUpWithout(documentOf({ issuer: ORIGIN, jwks_uri: `${ORIGIN}/other` }), { url: null });
    expect([...(await found.get()).keys.keys()]).toEqual(['a']);
    expect(found.fetch.paths).toEqual([DOCUMENT, '/other']);
    const unnamed = setUpWithout(documentOf({ jwks_uri: `${ORIGIN}/other` }), { url: null });
    await expect(unnamed.get()).rejects.toThrow('discovery document is for another issuer');
    expect(unnamed.fetch.paths).toEqual([DOCUMENT]);
  });

  it('shows at each request what the place wants to see', async () => {
    let count = 0;
    const authorization = async () => `Bearer ${++count}`;
    const { fetch, get } = setUpWithout(documentOf({ issuer: ORIGIN, jwks_uri: `${ORIGIN}/other` }), {
      url: null,
      authorization,
    });
    await get();
    expect(fetch.asked.map(({ headers }) => headers)).toEqual([
      { authorization: 'Bearer 1' },
      { authorization: 'Bearer 2' },
    ]);
  });

  it('is made with a place, or with a document', () => {
    expect(() => setUp({ url: null, discovery: null })).toThrow(TypeError);
  });

  it('says that nothing is found where there is no document', async () => {
    const { get } = setUpWithout(NOT_FOUND);
    await expect(get()).rejects.toBe(NOT_FOUND);
  });

  it('asks for no document where none is configured, or the keys fail otherwise', async () => {
    const without = setUpWithout(documentOf({ jwks_uri: `${ORIGIN}/other` }), { discovery: null });
    await expect(without.get()).rejects.toBe(NOT_FOUND);
    expect(without.fetch.paths).toEqual(['/certs']);
    const failing = setUpWithout(documentOf({ jwks_uri: `${ORIGIN}/other` }));
    failing.fetch.answers.set('/certs', new FetchError('status', 'status 500', { status: 500 }));
    await expect(failing.get()).rejects.toMatchObject({ status: 500 });
    expect(failing.fetch.paths).toEqual(['/certs']);
  });
});

describe('KeySetDownload: CRLs', () => {
  const certified = (key: typeof a, kid: string, ...uris: readonly string[]) =>
    jwkOf(key, kid, {
      x5c: uris.map((uri) => base64Of(certificateOf(key, { extensions: [crlDistributionPointAt(uri)] }))),
    });

  function setUpWith(...uris: readonly string[]) {
    const parts = setUp({ withCrls: true });
    parts.fetch.answers.set('/certs', keySetOf(certified(a, 'a', ...uris), certified(b, 'b', ...uris)));
    return parts;
  }

  it('fetches each list that certificates name, once', async () => {
    const { fetch, get } = setUpWith(`${ORIGIN}/ca.crl`, `${ORIGIN}/root.crl?x=1`);
    fetch.answers.set('/ca.crl', listOf(1));
    fetch.answers.set('/root.crl?x=1', listOf(2));
    const { crls, complete } = await get();
    expect([...crls.keys()]).toEqual([`${ORIGIN}/ca.crl`, `${ORIGIN}/root.crl?x=1`]);
    expect(complete).toBe(true);
    expect(fetch.paths).toEqual(['/certs', '/ca.crl', '/root.crl?x=1']);
  });

  it.each([
    'https://elsewhere.example/ca.crl',
    'http://issuer.example/ca.crl',
    'https://issuer.example:8443/ca.crl',
    'https://user@issuer.example/ca.crl',
    'ldap://issuer.example/ca',
    'ca.crl',
  ])('fetches no list at %s', async (uri) => {
    const { fetch, get } = setUpWith(uri);
    expect(await get()).toMatchObject({ crls: new Map(), complete: true });
    expect(fetch.paths).toEqual(['/certs']);
  });

  it('lets whoever watches the origin know which lists are none', async () => {
    const { fetch, get } = setUpWith(`${ORIGIN}/ca.crl`);
    fetch.answers.set('/ca.crl', listOf(1));
    await get();
    const [, { check } = { check: undefined }] = fetch.asked;
    expect([listOf(1), Buffer.from('garbage')].map((body) => isOfUse(check, body))).toEqual([true, false]);
  });

  it('fetches eight lists at most', async () => {
    const { fetch, get } = setUpWith(...Array.from({ length: 9 }, (_, index) => `${ORIGIN}/${index}.crl`));
    await get();
    expect(fetch.paths).toHaveLength(1 + 8);
  });

  it('fetches none where certificates are not judged', async () => {
    const { fetch, get } = setUp();
    fetch.answers.set('/certs', keySetOf(certified(a, 'a', `${ORIGIN}/ca.crl`)));
    expect((await get()).crls.size).toBe(0);
    expect(fetch.paths).toEqual(['/certs']);
  });

  it.each([
    ['not found', NOT_FOUND],
    ['no list', Buffer.from('garbage')],
  ])('keeps the list of before where it is %s now, and says that one is missing', async (_what, answer) => {
    const { fetch, get, log } = setUpWith(`${ORIGIN}/ca.crl`);
    const list = listOf(1);
    fetch.answers.set('/ca.crl', list);
    const first = await get();
    fetch.answers.set('/ca.crl', answer);
    const second = await get(first);
    expect([...second.crls.values()].map((der) => Buffer.from(der))).toEqual([Buffer.from(list)]);
    expect(second.complete).toBe(false);
    expect(log.of(/CRL/)).toHaveLength(1);
    expect((await get()).crls.size).toBe(0);
  });

  it('takes a certificate whose points cannot be read for one that names none', async () => {
    const { fetch, get } = setUp({ withCrls: true });
    const extensions = [{ oid: '2.5.29.31', value: Uint8Array.of(0x04, 0x00) }];
    fetch.answers.set('/certs', keySetOf(jwkOf(a, 'a', { x5c: [base64Of(certificateOf(a, { extensions }))] })));
    expect(await get()).toMatchObject({ crls: new Map(), complete: true });
  });

  it('lets through what is no fault of network or content', async () => {
    const { fetch, get } = setUpWith(`${ORIGIN}/ca.crl`);
    fetch.answers.set('/ca.crl', new TypeError('a mistake'));
    await expect(get()).rejects.toThrow('a mistake');
  });
});
