import { readFile } from 'node:fs/promises';
import { ConfigurationError } from '../model/errors.js';
import { fileProblem } from '../model/file-problem.js';

/**
 * Text of the configuration file.
 * @throws {ConfigurationError} where it cannot be read, or is not UTF-8
 */
export async function readConfigurationFile(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new ConfigurationError([`configuration file ${path}: ${fileProblem(cause)}`], { cause });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigurationError([`configuration file ${path}: is not UTF-8 text`], { cause });
  }
}
