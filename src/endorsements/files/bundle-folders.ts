import { readdir } from 'node:fs/promises';
import { ConfigurationError } from '../../model/errors.js';
import { CERTIFICATE_FILES, COLLATERAL_FILES } from './material-files.js';

/**
 * A bundle that says what one machine needs must not be mixed with what stood there before.
 * @throws {ConfigurationError} where the folder of an export is not empty, or no folder
 */
export async function requireEmptyFolder(folder: string): Promise<void> {
  const names = (await namesIn(folder)) ?? [];
  if (names.length > 0) {
    throw new ConfigurationError([`${folder}: is not empty; an export writes into a new or empty folder`]);
  }
}

/** @throws {ConfigurationError} where a folder is not there, is none, or has no file that an import could take */
export async function requireBundle(folder: string): Promise<void> {
  const names = await namesIn(folder);
  if (names === null) throw new ConfigurationError([`${folder}: no such folder`]);
  if (names.some((name) => CERTIFICATE_FILES.test(name) || COLLATERAL_FILES.test(name))) return;
  const what = 'certificates and revocation lists (*.pem, *.der, *.crl) or TDX collateral (*.json)';
  const state = names.length === 0 ? 'is empty' : 'has nothing to import';
  throw new ConfigurationError([`${folder}: ${state}; a bundle holds ${what}`]);
}

/** Names but those that begin with a dot, which nothing here reads; null where there is no folder. */
async function namesIn(folder: string): Promise<readonly string[] | null> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('.'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT') return null;
    if (code === 'ENOTDIR') throw new ConfigurationError([`${folder}: is not a folder`]);
    throw error;
  }
}
