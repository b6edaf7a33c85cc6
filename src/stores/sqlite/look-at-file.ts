import { existsSync } from 'node:fs';
import { notOpened } from './engine-problem.js';
import { SqliteFile } from './sqlite-file.js';

/**
 * Inspects an existing file as a service would find it at its start. Changes nothing and creates no file, which a reader
 * of a write-ahead log otherwise would.
 *
 * @throws {StoreUnavailableError} for a file of another program or a newer version, or if the engine does not load
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
