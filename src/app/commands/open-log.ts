import { lstat } from 'node:fs/promises';
import { UsageError } from '../../cli/input.js';
import { type Configuration, isFileStore } from '../../config/configuration.js';
import { type RedisStoreConfiguration, redisStoreOf, type StoreConfiguration } from '../../config/redis-store.js';
import { type LogStore, StoreUnavailableError } from '../../core/decision-log.js';
import { ConfigurationError } from '../../core/errors.js';
import { isSystemError } from '../../core/file-problem.js';
import { SqliteStore } from '../../stores/sqlite/sqlite-store.js';
import { openSharedDecisions } from '../redis-stores.js';
import { SYSTEM_CLOCK } from '../system.js';
import { commandLineLog, configurationOf } from './command-line-io.js';

/** How commands are told about a configuration. */
interface Configured {
  readonly config?: string;
}

/**
 * Reads the decision log that the configuration names, as it is now. A store that is not there is not made.
 * @throws {UsageError} where there is none
 * @throws {StoreUnavailableError} where it cannot be read
 */
export async function readingLog<T>(options: Configured, work: (log: LogStore) => Promise<T>): Promise<T> {
  const store = await storeOf(options);
  const shared = redisStoreOf(store);
  return shared === null ? readingFile(fileOf(store), work) : readingShared(shared, work);
}

async function readingShared<T>(shared: RedisStoreConfiguration, work: (log: LogStore) => Promise<T>): Promise<T> {
  const world = { clock: SYSTEM_CLOCK, log: commandLineLog() };
  const store = await openSharedDecisions(shared, world).catch((cause: unknown) => {
    // A service does not start so. Whoever only reads has a store that cannot be read, as with a file.
    throw cause instanceof ConfigurationError ? new StoreUnavailableError(cause.message, { cause }) : cause;
  });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** @throws {UsageError} where decisions are in no file, or it is not there */
export async function fileOfLog({ decisions }: Configuration): Promise<string> {
  const path = fileOf(decisions.store);
  await requireFile(path);
  return path;
}

async function requireFile(path: string): Promise<void> {
  if (await isThere(path)) return;
  throw new UsageError([
    `decisions.store: ${path}: there is no such file`,
    'name the configuration of the service with --config, or run this in the folder of the service',
  ]);
}

async function readingFile<T>(path: string, work: (log: LogStore) => Promise<T>): Promise<T> {
  await requireFile(path);
  const store = await SqliteStore.openToRead(path);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/**
 * The file of the decision log that another one is imported into, which may not be there.
 * @throws {UsageError} where decisions are in no file
 */
export async function fileToImportInto(options: Configured): Promise<string> {
  return fileOf(await storeOf(options));
}

async function storeOf(options: Configured): Promise<StoreConfiguration> {
  return (await configurationOf(options)).decisions.store;
}

/** @throws {UsageError} where decisions are in no file */
function fileOf(store: StoreConfiguration): string {
  if (isFileStore(store)) return store;
  const isOff = redisStoreOf(store) === null;
  throw new UsageError([
    `decisions.store: ${isOff ? 'is off: decisions are not stored' : 'is no file, and this command changes a file'}`,
    'name the configuration of the service with --config, or its file with VERITEE__DECISIONS__STORE',
  ]);
}

/** @throws {Error} of the system, where nobody may look */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isSystemError(error) && ['ENOENT', 'ENOTDIR'].includes(error.code)) return false;
    throw error;
  }
}
