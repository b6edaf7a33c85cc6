import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a new file that only its owner can read. Resolves once the bytes are on the disk. */
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
 * Writes or replaces a file, whole or not at all. Only its owner can read it. Resolves once the file is on the
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

/** Resolves once the names in a folder are on the disk. Without this, a renamed file can be lost in a crash. */
export async function syncFolder(folder: string): Promise<void> {
  const opened = await openFolder(folder);
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

/** @throws {Error} the system error if the folder does not exist, is not a folder, or cannot be used */
export async function requireFolder(folder: string): Promise<void> {
  await (await openFolder(folder)).close();
}

/** Opens a name within the folder, which also detects a folder that can be listed but not entered. */
function openFolder(folder: string) {
  return open(`${folder}/.`, constants.O_RDONLY | constants.O_DIRECTORY);
}
