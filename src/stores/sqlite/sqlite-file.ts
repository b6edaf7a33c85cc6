import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type Database from 'libsql';
import { StoreUnavailableError } from '../../core/decision-log.js';
import { messageOf } from '../../core/errors.js';
import { identityOf, makeFile } from './file-on-disk.js';
import { finalizeStatements } from './finalize.js';
import { Pause } from './pause.js';
import { APPLICATION_ID, MIGRATIONS } from './schema.js';

/** The constructor of the engine, which is loaded where it is needed: it is a native module, and may not load. */
export type Engine = typeof Database;

/** A value that is bound to a statement, or read from a row. */
export type SqlValue = string | number | Uint8Array | null;
export type Row = readonly SqlValue[];

/** How long another process may hold the file. */
const BUSY_MS = 1000;

export interface SqliteFileOptions {
  /** Never writes, and reads the file as it was when it was opened, whatever others write meanwhile. */
  readonly readOnly?: boolean;
  /** Migrates the file to its schema, if that is not the one of this version. */
  readonly migrations?: readonly string[];
}

/**
 * A SQLite file: write-ahead log, synced at each commit. One that failed is closed, and opened again when it is needed: at once
 * to be read, and after a moment to be written to, since a disk that is full can still be read. It knows the file that it opened:
 * one that was put in its place is not written to, and one that lacks commits of this process is not opened again.
 */
export class SqliteFile {
  readonly #engine: Engine;
  readonly #path: string;
  readonly #readOnly: boolean;
  readonly #migrations: readonly string[];
  readonly #statements = new Map<string, Database.Statement>();
  #database: Database.Database | null = null;
  #identity: bigint | null = null;
  /** Commits that the file has had by the last one of this process; null before the first opening. */
  #commits: number | null = null;
  /** After a transaction that failed. */
  readonly #writePause = new Pause();
  /** Where it could not be opened again. */
  readonly #openPause = new Pause();

  constructor(engine: Engine, path: string, { readOnly = false, migrations = MIGRATIONS }: SqliteFileOptions = {}) {
    this.#engine = engine;
    this.#path = path;
    this.#readOnly = readOnly;
    this.#migrations = migrations;
  }

  /**
   * Opens the file, or makes it where this has not had it open before, and does not only read.
   * @throws {StoreUnavailableError} where it cannot be used, or is none of ours
   */
  open(): void {
    this.close();
    try {
      if (statSync(this.#path, { throwIfNoEntry: false })?.isDirectory() === true) {
        throw new StoreUnavailableError('is a directory, and a file is expected');
      }
      if (this.#commits === null && !this.#readOnly) makeFile(this.#path);
      this.#identity = identityOf(this.#path);
      const name = this.#readOnly ? `${pathToFileURL(this.#path)}?mode=ro` : this.#path;
      this.#database = new this.#engine(name, { timeout: BUSY_MS });
      if (this.#readOnly) this.#beginReading();
      else this.#prepareDatabase();
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /**
   * Looks whether `open` would take the file for one of ours, and closes it.
   *
   * @param hasLog whether its write-ahead log is to be read too, which makes the files of one that are missing
   * @throws {StoreUnavailableError}
   */
  look(hasLog: boolean): void {
    try {
      const name = `${pathToFileURL(this.#path)}?${hasLog ? 'mode=ro' : 'immutable=1'}`;
      this.#database = new this.#engine(name, { timeout: BUSY_MS });
      // Of another version, only the service knows what is in it: it brings the file up to date.
      if (this.#requireOurs() === this.#migrations.length) this.#readCommits();
    } catch (error) {
      throw this.#failed(error);
    }
    this.close();
  }

  /**
   * Writes a whole copy as of now into another file, which is empty, and closes this one.
   * @throws {StoreUnavailableError} also where the file is of another version
   */
  copyTo(path: string): void {
    try {
      this.#database = new this.#engine(`${pathToFileURL(this.#path)}?mode=ro`, { timeout: BUSY_MS });
      this.#requireCurrent();
      this.#exec(`VACUUM INTO '${path.replaceAll("'", "''")}'`);
    } catch (error) {
      throw this.#failed(error);
    }
    this.close();
  }

  /**
   * Does work as one durable transaction. Where that fails the file is closed: after a sync that failed, nobody knows what
   * the disk holds.
   *
   * @throws {StoreUnavailableError}
   */
  transaction<T>(work: () => T): T {
    this.#requireOver(this.#writePause);
    try {
      this.#requireOpen();
      this.#exec('BEGIN IMMEDIATE');
      const value = work();
      this.run("UPDATE meta SET value = value + 1 WHERE name = 'commits'", []);
      const commits = this.#readCommits();
      this.#exec('COMMIT');
      this.#requireSameFile();
      this.#commits = commits;
      this.#writePause.over();
      return value;
    } catch (error) {
      const failure = this.#failed(error);
      this.#writePause.begin(failure.message);
      throw failure;
    }
  }

  /** Reads, outside of a transaction, also while nothing can be written. @throws {StoreUnavailableError} */
  read<T>(work: () => T): T {
    try {
      this.#requireOpen();
      return work();
    } catch (error) {
      throw this.#failed(error);
    } finally {
      // Whoever mends the disk may need nobody to have the file open.
      if (this.#writePause.why !== null) this.#giveUp();
    }
  }

  /** @returns how many rows changed */
  run(sql: string, values: readonly SqlValue[]): number {
    return this.#statement(sql).run(...values).changes;
  }

  /** Columns of the schema have one type each (STRICT), which whoever asks names. */
  rows<R extends Row>(sql: string, values: readonly SqlValue[]): readonly R[] {
    return this.#statement(sql).all(...values) as R[];
  }

  row<R extends Row>(sql: string, values: readonly SqlValue[]): R | undefined {
    return this.rows<R>(sql, values)[0];
  }

  /** The one number that a statement asks for. */
  number(sql: string, values: readonly SqlValue[]): number {
    const [[number]] = this.rows<readonly [number]>(sql, values) as readonly [readonly [number]];
    return number;
  }

  close(): void {
    const database = this.#database;
    this.#database = null;
    this.#statements.clear();
    if (database === null) return;
    try {
      // Statements that were not finished keep a connection, and with it a transaction and its lock.
      if (database.inTransaction) database.exec('ROLLBACK');
      database.close();
    } catch {
      // It is of no use any more, whatever it says.
    }
  }

  /** One transaction until the file is closed. */
  #beginReading(): void {
    this.#exec('BEGIN');
    this.#requireCurrent();
  }

  #requireCurrent(): void {
    const version = this.#requireOurs();
    if (version === this.#migrations.length) return;
    throw new StoreUnavailableError(
      version === 0
        ? 'it is empty'
        : `it was written by an earlier version of veritee (schema ${version}, this one reads ${this.#migrations.length}): the service brings it up to date when it starts`,
    );
  }

  #prepareDatabase(): void {
    // Before anything is changed: a file of another program stays what it is.
    this.#requireOurs();
    this.#exec('PRAGMA journal_mode = WAL');
    this.#exec('PRAGMA synchronous = FULL');
    this.#migrate();
    const commits = this.#readCommits();
    if (this.#commits !== null && commits < this.#commits) {
      throw new StoreUnavailableError(
        'the file lacks what this process has written: an older one was put in its place',
      );
    }
  }

  /** All steps, or none. */
  #migrate(): void {
    if (this.#requireOurs() === this.#migrations.length) return;
    this.#exec('BEGIN EXCLUSIVE');
    // Asked again: another process may have done it meanwhile.
    for (const migration of this.#migrations.slice(this.#requireOurs())) this.#exec(migration);
    this.#exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    this.#exec(`PRAGMA user_version = ${this.#migrations.length}`);
    this.#exec('COMMIT');
  }

  /**
   * Asked in one statement, so that what another process commits meanwhile is seen whole or not at all.
   *
   * @returns the version of its schema; 0 of a new file
   */
  #requireOurs(): number {
    const [[version, application, tables]] = this.rows<readonly [number, number, number]>(
      'SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version, pragma_application_id',
      [],
    ) as readonly [readonly [number, number, number]];
    if (application !== APPLICATION_ID && (version !== 0 || tables !== 0)) {
      throw new StoreUnavailableError('it is a SQLite database of another program');
    }
    if (version > this.#migrations.length) {
      throw new StoreUnavailableError(
        `it was written by a newer version of veritee (schema ${version}, this one knows ${this.#migrations.length})`,
      );
    }
    return version;
  }

  #readCommits(): number {
    return this.number("SELECT value FROM meta WHERE name = 'commits'", []);
  }

  /** Closes it so that nothing of the connection is left for the next one. */
  #giveUp(): void {
    const isOpen = this.#database !== null;
    this.close();
    if (isOpen) finalizeStatements();
  }

  #failed(error: unknown): StoreUnavailableError {
    this.#giveUp();
    const why = messageOf(error);
    return new StoreUnavailableError(why.startsWith(this.#path) ? why : `${this.#path}: ${why}`, { cause: error });
  }

  #requireOpen(): void {
    if (this.#database === null) this.#reopen();
    this.#requireSameFile();
  }

  #reopen(): void {
    this.#requireOver(this.#openPause);
    try {
      this.open();
      this.#openPause.over();
    } catch (error) {
      this.#openPause.begin(messageOf(error));
      throw error;
    }
  }

  #requireOver({ why }: Pause): void {
    if (why !== null) throw new StoreUnavailableError(`${this.#path}: ${why}`);
  }

  #requireSameFile(): void {
    if (identityOf(this.#path) !== this.#identity) throw new StoreUnavailableError('the file was replaced');
  }

  #exec(sql: string): void {
    if (this.#database === null) throw new StoreUnavailableError('it is not open');
    this.#database.exec(sql);
  }

  #statement(sql: string): Database.Statement {
    if (this.#database === null) throw new StoreUnavailableError('it is not open');
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    if (statement.reader) statement.raw();
    this.#statements.set(sql, statement);
    return statement;
  }
}
