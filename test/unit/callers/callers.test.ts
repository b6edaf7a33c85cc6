import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ApiKey, ApiKeyCallers } from '../../../src/callers/api-keys.js';
import { ConfiguredCallers } from '../../../src/callers/configured-callers.js';
import { LocalCaller, namesLoopback } from '../../../src/callers/local-caller.js';
import type { PresentedCredentials, RequestHeaders } from '../../../src/core/caller-directory.js';
import type { CredentialClock } from '../../../src/core/clock-doubt.js';
import { RefusedError } from '../../../src/core/errors.js';
import { FakeClock, NOW } from '../../integration/http/fake-service.js';
import { RecordingLog } from '../endorsements/recording-log.js';
import { callerOf } from './caller-of.js';

const KEY = 'k'.repeat(43);
const LATER = new Date(NOW.getTime() + 1);

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const apiKey = (key: string, expires: Date = LATER): ApiKey => ({ apiKeySha256: sha256(key), expires });

const clock = new FakeClock();
const log = new RecordingLog();
const DOUBT = { detail: 'the clock was set back', retryAfterSeconds: 7 };

function directory(...callers: readonly (readonly [name: string, ...keys: readonly ApiKey[]])[]): ConfiguredCallers {
  const entries = callers.map(([name, ...keys]) => ({ caller: callerOf(name), keys }));
  return new ConfiguredCallers({ apiKeys: new ApiKeyCallers(entries, clock, log), tokens: null, certificates: null });
}

const shown = (headers: RequestHeaders): PresentedCredentials => ({ headers, clientCertificate: () => null });

async function refusal(asked: Promise<unknown>): Promise<string | null> {
  try {
    await asked;
    return null;
  } catch (error) {
    if (error instanceof RefusedError) return error.code;
    throw error;
  }
}

describe('callers with API keys', () => {
  const callers = directory(['other', apiKey('o'.repeat(43))], ['ci', apiKey(KEY)]);

  it.each([
    ['Authorization: Bearer', { authorization: `Bearer ${KEY}` }],
    ['a scheme in another case', { authorization: `bEARER ${KEY}` }],
    ['x-api-key', { 'x-api-key': KEY }],
  ])('knows a caller by %s', async (_title, headers) => {
    expect(await callers.identify(shown(headers))).toEqual(callerOf('ci'));
  });

  it.each<[string, RequestHeaders]>([
    ['nothing', {}],
    ['an unknown key', { authorization: `Bearer ${'x'.repeat(43)}` }],
    ['a key with one character more', { authorization: `Bearer ${KEY}k` }],
    ['the beginning of a key', { authorization: `Bearer ${KEY.slice(0, 42)}` }],
    ['another scheme', { authorization: `Basic ${KEY}` }],
    ['a key without scheme', { authorization: KEY }],
    ['no key behind the scheme', { authorization: 'Bearer ' }],
    ['two keys behind the scheme', { authorization: `Bearer ${KEY} ${KEY}` }],
    ['an empty x-api-key', { 'x-api-key': '' }],
    ['x-api-key twice', { 'x-api-key': [KEY, KEY] }],
    ['a key in both places', { authorization: `Bearer ${KEY}`, 'x-api-key': KEY }],
    ['the hash itself', { 'x-api-key': sha256(KEY) }],
  ])('does not know %s', async (_title, headers) => {
    expect(await refusal(callers.identify(shown(headers)))).toBe('unauthorized');
  });

  it.each([
    ['in both places', { authorization: `Bearer ${KEY}`, 'x-api-key': KEY }],
    ['without Bearer', { authorization: KEY }],
  ])('says how to send a credential that was sent %s, not that there is none', async (_title, headers) => {
    const identified = directory(['ci', apiKey(KEY)]).identify(shown(headers));
    await expect(identified).rejects.toThrow('the credential cannot be read: send one alone');
  });

  it('takes a hash in upper case for the same hash', async () => {
    const upper = { ...apiKey(KEY), apiKeySha256: sha256(KEY).toUpperCase() };
    expect((await directory(['ci', upper]).identify(shown({ 'x-api-key': KEY }))).principal).toBe('ci');
  });

  it('does not know a key at the instant of its expiry, and knows it a millisecond before', async () => {
    const ask = (expires: Date) => directory(['ci', apiKey(KEY, expires)]).identify(shown({ 'x-api-key': KEY }));
    expect(await refusal(ask(NOW))).toBe('unauthorized');
    expect((await ask(LATER)).principal).toBe('ci');
  });

  it('CLK-10 does not know a key that had expired by the highest time that held, wherever the clock is', async () => {
    const setBack = { highest: () => LATER, doubt: () => DOUBT };
    const ask = (expires: Date, of: CredentialClock) => {
      const apiKeys = new ApiKeyCallers([{ caller: callerOf('ci'), keys: [apiKey(KEY, expires)] }], of, log);
      const configured = new ConfiguredCallers({ apiKeys, tokens: null, certificates: null });
      return configured.identify(shown({ 'x-api-key': KEY }));
    };
    expect(await refusal(ask(LATER, setBack))).toBe('unauthorized');
    const still = new Date(LATER.getTime() + 1);
    await expect(ask(still, setBack)).rejects.toMatchObject({ code: 'clock', retryAfterSeconds: 7 });
    // Within a minute of the highest time, the clock can still be relied on.
    expect(await refusal(ask(LATER, { ...setBack, doubt: () => null }))).toBe('unauthorized');
    expect((await ask(still, { ...setBack, doubt: () => null })).principal).toBe('ci');
  });

  it('CLK-10 does not know an unknown key while the clock is in doubt, either', async () => {
    const apiKeys = new ApiKeyCallers([], { highest: () => NOW, doubt: () => DOUBT }, log);
    const configured = new ConfiguredCallers({ apiKeys, tokens: null, certificates: null });
    expect(await refusal(configured.identify(shown({ 'x-api-key': KEY })))).toBe('unauthorized');
  });

  it('knows a key and its successor, each until it expires', async () => {
    const ask = (key: string, ...ends: readonly [current: Date, next: Date]) =>
      directory(['ci', apiKey(KEY, ends[0]), apiKey('n'.repeat(43), ends[1])]).identify(shown({ 'x-api-key': key }));
    for (const key of [KEY, 'n'.repeat(43)]) expect((await ask(key, LATER, LATER)).principal).toBe('ci');
    expect(await refusal(ask(KEY, NOW, LATER))).toBe('unauthorized');
    expect((await ask('n'.repeat(43), NOW, LATER)).principal).toBe('ci');
    expect(await refusal(ask('n'.repeat(43), LATER, NOW))).toBe('unauthorized');
  });

  it('does not know a key whose hash was made with a line feed, and names caller and cause in the log', async () => {
    const mistaken = directory(['other', apiKey('o'.repeat(43))], ['ci', apiKey(`${KEY}\n`)]);
    log.entries.length = 0;
    expect(await refusal(mistaken.identify(shown({ 'x-api-key': KEY })))).toBe('unauthorized');
    const message = 'apiKeySha256 is the hash of the API key and a line feed: hash the key without it';
    expect(log.entries).toEqual([{ level: 'warn', message, fields: { principal: 'ci' } }]);
    expect(JSON.stringify(log.entries)).not.toContain(KEY);
  });

  it.each([
    ['a key that is known', apiKey(KEY), KEY],
    ['a key that is unknown', apiKey(KEY), 'x'.repeat(43)],
    ['a key that has expired', apiKey(KEY, NOW), KEY],
    ['a hash of two line feeds', apiKey(`${KEY}\n\n`), KEY],
  ])('twin: logs nothing of %s', async (_title, configured, key) => {
    log.entries.length = 0;
    await refusal(directory(['ci', configured]).identify(shown({ 'x-api-key': key })));
    expect(log.entries).toEqual([]);
  });

  it.each(['', 'abc', 'z'.repeat(64), 'a'.repeat(63)])('is not made with the hash "%s"', (apiKeySha256) => {
    expect(() => directory(['ci', { ...apiKey(KEY), apiKeySha256 }])).toThrow(TypeError);
  });
});

describe('no callers configured', () => {
  it('gives everybody verify, policy:read and metrics', async () => {
    const caller = await new LocalCaller({ historical: false, insecure: false }).identify();
    expect(caller.principal).toBe('local');
    expect([...caller.roles].sort()).toEqual(['metrics', 'policy:read', 'verify']);
  });

  it('adds audit:read where past instants may be named', async () => {
    const { roles } = await new LocalCaller({ historical: true, insecure: false }).identify();
    expect(roles.has('audit:read')).toBe(true);
  });

  it('serves loopback names only, unless insecure is spelt out', () => {
    expect(new LocalCaller({ historical: false, insecure: false }).serves('attacker.example')).toBe(false);
    expect(new LocalCaller({ historical: false, insecure: false }).serves('localhost:8080')).toBe(true);
    expect(new LocalCaller({ historical: false, insecure: true }).serves('attacker.example')).toBe(true);
  });

  it.each([
    [false, null],
    [true, new Set()],
  ])(
    'REC-02 may name any audience on loopback, and none where it is served to anyone: insecure %s',
    async (insecure, audiences) => {
      expect((await new LocalCaller({ historical: false, insecure }).identify()).audiences).toEqual(audiences);
    },
  );
});

it.each(['localhost', 'LOCALHOST:8080', '127.0.0.1', '127.0.0.1:8080', '127.255.0.9:1', '[::1]', '[::1]:8080'])(
  'takes %s for this machine',
  (host) => {
    expect(namesLoopback(host)).toBe(true);
  },
);

it.each([
  undefined,
  '',
  'attacker.example',
  'localhost.attacker.example',
  'attacker.example:127.0.0.1',
  '127.0.0.1.attacker.example',
  '127.0.0.1.nip.io:8080',
  'localhost.',
  '127.1',
  '2130706433',
  '0.0.0.0',
  '[::]',
  '[::ffff:127.0.0.1]',
  '128.0.0.1',
  'localhost:8080:8080',
  'localhost ',
])('does not take %s for this machine', (host) => {
  expect(namesLoopback(host)).toBe(false);
});
