import { constants, open } from 'node:fs/promises';
import { UnfitError } from '../../model/errors.js';

/** More than any certificate or revocation list has. */
const MAXIMUM_BYTES = 1024 * 1024;

/** Not blocking, so that a pipe is found out instead of waited for. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * The bytes of a file of endorsement material. Links are followed: what counts is what the content verifies as.
 *
 * @throws {UnfitError} where it is no file, is too large, or grows while it is read
 * @throws {Error} where it cannot be read
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
    throw new UnfitError('grew while it was read');
  } finally {
    await file.close();
  }
}
