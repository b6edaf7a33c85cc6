import { randomUUID } from 'node:crypto';
import { constants, lstat, open, rename, rm } from 'node:fs/promises';

/** Opens without blocking, so that a pipe is rejected instead of waited for. Rejects links. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** A file that exists, but is unsuitable. The message is in lower case, without period. */
export class UnfitFileError extends Error {
  override readonly name = 'UnfitFileError';
}

/**
 * Reads a regular file. The bytes read determine its size: kernel files report size zero.
 *
 * @param judge checks the open file before it is read
 * @throws {UnfitFileError} if it is no regular file, or is too large
 */
export async function readRegularFile(
  path: string,
  maximumBytes: number,
  judge: (status: { readonly mode: number; readonly uid: number }) => void = () => {},
): Promise<Uint8Array> {
  const file = await open(path, READ).catch((error: unknown) => {
    // O_NOFOLLOW makes a link fail with ELOOP; a socket cannot be opened at all.
    if (hasCode(error, 'ELOOP')) throw new UnfitFileError('is a symbolic link', { cause: error });
    if (hasCode(error, 'ENXIO')) throw new UnfitFileError('is not a regular file', { cause: error });
    throw error;
  });
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new UnfitFileError('is not a regular file');
    judge(status);
    const bytes = new Uint8Array(maximumBytes + 1);
    let length = 0;
    while (length <= maximumBytes) {
      const { bytesRead } = await file.read(bytes, length, bytes.byteLength - length, null);
      if (bytesRead === 0) return bytes.slice(0, length);
      length += bytesRead;
    }
    throw new UnfitFileError(`has more than ${maximumBytes} bytes`);
  } finally {
    await file.close();
  }
}

/** Reads a file like `readBoundedFile`; null if it does not exist. */
export async function readFileIfThere(path: string, maximumBytes: number): Promise<Uint8Array | null> {
  try {
    return await readRegularFile(path, maximumBytes);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return null;
    throw error;
  }
}

/**
 * Writes a file that only its owner can read, whole or not at all.
 * @throws {UnfitFileError} if the path is no regular file: a device must not be replaced
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found !== null && !found.isFile()) throw new UnfitFileError('is not a regular file');
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
