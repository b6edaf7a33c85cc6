import { ConfigurationError, UnfitError } from '../core/errors.js';
import { fileProblem } from '../core/file-problem.js';
import type { KeyPath } from '../core/places.js';
import { type ReadBytes, readBoundedFile } from './whole-files.js';

/**
 * Reads the text of a file, of at most 1 MiB.
 * @param path the configuration key of the file
 * @throws {ConfigurationError} if it cannot be read; never quotes its content
 */
export async function readConfiguredText(
  path: KeyPath,
  file: string,
  readBytes: ReadBytes = readBoundedFile,
): Promise<string> {
  try {
    return Buffer.from(await readBytes(file)).toString();
  } catch (cause) {
    const why = cause instanceof UnfitError ? `is ${cause.message}` : fileProblem(cause);
    throw new ConfigurationError([{ path, what: `${file}: ${why}` }], { cause });
  }
}
