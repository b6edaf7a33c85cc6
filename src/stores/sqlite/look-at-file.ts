import { existsSync } from 'node:fs';
import { notOpened } from './engine-problem.js';
import { SqliteFile } from './sqlite-file.js';

/**
 * Looks at a file that is there, as a service finds it at its start. Changes nothing, and makes no file, as a reader of a
 * write-ahead log otherwise would.
 *
 * @throws {StoreUnavailableError} where it is no database, none of ours or of a newer version, or the engine does not load
 */
export async function lookAtFile(path: string): Promise<void> {
  try {
    const { default: engine } = await import('libsql');
    const hasLog = ['-wal', '-shm'].every((end) => existsSync(`${path}${end}`));
    new SqliteFile(engine, path, { readOnly: true }).look(hasLog);
  } catch (error) {
    throw error instanceof Error ? notOpened(error) : error;
  }
}
