import { lstat } from 'node:fs/promises';
import { UsageError } from '../../cli/input.js';
import type { Configuration } from '../../config/configuration.js';
import { type PostgresAddress, postgresAddressOf, sqliteFileOf } from '../../config/stores.js';
import { type AppendedChains, type LogReader, type LogStore, StoreUnavailableError } from '../../core/decision-log.js';
import { ConfigurationError } from '../../core/errors.js';
import { isSystemError } from '../../core/file-problem.js';
import type { PostgresLogStore } from '../../stores/postgres/postgres-log-store.js';
import { SqliteStore } from '../../stores/sqlite/sqlite-store.js';
import { openAllOrNone } from '../open-parts.js';
import { SYSTEM_CLOCK } from '../system.js';
import { commandLineLog, configurationOf } from './command-line-io.js';
import type { OpenStagedLog } from './log-files.js';

/** The option that names a configuration. */
interface Configured {
  readonly config?: string;
}

/**
 * Reads a snapshot of the decision log that the configuration names. Does not create a missing store.
 * @throws {UsageError} if there is none
 * @throws {StoreUnavailableError} if it cannot be read
 */
export async function readingLog<T>(options: Configured, work: (log: LogReader) => Promise<T>): Promise<T> {
  const configuration = await configurationOf(options);
  const address = postgresAddressOf(configuration);
  if (address !== null) return withPostgres(configuration, address, (store) => store.snapshot(work));
  return closing(await SqliteStore.openToRead(await fileOfLog(configuration)), work);
}

/**
 * Opens the decision log that the configuration names for writing.
 * @throws {UsageError} if it is a missing file
 * @throws {StoreUnavailableError} if it cannot be written
 */
export async function writingLog<T>(configuration: Configuration, work: (log: LogStore) => Promise<T>): Promise<T> {
  const address = postgresAddressOf(configuration);
  if (address !== null) return withPostgres(configuration, address, work);
  return closing(await SqliteStore.open(await fileOfLog(configuration)), work);
}

/**
 * Appends the chains of a log that was read from a file and verified, all of them or nothing. Creates a missing file.
 * @throws {StoreUnavailableError}
 */
export async function appendStaged(
  configuration: Configuration,
  { path: stagedPath, store: staged }: OpenStagedLog,
): Promise<AppendedChains> {
  const address = postgresAddressOf(configuration);
  if (address !== null) {
    return withPostgres(configuration, address, (store) => store.appendChains(staged));
  }
  return closing(await SqliteStore.open(fileOf(configuration)), (store) => store.appendChains(stagedPath));
}

/** @throws {StoreUnavailableError} if the database cannot be reached; a start of the service throws another error */
async function withPostgres<T>(
  configuration: Configuration,
  address: PostgresAddress,
  work: (store: PostgresLogStore) => Promise<T>,
): Promise<T> {
  // Commands on a file load none of these modules.
  const { connectOptions } = await import('../egress.js');
  const { openPostgres } = await import('../postgres-server.js');
  const { PostgresLogStore } = await import('../../stores/postgres/postgres-log-store.js');
  const log = commandLineLog();
  const opening = { clock: SYSTEM_CLOCK, log, connect: connectOptions(configuration) };
  const opened = await openAllOrNone(log, async (parts) => {
    const server = await openPostgres(configuration, address, opening, parts);
    return { store: new PostgresLogStore(server), close: () => parts.close() };
  }).catch((cause: unknown) => {
    throw cause instanceof ConfigurationError ? new StoreUnavailableError(cause.message, { cause }) : cause;
  });
  return closing(opened, ({ store }) => work(store));
}

async function closing<S extends { close(): Promise<void> }, T>(store: S, work: (store: S) => Promise<T>): Promise<T> {
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** @throws {UsageError} if the decisions are not in a file, or the file is missing */
export async function fileOfLog(configuration: Configuration): Promise<string> {
  const path = fileOf(configuration);
  if (await isThere(path)) return path;
  throw new UsageError([
    `stores.url: ${path}: there is no such file`,
    'name the configuration of the service with --config, or run this in the folder of the service',
  ]);
}

/** @throws {UsageError} if the decisions are not in a file */
function fileOf(configuration: Configuration): string {
  const file = sqliteFileOf(configuration);
  if (file !== null) return file;
  throw new UsageError(['stores.url: is a database: back it up with pg_dump (docs/operations.md)']);
}

/** @throws {Error} of the system, if the folder is not accessible */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isSystemError(error) && ['ENOENT', 'ENOTDIR'].includes(error.code)) return false;
    throw error;
  }
}
