import { lstat } from 'node:fs/promises';
import { UsageError } from '../cli/input.js';
import { isFileStore } from '../config/configuration.js';
import { redisStoreOf, type StoreConfiguration } from '../config/redis-store.js';
import type { LogStore } from '../model/decision-log.js';
import { isSystemError } from '../model/file-problem.js';
import { SqliteStore } from '../stores/sqlite/sqlite-store.js';
import { configurationOf } from './command-line-io.js';

/** How commands are told about a configuration. */
interface Configured {
  readonly config?: string;
}

/**
 * Reads the decision log that the configuration names, as it is now. A store that is not there is not made.
 * @throws {UsageError} where there is none
 */
export async function readingLog<T>(options: Configured, work: (log: LogStore) => Promise<T>): Promise<T> {
  const path = fileOf(await storeOf(options), 'this command reads files');
  if (!(await isThere(path))) {
    throw new UsageError([
      `decisions.store: ${path}: there is no such file`,
      'name the configuration of the service with --config, or run this in the folder of the service',
    ]);
  }
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
  return fileOf(await storeOf(options), 'an import goes into a file');
}

async function storeOf(options: Configured): Promise<StoreConfiguration> {
  return (await configurationOf(options)).decisions.store;
}

function fileOf(store: StoreConfiguration, because: string): string {
  if (isFileStore(store)) return store;
  const isOff = redisStoreOf(store) === null;
  throw new UsageError([
    `decisions.store: ${isOff ? 'is off: decisions are not stored' : `is no file, and ${because}`}`,
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
