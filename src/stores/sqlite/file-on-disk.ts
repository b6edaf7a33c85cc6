import { closeSync, constants, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Only whoever runs the service may read what was decided. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/**
 * Makes an empty file that only its owner may read; SQLite gives the files beside it the same mode. It is on the disk, and so are
 * the folders that were made for it.
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

/** A name is there after a crash once its folder is synced. */
function syncFolder(folder: string): void {
  const opened = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

/** The identity of a file, whatever its name: device and inode. */
export function identityOf(path: string): bigint {
  const { dev, ino } = statSync(path, { bigint: true });
  // One number of both: files of different disks may share an inode.
  return (dev << 64n) | ino;
}
