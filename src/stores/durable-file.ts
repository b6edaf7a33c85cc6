import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a new file, for its owner only. Resolves once the bytes are on the disk. */
export async function writeDurably(path: string, bytes: Uint8Array | string | AsyncIterable<string>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await writeFile(file, bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Writes a file in the place of one that may be there, for its owner only: whole, or not at all. Resolves once it is on the
 * disk.
 */
export async function replaceDurably(path: string, texts: AsyncIterable<string>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeDurably(temporary, texts);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Resolves once the names in a folder are on the disk: a file that was renamed is there after a crash only then. */
export async function syncFolder(folder: string): Promise<void> {
  const opened = await openFolder(folder);
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

/** @throws {Error} of the system where a folder is not there, is none, or may not be used */
export async function requireFolder(folder: string): Promise<void> {
  await (await openFolder(folder)).close();
}

/** By a name within it, so that a folder that may be listed but not entered is found out too. */
function openFolder(folder: string) {
  return open(`${folder}/.`, constants.O_RDONLY | constants.O_DIRECTORY);
}
