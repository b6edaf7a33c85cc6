import { describe, expect, it } from 'vitest';
import type { Configuration } from '../../../src/config/configuration.js';
import { maskSecrets } from '../../../src/config/effective-configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { redisAddress, redisStoreOf } from '../../../src/config/redis-store.js';
import { ConfigurationError } from '../../../src/core/errors.js';

const KEY = './challenges.key';
/** Replicas that share a store share the key of their receipts too. */
const receipts = { key: './receipts.pem' };

function load(challenges: object, environment: Record<string, string> = {}): Configuration {
  return loadConfiguration({
    text: JSON.stringify({ receipts, challenges: { key: KEY, ...challenges } }),
    environment,
  });
}

function problemsOf(challenges: object, environment: Record<string, string> = {}): readonly string[] {
  try {
    load(challenges, environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

function addressOf(store: unknown) {
  const redis = redisStoreOf(load({ store }).challenges.store);
  if (redis === null) throw new Error('not in Redis');
  return redisAddress(redis);
}

const SENTINELS = { nodes: ['redis://s1', 'redis://s2:5000'], mode: 'sentinel', master: 'main' };
const APART = { tls: false, user: null, password: null, database: 0 };

describe('a store in Redis', () => {
  it.each([
    ['redis://cache.example', { ...APART, nodes: [{ host: 'cache.example', port: 6379 }] }],
    ['redis://127.0.0.1:7000/12', { ...APART, nodes: [{ host: '127.0.0.1', port: 7000 }], database: 12 }],
    ['rediss://[::1]:7000/', { ...APART, nodes: [{ host: '::1', port: 7000 }], tls: true }],
    [
      'redis://me:p%40ss%2Fword@cache.example',
      { ...APART, nodes: [{ host: 'cache.example', port: 6379 }], user: 'me', password: 'p@ss/word' },
    ],
    ['redis://:secret@cache.example', { ...APART, nodes: [{ host: 'cache.example', port: 6379 }], password: 'secret' }],
  ])('is at %s', (url, address) => {
    expect(addressOf(url)).toEqual(address);
    expect(addressOf({ nodes: [url] })).toEqual(address);
  });

  it.each(['cache.example:6379', '127.0.0.1:6379'])('is not a file that is named as a server is: %s', (store) => {
    const what = `is a server without a scheme: write redis://${store}, or rediss://${store} for TLS`;
    expect(problemsOf({ store })).toEqual([`challenges.store: ${what}`]);
    const text = JSON.stringify({ decisions: { store, retentionDays: 30 } });
    expect(() => loadConfiguration({ text, environment: {} })).toThrow(`decisions.store: ${what}`);
  });

  it('is where Sentinels say, which have a port of their own', () => {
    const nodes = [
      { host: 's1', port: 26_379 },
      { host: 's2', port: 5000 },
    ];
    expect(addressOf(SENTINELS)).toEqual({ ...APART, nodes });
  });

  it('has a long form with defaults, for challenges and decisions alike', () => {
    const long = { mode: 'single', master: null, passwordFile: null, ca: null, replicas: 0 };
    const nodes = ['redis://cache.example'];
    expect(redisStoreOf('redis://cache.example')).toEqual({ ...long, nodes });
    const text = JSON.stringify({
      receipts,
      challenges: { key: KEY, store: { nodes } },
      decisions: { store: { nodes }, retentionDays: 30 },
    });
    const { challenges, decisions } = loadConfiguration({ text, environment: {} });
    expect([challenges.store, decisions.store]).toEqual([
      { ...long, nodes },
      { ...long, nodes },
    ]);
    for (const other of ['memory', 'off', './data/veritee.db']) expect(redisStoreOf(other)).toBeNull();
  });

  it.each<[string, unknown]>([
    ['memory', 'memory'],
    ['redis://cache.example', 'redis://cache.example'],
    [JSON.stringify(SENTINELS), expect.objectContaining(SENTINELS)],
    [` ${JSON.stringify(SENTINELS)}`, expect.objectContaining(SENTINELS)],
  ])('is %s in the environment', (spelled, store) => {
    expect(load({}, { VERITEE__CHALLENGES__STORE: spelled }).challenges.store).toEqual(store);
  });

  it.each(['{', '{"nodes":["redis://a"],"nodes":[]}', '["redis://a"]'])('is not %s in the environment', (spelled) => {
    expect(problemsOf({}, { VERITEE__CHALLENGES__STORE: spelled })).not.toEqual([]);
  });

  it('is of one form for challenges and decisions', () => {
    expect(problemsOf({ store: { nodes: [] } })).toEqual(['challenges.store.nodes: must not be empty']);
    const decisions = { store: { ...SENTINELS, master: null }, retentionDays: 30 };
    const text = JSON.stringify({ decisions });
    expect(() => loadConfiguration({ text, environment: {} })).toThrow('decisions.store.master: is missing');
  });

  it('STO-02 needs the key that its replicas share', () => {
    const needs = 'challenges.key: is missing: replicas that share a store share it';
    expect(problemsOf({ key: null, store: 'redis://cache.example' })).toEqual([needs]);
    expect(problemsOf({ key: null, store: SENTINELS })).toEqual([needs]);
    expect(problemsOf({ key: null, store: 'memory' })).toEqual([]);
    const decisions = { store: 'redis://cache.example', retentionDays: 30 };
    const together = (challenges: object) => () =>
      loadConfiguration({ text: JSON.stringify({ receipts, challenges, decisions }), environment: {} });
    // Where decisions are, there are challenges too.
    expect(together({})).toThrow(needs);
    expect(together({ key: KEY })).not.toThrow();
    expect(together({ store: 'memory' })).not.toThrow();
  });

  it.each(['redis://cache.example', SENTINELS])(
    'holds decisions for as long as somebody has chosen, as %j',
    (store) => {
      const load = (decisions: object, environment = {}) => {
        const text = JSON.stringify({ receipts, challenges: { key: KEY }, decisions: { store, ...decisions } });
        return () => loadConfiguration({ text, environment });
      };
      const missing = 'decisions.retentionDays: is missing: a Redis store holds decisions in memory for so long';
      expect(load({})).toThrow(
        expect.objectContaining({
          problems: [missing],
          placed: [expect.objectContaining({ path: ['decisions', 'retentionDays'] })],
        }),
      );
      expect(load({ retentionDays: 365 })).not.toThrow();
      expect(load({}, { VERITEE__DECISIONS__RETENTION_DAYS: '365' })).not.toThrow();
    },
  );

  it.each([{ nodes: ['redis://cache.example'] }, SENTINELS])(
    'does not go with receipts of a key that each has, as %j',
    (store) => {
      for (const stores of [{ challenges: { store, key: KEY } }, { decisions: { store, retentionDays: 30 } }]) {
        const text = JSON.stringify(stores);
        expect(() => loadConfiguration({ text, environment: {} })).toThrow('receipts.key: must not be ephemeral');
      }
    },
  );

  it.each([
    'redis://',
    'redis:///1',
    'redis://a b',
    'redis://a:99999',
    'redis://a/x',
    'redis://a?db=1',
    'redis://a#1',
    'redis://a/1/2',
    'redis://%zz@a',
    'redis://me:%e0%a4%a@a',
    'http://a',

    1,
    ['redis://a'],
  ])('is not at %j', (store) => {
    const forms = 'challenges.store: must be memory, or a redis or rediss URL or its long form';
    expect(problemsOf({ store })).toEqual([forms]);
  });

  it.each<[object, string]>([
    [{}, 'challenges.store.nodes: is missing'],
    [{ nodes: ['a'] }, 'challenges.store.nodes[0]: must be a redis or rediss URL'],
    [{ nodes: ['redis://a', 'redis://a'], mode: 'cluster' }, 'challenges.store.nodes: repeats an item'],
    [{ nodes: ['redis://a'], mode: 'proxy' }, 'challenges.store.mode: must be one of single, sentinel, cluster'],
    [{ nodes: ['redis://a'], node: 1 }, 'challenges.store.node: unknown key; did you mean nodes?'],
    [{ nodes: ['redis://a'], replicas: -1 }, 'challenges.store.replicas: must be a whole number from 0 to 16'],
    [
      { nodes: ['redis://a'], replicas: 1 },
      'challenges.store.replicas: is for decisions: challenges wait for no replica of the server',
    ],
    [{ nodes: ['redis://a', 'redis://b'] }, 'challenges.store.nodes: is one URL where the mode is single'],
    [{ ...SENTINELS, master: null }, 'challenges.store.master: is missing'],
    [{ ...SENTINELS, master: 'a b' }, 'challenges.store.master: must be a name'],
    [{ nodes: ['redis://a'], master: 'main' }, 'challenges.store.master: is for the mode sentinel'],
    [
      { nodes: ['redis://a/1'], mode: 'cluster' },
      'challenges.store.nodes: this service uses no database but 0 of a Cluster',
    ],
    [{ ...SENTINELS, nodes: ['redis://a', 'rediss://b'] }, 'challenges.store.nodes: must differ in host and port only'],
    [
      { ...SENTINELS, nodes: ['redis://a/1', 'redis://b/2'] },
      'challenges.store.nodes: must differ in host and port only',
    ],
    [
      { ...SENTINELS, nodes: ['redis://:p@a', 'redis://:q@b'] },
      'challenges.store.nodes: must differ in host and port only',
    ],
    [{ nodes: ['redis://:p@a'], passwordFile: 'p' }, 'challenges.store.passwordFile: there is a password in nodes too'],
    [{ nodes: ['redis://me@a'] }, 'challenges.store: names a user and no password'],
    [{ nodes: ['redis://a'], ca: 'ca.pem' }, 'challenges.store.ca: is for rediss URLs'],
  ])('is refused as %j', (store, problem) => {
    expect(problemsOf({ store })).toEqual([problem]);
  });

  it('takes what fits: a user with a password file, authorities for TLS, one database of Sentinels', () => {
    const nodes = ['rediss://me@a/2', 'rediss://me@b:1/2'];
    expect(problemsOf({ store: { ...SENTINELS, nodes, passwordFile: 'p', ca: 'ca.pem', replicas: 0 } })).toEqual([]);
  });

  it('may ask for replicas that confirm where it is of decisions, and challenges are there too', () => {
    const text = JSON.stringify({
      receipts,
      challenges: { key: KEY },
      decisions: { store: { nodes: ['redis://a'], replicas: 1 }, retentionDays: 30 },
    });
    expect(loadConfiguration({ text, environment: {} }).decisions.store).toMatchObject({ replicas: 1 });
  });

  it('is shown without its passwords', () => {
    const store = { ...SENTINELS, nodes: ['redis://me:secret@a', 'redis://me:secret@b'] };
    const shown = maskSecrets(load({ store }));
    expect(JSON.stringify(shown)).not.toContain('secret');
    expect(shown).toMatchObject({
      challenges: { store: { mode: 'sentinel', nodes: ['redis://***@a', 'redis://***@b'], master: 'main' } },
    });
  });

  it('is not repeated where it is refused', () => {
    for (const store of ['redis://me:secret@a?', { nodes: ['redis://me:secret@a', 'redis://me:secret@b'] }]) {
      expect(problemsOf({ store })).toEqual([expect.not.stringContaining('secret')]);
    }
  });
});
