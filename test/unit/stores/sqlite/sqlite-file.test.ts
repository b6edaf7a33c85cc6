import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import engine from 'libsql';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreUnavailableError } from '../../../../src/core/decision-log.js';
import { MIGRATIONS } from '../../../../src/stores/sqlite/schema.js';
import { type Engine, SqliteFile } from '../../../../src/stores/sqlite/sqlite-file.js';

let folder: string;
const open: SqliteFile[] = [];

// Time passes only while `soon` waits: how long a disk takes decides nothing here.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  folder = mkdtempSync(join(tmpdir(), 'veritee-sqlite-'));
});

afterEach(() => {
  vi.useRealTimers();
  for (const file of open.splice(0)) file.close();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name = 'veritee.db') => join(folder, name);

function openFile(at = path()): SqliteFile {
  const file = new SqliteFile(engine, at);
  open.push(file);
  file.open();
  return file;
}

const put = (file: SqliteFile, chain: string) =>
  file.transaction(() => file.run("INSERT INTO heads VALUES (?, 0, 'x')", [chain]));
const heads = (file: SqliteFile) => file.read(() => file.rows('SELECT chain FROM heads ORDER BY chain', [])).flat();

/** A file that failed is left alone for a moment, and longer each time. */
const soon = <T>(work: () => T) => vi.waitFor(work, { timeout: 10_000 });

describe('a SQLite file', () => {
  it('is made with its folder, and only its owner may read it', () => {
    const file = openFile(path('data/veritee.db'));
    put(file, 'a');
    expect(statSync(path('data')).mode & 0o777).toBe(0o700);
    for (const end of ['', '-wal', '-shm']) expect(statSync(path(`data/veritee.db${end}`)).mode & 0o777).toBe(0o600);
  });

  it('has a write-ahead log, and syncs at each commit', () => {
    const file = openFile();
    expect(file.row('PRAGMA journal_mode', [])).toEqual(['wal']);
    expect(file.row('PRAGMA synchronous', [])).toEqual([2]);
  });

  it('has what was committed when it is opened again', () => {
    const first = openFile();
    put(first, 'a');
    first.close();
    expect(heads(openFile())).toEqual(['a']);
  });

  it('is written by two connections in turn', () => {
    const [one, other] = [openFile(), openFile()];
    put(one, 'a');
    put(other, 'b');
    put(one, 'c');
    expect(heads(other)).toEqual(['a', 'b', 'c']);
  });

  it('stores nothing of a transaction that fails, and is used again', async () => {
    const file = openFile();
    put(file, 'a');
    const fail = () =>
      file.transaction(() => {
        file.run("INSERT INTO heads VALUES ('b', 0, 'x')", []);
        file.run("INSERT INTO heads VALUES ('a', 0, 'x')", []);
      });
    expect(fail).toThrow(StoreUnavailableError);
    expect(() => put(file, 'c')).toThrow(`${path()}: it failed a moment ago: ${path()}: UNIQUE constraint failed`);
    await soon(() => put(file, 'c'));
    expect(heads(file)).toEqual(['a', 'c']);
  });

  it('STO-05 that was taken away is not written to, nor made anew, and is used once it is back', async () => {
    const file = openFile();
    put(file, 'a');
    renameSync(path(), path('away.db'));
    expect(() => put(file, 'b')).toThrow(StoreUnavailableError);
    await soon(() => expect(() => put(file, 'b')).toThrow('no such file'));
    await soon(() => expect(() => heads(file)).toThrow(/^(?!.*a moment ago).*no such file/));
    expect(() => heads(file)).toThrow('it failed a moment ago');
    expect(existsSync(path())).toBe(false);
    renameSync(path('away.db'), path());
    await soon(() => put(file, 'b'));
    expect(heads(file)).toEqual(['a', 'b']);
  });

  it('STO-05 is not opened again where an older one is in its place', async () => {
    const file = openFile();
    put(file, 'a');
    file.rows('PRAGMA wal_checkpoint(TRUNCATE)', []);
    copyFileSync(path(), path('yesterday.db'));
    put(file, 'b');
    file.close();
    for (const end of ['', '-wal', '-shm']) rmSync(`${path()}${end}`, { force: true });
    renameSync(path('yesterday.db'), path());
    await soon(() => expect(() => put(file, 'c')).toThrow('an older one was put in its place'));
  });

  it('STO-05 that is exchanged during a transaction has failed, as what was written is not where it is looked for', () => {
    const file = openFile();
    put(file, 'a');
    file.rows('PRAGMA wal_checkpoint(TRUNCATE)', []);
    copyFileSync(path(), path('copy.db'));
    const exchange = () =>
      file.transaction(() => {
        file.run("INSERT INTO heads VALUES ('b', 0, 'x')", []);
        renameSync(path('copy.db'), path());
      });
    expect(exchange).toThrow('the file was replaced');
  });

  it('STO-05 of a newer version is refused, and left as it is', () => {
    const file = openFile();
    file.run('PRAGMA user_version = 99', []);
    file.close();
    expect(() => openFile()).toThrow(
      `it was written by a newer version of veritee (schema 99, this one knows ${MIGRATIONS.length})`,
    );
    const raw = new engine(path());
    expect(raw.prepare('PRAGMA user_version').raw().get()).toEqual([99]);
    raw.close();
  });

  it('of another program is refused, and left as it is', () => {
    const raw = new engine(path());
    raw.exec('CREATE TABLE theirs (a)');
    raw.close();
    const before = readFileSync(path());
    expect(() => openFile()).toThrow('it is a SQLite database of another program');
    expect(readFileSync(path()).equals(before)).toBe(true);
  });

  it('of another program is refused whatever version it has', () => {
    const raw = new engine(path());
    raw.exec('CREATE TABLE theirs (a)');
    raw.exec('PRAGMA user_version = 1');
    raw.close();
    expect(() => openFile()).toThrow('it is a SQLite database of another program');
  });

  it('that is no database is refused', () => {
    copyFileSync(new URL(import.meta.url), path());
    expect(() => openFile()).toThrow(/file is not a database/);
  });

  it('that cannot be made is refused, with its path', () => {
    copyFileSync(new URL(import.meta.url), path('file'));
    expect(() => openFile(path('file/veritee.db'))).toThrow(`${path('file/veritee.db')}: `);
  });
});

describe('a SQLite file that is only read', () => {
  function read(at = path()): SqliteFile {
    const file = new SqliteFile(engine, at, { readOnly: true });
    open.push(file);
    file.open();
    return file;
  }

  it('is what it was when it was opened, while others write to it and drop from it', () => {
    const writer = openFile();
    put(writer, 'a');
    const reader = read();
    put(writer, 'b');
    writer.transaction(() => writer.run("DELETE FROM heads WHERE chain = 'a'", []));
    expect(heads(reader)).toEqual(['a']);
    expect(heads(read())).toEqual(['b']);
    put(writer, 'c');
    expect(heads(writer)).toEqual(['b', 'c']);
  });

  it('is not written to', () => {
    put(openFile(), 'a');
    const reader = read();
    expect(() => reader.run('DELETE FROM heads', [])).toThrow(/readonly/);
    expect(heads(read())).toEqual(['a']);
  });

  it('has what a process that was killed left beside it, and leaves it there', () => {
    const writer = openFile();
    put(writer, 'a');
    for (const end of ['', '-wal']) copyFileSync(`${path()}${end}`, `${path('killed ?#%20.db')}${end}`);
    const bytes = readFileSync(path('killed ?#%20.db'));
    const reader = read(path('killed ?#%20.db'));
    expect(heads(reader)).toEqual(['a']);
    reader.close();
    expect(readFileSync(path('killed ?#%20.db')).equals(bytes)).toBe(true);
  });

  it('is not made where it is not there, nor filled where it is empty', () => {
    expect(() => read(path('none/veritee.db'))).toThrow(`${path('none/veritee.db')}: `);
    expect(existsSync(path('none'))).toBe(false);
    writeFileSync(path(), '');
    expect(() => read()).toThrow(`${path()}: it is empty`);
    expect(statSync(path()).size).toBe(0);
  });

  it('STO-05 on a full disk, or one that is read-only, stores nothing, and is used again', async () => {
    const file = openFile();
    put(file, 'a');
    // What the engine says then, without a disk of our own.
    for (const pragma of ['max_page_count = 1', 'query_only = ON']) {
      file.rows(`PRAGMA ${pragma}`, []);
      const fill = () => file.transaction(() => file.run("INSERT INTO heads VALUES ('b', 0, ?)", ['x'.repeat(1e6)]));
      expect(fill).toThrow(/database or disk is full|attempt to write a readonly database/);
      // What is there can be read all the same, and reading makes nothing writable sooner.
      expect(heads(file)).toContain('a');
      expect(fill).toThrow('it failed a moment ago');
      expect(heads(file)).toContain('a');
      await soon(() => put(file, pragma));
    }
    expect(heads(file)).toEqual(['a', 'max_page_count = 1', 'query_only = ON']);
  });

  it('STO-05 whose sync fails is closed, and read again before anything is written', async () => {
    let fails = false;
    let opened = 0;
    class Failing extends engine {
      constructor(name: string, options?: ConstructorParameters<Engine>[1]) {
        super(name, options);
        opened++;
      }
      override exec(sql: string): this {
        if (fails && sql === 'COMMIT') throw new Error('disk I/O error');
        return super.exec(sql);
      }
    }
    const file = new SqliteFile(Failing as unknown as Engine, path());
    open.push(file);
    file.open();
    put(file, 'a');
    fails = true;
    expect(() => put(file, 'b')).toThrow('disk I/O error');
    expect(opened).toBe(1);
    expect(() => put(file, 'b')).toThrow('it failed a moment ago');
    expect(heads(file)).toEqual(['a']);
    expect(opened).toBe(2);
    expect(heads(file)).toEqual(['a']);
    // It stays open for nobody meanwhile.
    expect(opened).toBe(3);
    expect(() => put(file, 'b')).toThrow('it failed a moment ago');
    fails = false;
    await soon(() => put(file, 'c'));
    expect(heads(file)).toEqual(['a', 'c']);
  });

  it('of another program is refused', () => {
    const raw = new engine(path());
    raw.exec('CREATE TABLE theirs (a)');
    raw.close();
    expect(() => read()).toThrow('it is a SQLite database of another program');
  });
});
