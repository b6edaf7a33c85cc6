import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import engine from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { APPLICATION_ID, MIGRATIONS } from '../../../../src/stores/sqlite/schema.js';
import { SqliteFile, type SqliteFileOptions } from '../../../../src/stores/sqlite/sqlite-file.js';
import { SqliteStore } from '../../../../src/stores/sqlite/sqlite-store.js';

const ADDS_A_COLUMN = "ALTER TABLE decisions ADD COLUMN region TEXT NOT NULL DEFAULT 'nowhere';";
const ADDS_A_TABLE = 'CREATE TABLE later (a INTEGER) STRICT;';

let folder: string;
let path: string;
const closed: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-migrations-'));
  path = join(folder, 'veritee.db');
  const raw = new engine(path);
  raw.exec('PRAGMA journal_mode = WAL');
  raw.exec(MIGRATIONS[0] ?? '');
  raw.exec("INSERT INTO records (chain, seq, previous, content_sha256, hash) VALUES ('a', 0, 'p', 'c', 'h')");
  raw.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  raw.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
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

describe('a store of an earlier version', () => {
  it('is opened by a later version with its rows', () => {
    const migrations = [...MIGRATIONS, ADDS_A_COLUMN, ADDS_A_TABLE];
    const file = open({ migrations });
    expect(file.row('PRAGMA user_version', [])).toEqual([migrations.length]);
    expect(file.row('SELECT chain, seq FROM records', [])).toEqual(['a', 0]);
    expect(file.row('SELECT count(*) FROM later', [])).toEqual([0]);
  });

  it.each([
    ['in its first statement', ['CREATE TABLE records (a);']],
    ['after statements that did something', [`${ADDS_A_TABLE} DROP TABLE decisions; SELECT nothing FROM nowhere;`]],
    ['in the step after one that did something', [`${ADDS_A_TABLE} DELETE FROM records;`, 'CREATE TABLE later (a);']],
  ])('is what it was where a step fails %s', (_, steps) => {
    const before = contents();
    expect(() => open({ migrations: [...MIGRATIONS, ...steps] })).toThrow(`${path}: `);
    expect(contents()).toEqual(before);
    expect(open({}).row('SELECT count(*) FROM records', [])).toEqual([1]);
  });

  it('is brought up to date once by processes that open it at the same time', async () => {
    const paths = Array.from({ length: 4 }, () => join(folder, 'new.db'));
    const stores = await Promise.all(paths.map((each) => SqliteStore.open(each)));
    expect(await Promise.all(stores.map((store) => store.chains()))).toEqual([[], [], [], []]);
    await Promise.all(stores.map((store) => store.close()));
  });

  it.each([1, 2])('is one of ours where another process makes its tables after statement %i', (last) => {
    const fresh = join(folder, 'new.db');
    const other = new SqliteFile(engine, fresh);
    let statements = 0;
    class Interrupted extends engine {
      constructor(...how: ConstructorParameters<typeof engine>) {
        super(...how);
        const prepare = this.prepare.bind(this);
        this.prepare = ((sql: string) => {
          const statement = prepare(sql);
          const all = statement.all.bind(statement);
          statement.all = (...values) => {
            const rows = all(...values);
            statements += 1;
            if (statements === last) other.open();
            return rows;
          };
          return statement;
        }) as typeof this.prepare;
      }
    }
    const file = new SqliteFile(Interrupted as typeof engine, fresh);
    closed.push(
      () => file.close(),
      () => other.close(),
    );
    file.open();
    expect(file.row('PRAGMA user_version', [])).toEqual([MIGRATIONS.length]);
  });

  it('is not read, nor changed, by a later version that only reads', () => {
    const before = contents();
    expect(() => open({ readOnly: true, migrations: [...MIGRATIONS, ADDS_A_TABLE] })).toThrow(
      `it was written by an earlier version of veritee (schema ${MIGRATIONS.length}, this one reads ${MIGRATIONS.length + 1}): the service brings it up to date when it starts`,
    );
    expect(contents()).toEqual(before);
  });
});
