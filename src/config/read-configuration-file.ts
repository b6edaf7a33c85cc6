import { readFile } from 'node:fs/promises';
import { ConfigurationError } from '../model/errors.js';

/**
 * Text of the configuration file.
 * @throws {ConfigurationError} where it cannot be read, or is not UTF-8
 */
export async function readConfigurationFile(path: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    throw new ConfigurationError([`configuration file ${path}: cannot be read as UTF-8 text`], { cause });
  }
}
