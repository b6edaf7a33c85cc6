import { readFile, stat } from 'node:fs/promises';
import { ConfigurationError, FormatError } from '../../model/errors.js';
import { fileProblem } from '../../model/file-problem.js';

const MAXIMUM_BYTES = 1024 * 1024;

/**
 * Reads a file that the configuration names.
 * @param place the key of the configuration that names it, and what it is for, for people
 * @throws {ConfigurationError} where it cannot be read, or `parse` throws a FormatError
 */
export async function readConfiguredFile<T>(path: string, place: string, parse: (bytes: Uint8Array) => T): Promise<T> {
  try {
    return parse(await readBounded(path));
  } catch (cause) {
    throw new ConfigurationError([`${place}: ${path}: ${reasonOf(cause)}`], { cause });
  }
}

async function readBounded(path: string): Promise<Uint8Array> {
  const found = await stat(path);
  if (!found.isFile()) throw new FormatError('schema', 'is not a file');
  if (found.size > MAXIMUM_BYTES) throw new FormatError('schema', `is over ${MAXIMUM_BYTES} bytes`);
  return readFile(path);
}

/** @throws {unknown} what is a fault neither of the file nor of its content */
function reasonOf(error: unknown): string {
  if (error instanceof FormatError) return error.message;
  if (error instanceof Error && 'code' in error) return fileProblem(error);
  throw error;
}
