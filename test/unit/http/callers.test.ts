import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ApiKeyCaller, ApiKeyCallers, LocalCaller, namesLoopback } from '../../../src/http/callers.js';
import { RefusedError } from '../../../src/model/errors.js';
import { FakeClock, NOW } from '../../integration/http/fake-service.js';

const KEY = 'k'.repeat(43);

function entry(name: string, key: string, changes: Partial<ApiKeyCaller> = {}): ApiKeyCaller {
  return {
    name,
    apiKeySha256: createHash('sha256').update(key).digest('hex'),
    expires: null,
    roles: ['verify'],
    policies: null,
    audiences: null,
    keys: [],
    tenant: 'default',
    ...changes,
  };
}

function refusal(act: () => unknown): string | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof RefusedError) return error.code;
    throw error;
  }
}

describe('callers with API keys', () => {
  const clock = new FakeClock();
  const callers = new ApiKeyCallers([entry('other', 'o'.repeat(43)), entry('ci', KEY)], clock);

  it.each([
    ['Authorization: Bearer', { authorization: `Bearer ${KEY}` }],
    ['a scheme in another case', { authorization: `bEARER ${KEY}` }],
    ['x-api-key', { 'x-api-key': KEY }],
  ])('knows a caller by %s', (_title, headers) => {
    expect(callers.identify(headers).principal).toBe('ci');
  });

  it.each([
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
    ['the hash itself', { 'x-api-key': createHash('sha256').update(KEY).digest('hex') }],
  ])('does not know %s', (_title, headers) => {
    expect(refusal(() => callers.identify(headers))).toBe('unauthorized');
  });

  it('gives the caller what the configuration says, and an upper-case hash is the same hash', () => {
    const { apiKeySha256 } = entry('gate', KEY);
    const gate = entry('gate', KEY, {
      apiKeySha256: apiKeySha256.toUpperCase(),
      roles: ['verify', 'metrics'],
      policies: ['payments'],
      audiences: ['https://gate.example'],
      keys: ['db'],
      tenant: 'blue',
    });
    expect(new ApiKeyCallers([gate], clock).identify({ 'x-api-key': KEY })).toEqual({
      principal: 'gate',
      tenant: 'blue',
      roles: new Set(['verify', 'metrics']),
      policies: new Set(['payments']),
      audiences: new Set(['https://gate.example']),
      keys: new Set(['db']),
    });
  });

  it('does not know a key at the instant of its expiry, and knows it a millisecond before', () => {
    const expiring = (expires: Date) => new ApiKeyCallers([entry('ci', KEY, { expires })], clock);
    expect(refusal(() => expiring(NOW).identify({ 'x-api-key': KEY }))).toBe('unauthorized');
    const later = new Date(NOW.getTime() + 1);
    expect(expiring(later).identify({ 'x-api-key': KEY }).principal).toBe('ci');
  });

  it.each(['', 'abc', 'z'.repeat(64), 'a'.repeat(63)])('is not made with the hash "%s"', (apiKeySha256) => {
    expect(() => new ApiKeyCallers([entry('ci', KEY, { apiKeySha256 })], clock)).toThrow(TypeError);
  });
});

describe('no callers configured', () => {
  it('gives everybody verify, policy:read and metrics', () => {
    const caller = new LocalCaller({ historical: false, insecure: false }).identify();
    expect(caller.principal).toBe('local');
    expect([...caller.roles].sort()).toEqual(['metrics', 'policy:read', 'verify']);
  });

  it('adds audit:read where past instants may be named', () => {
    expect(new LocalCaller({ historical: true, insecure: false }).identify().roles.has('audit:read')).toBe(true);
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
    (insecure, audiences) => {
      expect(new LocalCaller({ historical: false, insecure }).identify().audiences).toEqual(audiences);
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
