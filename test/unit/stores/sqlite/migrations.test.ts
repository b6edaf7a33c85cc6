import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import engine from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyLog } from '../../../../src/decision-log/verify-log.js';
import { admitChallengeKey, consumeChallenge } from '../../../../src/stores/sqlite/challenges.js';
import { APPLICATION_ID, MIGRATIONS } from '../../../../src/stores/sqlite/schema.js';
import { SqliteFile, type SqliteFileOptions } from '../../../../src/stores/sqlite/sqlite-file.js';
import { SqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js';
import { localStores } from '../../decision-log/local-store.js';

/**
 * A store of version 1, as a service of that version left it: two chains, decisions of two tenants, one that was withdrawn
 * and one whose content was dropped, heads, and challenges, one of them used. Never made anew: later versions are held to it.
 */
const VERSION_1 = readFileSync(new URL('store-version-1.sql', import.meta.url), 'utf8');

/** SHA-256 of each step. Once a version was released, its line never changes: a new step gets a new line. */
const PINNED = [
  'faeb9a61667fbbb7a0eef2a594d0277801dd5ceab3b29a216fa3420d63a47fc6',
  '631e37137afad5affb88d94573197b48935cba842317991b33eb14a6c7ff2e67',
  '34503cfe77df2114ee7f596686a01d208180993be051bdf48b08f773c5f570a1',
  'acd966cad6eb1f13fab6486818d4bb5753ea05e0374404556eea80212d921ce6',
];

const ADDS_A_COLUMN = "ALTER TABLE decisions ADD COLUMN region TEXT NOT NULL DEFAULT 'nowhere';";
const ADDS_A_TABLE = 'CREATE TABLE later (a INTEGER) STRICT;';

let folder: string;
let path: string;
const openStore = localStores();
const closed: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-migrations-'));
  path = join(folder, 'veritee.db');
  const raw = new engine(path);
  raw.exec('PRAGMA journal_mode = WAL');
  raw.exec(MIGRATIONS[0] ?? '');
  raw.exec(VERSION_1);
  raw.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  raw.exec('PRAGMA user_version = 1');
  raw.close();
});

afterEach(() => {
  for (const close of closed.splice(0)) close();
  rmSync(folder, { recursive: true, force: true });
});

function open(options: SqliteFileOptions): SqliteFile {
  const file = new SqliteFile(engine, path, options);
  closed.push(() => file.close());
  file.open();
  return file;
}

/** All that is in the file: its schema, its version, and every row. */
function contents(): unknown {
  const raw = new engine(path);
  const all = (sql: string) => raw.prepare(sql).raw().all();
  const tables = all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").flat();
  const found = {
    version: all('PRAGMA user_version'),
    schema: all('SELECT sql FROM sqlite_schema ORDER BY name'),
    rows: tables.map((table) => all(`SELECT * FROM "${String(table)}"`)),
  };
  raw.close();
  return found;
}

it('the steps of the schema that were released are what they were', () => {
  const digests = MIGRATIONS.map((step) => createHash('sha256').update(step).digest('hex'));
  expect(digests).toEqual(PINNED);
});

describe('a store of version 1', () => {
  it.each([
    ['this version', MIGRATIONS],
    ['a later version', [...MIGRATIONS, ADDS_A_COLUMN, ADDS_A_TABLE]],
  ])('is opened by %s with its records, heads and index, and verifies', async (_, migrations) => {
    const file = open({ migrations });
    expect(file.row('PRAGMA user_version', [])).toEqual([migrations.length]);
    file.close();
    const store = openStore(path, { migrations });
    expect(await verifyLog(store, { keptHeads: [], keys: null })).toMatchObject({
      problems: [],
      records: 10,
      decisions: 3,
      heads: 5,
      chains: [
        { seq: 6, beginsLog: true, lastHead: 6, pruned: 1 },
        { seq: 2, beginsLog: false, lastHead: 2, pruned: 0 },
      ],
    });
    const query = { tenant: 'default', policy: 'payments', decision: null, since: null, cursor: null, limit: 10 };
    expect((await store.list(query)).map(({ withdrawn }) => withdrawn)).toEqual([false, true]);
    expect(await store.list({ ...query, tenant: 'red', policy: 'baseline' })).toHaveLength(1);
  });

  it('keeps its challenges, and what of them was used', () => {
    const file = open({ migrations: [...MIGRATIONS, ADDS_A_COLUMN] });
    const asked = { tenant: 'default', audience: null, policies: ['payments'], evidenceType: 'snp' } as const;
    const consume = (id: string) => file.transaction(() => consumeChallenge(file, 7, id, asked));
    // It did not keep which key they were made with.
    expect(file.transaction(() => admitChallengeKey(file, 7, 0))).toBeNull();
    expect(consume('used')).toEqual({ state: 'used' });
    // Nor when they were issued.
    expect(consume('unused')).toMatchObject({ state: 'consumed', issuedAt: null });
    expect(consume('unused')).toEqual({ state: 'used' });
  });

  it.each([
    ['in its first statement', ['CREATE TABLE records (a);']],
    ['after statements that did something', [`${ADDS_A_TABLE} DROP TABLE decisions; SELECT nothing FROM nowhere;`]],
    ['in the step after one that did something', [`${ADDS_A_TABLE} DELETE FROM records;`, 'CREATE TABLE later (a);']],
  ])('is what it was where a step fails %s', (_, steps) => {
    const before = contents();
    expect(() => open({ migrations: [...MIGRATIONS, ...steps] })).toThrow(`${path}: `);
    expect(contents()).toEqual(before);
    expect(open({}).row('SELECT count(*) FROM records', [])).toEqual([10]);
  });

  it('is brought up to date once by processes that open it at the same time', async () => {
    const paths = Array.from({ length: 4 }, () => join(folder, 'new.db'));
    const stores = await Promise.all(paths.map((each) => SqliteStore.open(each)));
    expect(await Promise.all(stores.map((store) => store.chains()))).toEqual([[], [], [], []]);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('is not read, nor changed, by a later version that only reads', () => {
    const before = contents();
    expect(() => open({ readOnly: true, migrations: [...MIGRATIONS, ADDS_A_TABLE] })).toThrow(
      `it was written by an earlier version of veritee (schema 1, this one reads ${MIGRATIONS.length + 1}): the service brings it up to date when it starts`,
    );
    expect(contents()).toEqual(before);
  });
});
