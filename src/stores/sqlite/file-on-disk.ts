import { closeSync, constants, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Only the account of the service may read the decisions. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/**
 * Makes an empty file that only its owner may read; SQLite gives the files beside it the same mode. Syncs the file and the folders
 * that it creates to the disk.
 */
export function makeFile(path: string): void {
  const folder = dirname(resolve(path));
  const made = mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, FILE_MODE));
  const last = made === undefined ? folder : dirname(made);
  for (let each = folder; ; each = dirname(each)) {
    syncFolder(each);
    if (each === last) return;
  }
}

/** Syncs a folder, without which a new name can be lost in a crash. */
function syncFolder(folder: string): void {
  const opened = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

/** Returns the identity of a file, independent of its name: device and inode. */
export function identityOf(path: string): bigint {
  const { dev, ino } = statSync(path, { bigint: true });
  // Combines both in one number: files of different disks may share an inode.
  return (dev << 64n) | ino;
}
