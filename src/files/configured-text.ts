import type { ConfiguredMaterial } from '../model/configured-files.js';
import { ConfigurationError, UnfitError } from '../model/errors.js';
import { fileProblem } from '../model/file-problem.js';
import type { KeyPath } from '../model/places.js';
import { DISK_FILES } from './disk-files.js';

/**
 * The text of a file, of at most 1 MiB.
 * @param path of the key that names it
 * @throws {ConfigurationError} where it cannot be read; what it holds is never quoted
 */
export async function readConfiguredText(
  path: KeyPath,
  file: string,
  from: ConfiguredMaterial = DISK_FILES,
): Promise<string> {
  try {
    return Buffer.from(await from.read(file)).toString();
  } catch (cause) {
    const why = cause instanceof UnfitError ? `is ${cause.message}` : fileProblem(cause);
    throw new ConfigurationError([{ path, what: `${file}: ${why}` }], { cause });
  }
}
