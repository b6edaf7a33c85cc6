import { randomUUID } from 'node:crypto';
import { constants, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UnfitError } from '../core/errors.js';

/** More than any certificate or CRL has. */
const MAXIMUM_BYTES = 1024 * 1024;

/** Opens without blocking, so that a pipe is rejected instead of waited for. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Reads a file of endorsement material or of the configuration. Follows links: only the verified content counts.
 *
 * @throws {UnfitError} if it is no file, is too large, or grows while it is read
 * @throws {Error} if it cannot be read
 */
export async function readBoundedFile(path: string): Promise<Uint8Array> {
  const file = await open(path, READ);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new UnfitError('not a file');
    if (found.size > MAXIMUM_BYTES) throw new UnfitError(`over ${MAXIMUM_BYTES} bytes`);
    const bytes = new Uint8Array(found.size + 1);
    let length = 0;
    while (length < bytes.byteLength) {
      const { bytesRead } = await file.read(bytes, length, bytes.byteLength - length, null);
      if (bytesRead === 0) return bytes.subarray(0, length);
      length += bytesRead;
    }
    throw new UnfitError('growing while it is read');
  } finally {
    await file.close();
  }
}

/** Reads a whole file, like `readBoundedFile`. */
export type ReadBytes = (path: string) => Promise<Uint8Array>;

/** The readers of a file: the service's own user, or everybody. */
type Readers = 'owner' | 'everybody';

const MODES = { owner: { folder: 0o700, file: 0o600 }, everybody: { folder: 0o755, file: 0o644 } } as const;

/**
 * Writes a file whole or not at all: a temporary file beside it, then a rename. Creates the folder.
 */
export async function writeAtomically(path: string, bytes: Uint8Array | string, readers: Readers): Promise<void> {
  const mode = MODES[readers];
  const temporary = `${path}.${randomUUID()}.tmp`;
  await mkdir(dirname(path), { recursive: true, mode: mode.folder });
  try {
    await writeFile(temporary, bytes, { mode: mode.file, flag: 'wx', flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
