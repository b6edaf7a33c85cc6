import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type Database from 'libsql';
import { StoreUnavailableError } from '../../core/decision-log.js';
import { messageOf } from '../../core/errors.js';
import { identityOf, makeFile } from './file-on-disk.js';
import { finalizeStatements } from './finalize.js';
import { Pause } from './pause.js';
import { APPLICATION_ID, MIGRATIONS } from './schema.js';

/** The constructor of the engine. It is loaded on demand: it is a native module, and may not load. */
export type Engine = typeof Database;

/** A value that is bound to a statement, or read from a row. */
export type SqlValue = string | number | Uint8Array | null;
export type Row = readonly SqlValue[];

/** How long another process may lock the file. */
const BUSY_MS = 1000;

export interface SqliteFileOptions {
  /** Never writes, and reads the file as of its opening, without later changes. */
  readonly readOnly?: boolean;
  /** Migrates the file to the schema of this version, if its schema differs. */
  readonly migrations?: readonly string[];
}

/**
 * A SQLite file: write-ahead log, synced at each commit. After a failure the file is closed and opened again on demand. Reads open it
 * at once, writes after a pause, since a full disk can still be read. It recognises the file that it opened: it does not
 * write to a replacement, and does not reopen a file that lacks commits of this process.
 */
export class SqliteFile {
  readonly #engine: Engine;
  readonly #path: string;
  readonly #readOnly: boolean;
  readonly #migrations: readonly string[];
  readonly #statements = new Map<string, Database.Statement>();
  #database: Database.Database | null = null;
  #identity: bigint | null = null;
  /** Number of commits in the file at the last commit of this process; null before the first opening. */
  #commits: number | null = null;
  /** Pause after a failed transaction. */
  readonly #writePause = new Pause();
  /** Pause after a failed opening. */
  readonly #openPause = new Pause();

  constructor(engine: Engine, path: string, { readOnly = false, migrations = MIGRATIONS }: SqliteFileOptions = {}) {
    this.#engine = engine;
    this.#path = path;
    this.#readOnly = readOnly;
    this.#migrations = migrations;
  }

  /**
   * Opens the file. Creates it at the first opening, unless it is read-only.
   * @throws {StoreUnavailableError} if the file cannot be used, or is a file of another program
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
   * Checks whether `open` would accept the file, and closes it.
   *
   * @param hasLog whether to read its write-ahead log too, which creates missing files of it
   * @throws {StoreUnavailableError}
   */
  look(hasLog: boolean): void {
    try {
      const name = `${pathToFileURL(this.#path)}?${hasLog ? 'mode=ro' : 'immutable=1'}`;
      this.#database = new this.#engine(name, { timeout: BUSY_MS });
      // A file of another version is only migrated by the service, which then knows its content.
      if (this.#requireOurs() === this.#migrations.length) this.#readCommits();
    } catch (error) {
      throw this.#failed(error);
    }
    this.close();
  }

  /**
   * Writes a whole copy of the current state into another, empty file, and closes this one.
   * @throws {StoreUnavailableError} also if the file has another version
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
   * Runs work as one durable transaction. After a failure the file is closed: after a failed sync, the content of the disk is
   * unknown.
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

  /** Reads outside of a transaction, also while writes fail. @throws {StoreUnavailableError} */
  read<T>(work: () => T): T {
    try {
      this.#requireOpen();
      return work();
    } catch (error) {
      throw this.#failed(error);
    } finally {
      // An operator who repairs the disk may need the file closed.
      if (this.#writePause.why !== null) this.#giveUp();
    }
  }

  /** @returns the number of changed rows */
  run(sql: string, values: readonly SqlValue[]): number {
    return this.#statement(sql).run(...values).changes;
  }

  /** Returns rows of type R. Columns of the schema have one type each (STRICT), which the caller names. */
  rows<R extends Row>(sql: string, values: readonly SqlValue[]): readonly R[] {
    return this.#statement(sql).all(...values) as R[];
  }

  row<R extends Row>(sql: string, values: readonly SqlValue[]): R | undefined {
    return this.rows<R>(sql, values)[0];
  }

  /** Returns the single number of a query. */
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
      // Unfinished statements keep a connection open, and with it a transaction and its lock.
      if (database.inTransaction) database.exec('ROLLBACK');
      database.close();
    } catch {
      // The connection is discarded, so its error is irrelevant.
    }
  }

  /** Begins a transaction that lasts until the file is closed. */
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
    // Before any change, so that a file of another program stays unchanged.
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

  /** Runs all steps, or none. */
  #migrate(): void {
    if (this.#requireOurs() === this.#migrations.length) return;
    this.#exec('BEGIN EXCLUSIVE');
    // Reads the version again: another process may have migrated meanwhile.
    for (const migration of this.#migrations.slice(this.#requireOurs())) this.#exec(migration);
    this.#exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    this.#exec(`PRAGMA user_version = ${this.#migrations.length}`);
    this.#exec('COMMIT');
  }

  /**
   * Reads in one statement, so that a concurrent commit is visible as a whole or not at all.
   *
   * @returns the schema version; 0 for a new file
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

  /** Closes the file so that the next connection inherits no state. */
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
