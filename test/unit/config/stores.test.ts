import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { postgresAddressOf, sqliteFileOf, tokenScopeOf, usesTls } from '../../../src/config/stores.js';
import { ConfigurationError } from '../../../src/core/errors.js';

const SHARED = { challenges: { key: 'challenges.key' }, receipts: { key: 'receipts.pem' } };
const URL = 'postgres://veritee@db.example/veritee';
const FORMS = 'sqlite: and a path, or postgres://user@host:port/database';

const load = (stores: object, others: object = SHARED) =>
  loadConfiguration({ text: JSON.stringify({ ...others, stores }), environment: {} });

function problemsOf(stores: object, others: object = SHARED): readonly string[] {
  try {
    load(stores, others);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

describe('the address of a store', () => {
  it.each([
    ['sqlite:./data/veritee.db', './data/veritee.db'],
    ['sqlite:/var/lib/v.db', '/var/lib/v.db'],
  ])('%s is a file', (url, file) => {
    expect(sqliteFileOf(load({ url }))).toBe(file);
    expect(postgresAddressOf(load({ url }))).toBeNull();
  });

  it.each([
    [URL, 'db.example', 5432],
    ['postgres://veritee@db.example:6000/veritee', 'db.example', 6000],
    ['postgres://veritee@10.0.0.1/veritee', '10.0.0.1', 5432],
    ['postgres://veritee@[::1]:6000/veritee', '::1', 6000],
    ['postgres://veritee@%2Fvar%2Frun%2Fpostgresql/veritee', '/var/run/postgresql', 5432],
  ])('%s is a database', (url, host, port) => {
    const address = { user: 'veritee', host, port, database: 'veritee' };
    expect(postgresAddressOf(load({ url }))).toEqual(address);
    expect(sqliteFileOf(load({ url }))).toBeNull();
  });

  it('has user and database as they are, whatever letters those have', () => {
    expect(postgresAddressOf(load({ url: 'postgres://a%40b.example@db.example/a%20b' }))).toMatchObject({
      user: 'a@b.example',
      database: 'a b',
    });
  });

  it.each(['veritee.db', 'sqlite:', 'sqlite::memory:', 'off', 'postgres'])('is not %s', (url) => {
    expect(problemsOf({ url })).toEqual([`stores.url: must be ${FORMS}`]);
  });

  it.each([
    'postgres://db.example/veritee',
    'postgres://veritee:secret@db.example/veritee',
    'postgres://veritee@db.example',
    'postgres://veritee@db.example/veritee?sslmode=disable',
    'postgres://veritee@db.example:0/veritee',
    'postgres://veritee@db.example:65536/veritee',
    'postgres://veritee@a.example,b.example:1:2/veritee',
    'postgres://%zz@db.example/veritee',
    'postgresql://veritee@db.example/veritee',
    'mysql://db.example',
    'sqlite://veritee.db',
  ])('is not %s, and the message repeats no password', (url) => {
    const [problem, ...more] = problemsOf({ url });
    expect(more).toEqual([]);
    expect(problem).toContain(`stores.url: must be ${FORMS}`);
    expect(problem).not.toContain('secret');
  });
});

describe('connections', () => {
  it.each([3, 65, 4.5])('are not %s', (connections) => {
    expect(problemsOf({ url: URL, connections })).toEqual(['stores.connections: must be a whole number from 4 to 64']);
  });

  it.each([
    [URL, null, true],
    [URL, 'ca.pem', true],
    ['postgres://veritee@127.0.0.1/veritee', null, false],
    ['postgres://veritee@127.0.0.1/veritee', 'ca.pem', true],
    ['postgres://veritee@localhost/veritee', null, false],
    ['postgres://veritee@10.0.0.1/veritee', null, true],
    ['postgres://veritee@%2Frun/veritee', null, false],
  ])('to %s with authorities %s are with TLS: %s', (url, ca, expected) => {
    const configuration = load({ url, ca });
    const address = postgresAddressOf(configuration);
    expect(address !== null && usesTls(address, configuration.stores)).toBe(expected);
  });
});

it('STO-02 a database needs the key that its replicas share', () => {
  expect(problemsOf({ url: URL }, { receipts: SHARED.receipts })).toEqual([
    'challenges.key: is missing: replicas that share a store share it',
  ]);
});

it.each(['passwordFile', 'ca'] as const)('a file has no %s', (name) => {
  expect(problemsOf({ [name]: 'f' })).toEqual([`stores.${name}: is for postgres://`]);
});

describe('the way in', () => {
  it('is a password or an identity, and not both', () => {
    const url = 'postgres://veritee@db.postgres.database.azure.com/veritee';
    expect(problemsOf({ url, passwordFile: 'f', credential: 'managed-identity' })).toEqual([
      'stores.credential: there is a passwordFile too',
    ]);
  });

  it('is an identity for servers of Azure alone', () => {
    expect(problemsOf({ url: URL, credential: 'managed-identity' })).toEqual([
      expect.stringMatching(/^stores\.credential: is for servers of Azure, whose names end in \.postgres\./),
    ]);
    expect(problemsOf({ credential: 'managed-identity' })).toEqual(['stores.credential: is for postgres://']);
  });

  it('to a socket has no authorities', () => {
    expect(problemsOf({ url: 'postgres://veritee@%2Frun/veritee', ca: 'ca.pem' })).toEqual([
      'stores.ca: stores.url is a socket, which has no TLS',
    ]);
  });

  it.each([
    ['db.postgres.database.azure.com', 'https://ossrdbms-aad.database.windows.net/.default'],
    ['db.postgres.database.usgovcloudapi.net', 'https://ossrdbms-aad.database.usgovcloudapi.net/.default'],
    ['db.postgres.database.chinacloudapi.cn', 'https://ossrdbms-aad.database.chinacloudapi.cn/.default'],
    ['postgres.database.azure.com', null],
    ['db.postgres.database.azure.com.example', null],
  ])('to %s is a token for %s', (host, scope) => {
    expect(tokenScopeOf({ user: 'u', host, port: 5432, database: 'd' })).toBe(scope);
  });
});
