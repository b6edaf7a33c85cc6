import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Writes a new file, for its owner only. Resolves once the bytes are on the disk. */
export async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
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
