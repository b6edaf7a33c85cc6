import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type Database from 'libsql';
import { syncFolder, writeDurably } from '../durable-file.js';
import { notOpened } from './engine-problem.js';
import { SqliteFile } from './sqlite-file.js';

/**
 * Writes a copy of the file as it is now, without its challenges, which are void in another process. A service may write to the file meanwhile. The copy appears whole or not at all, and only its owner can read it.
 *
 * @param path of the file
 * @param copy path of the copy, in a folder that exists
 * @throws {StoreUnavailableError} if the file cannot be read
 * @throws {Error} the system error if the copy cannot be written
 */
export async function backUpFile(path: string, copy: string): Promise<void> {
  const temporary = `${copy}.${randomUUID()}.tmp`;
  await writeDurably(temporary, '');
  try {
    const engine = await loadEngine();
    new SqliteFile(engine, path, { readOnly: true }).copyTo(temporary);
    dropChallenges(engine, temporary);
    await sync(temporary);
    await rename(temporary, copy);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(copy));
}

async function loadEngine(): Promise<typeof Database> {
  try {
    return (await import('libsql')).default;
  } catch (error) {
    throw error instanceof Error ? notOpened(error) : error;
  }
}

/** Clears them from free pages too. */
function dropChallenges(engine: typeof Database, path: string): void {
  const database = new engine(path);
  try {
    database.exec('PRAGMA secure_delete = ON; DELETE FROM challenges');
  } finally {
    database.close();
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
