import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type Configuration,
  challengeKeyPath,
  endorsementCacheDirectory,
  resetMemoryDirectory,
} from '../../config/configuration.js';
import { configurationProblem } from '../../config/configuration-problem.js';
import { sqliteFileOf } from '../../config/stores.js';
import { policiesByTenant } from '../../config/tenants.js';
import { StoreUnavailableError } from '../../core/decision-log.js';
import { UnfitError } from '../../core/errors.js';
import { fileProblem, isSystemError, outputProblem } from '../../core/file-problem.js';
import type { LintProblem } from '../../core/lint-problem.js';
import type { KeyPath } from '../../core/places.js';
import { readChallengeKey } from '../../stores/challenge-key.js';
import { lookAtFile } from '../../stores/sqlite/look-at-file.js';
import { readServerAuthorities } from '../tls-material.js';
import type { Problems } from './problems.js';
import { checkReadable, filesOf } from './readable-files.js';

/** Checks the database and the files that the service writes, without creating any. */
export async function checkStores(configuration: Configuration, found: Problems): Promise<void> {
  found.add(await checkDatabaseFiles(configuration));
  found.add(await checkSqliteFile(configuration));
  found.add((await found.of('config_file', () => checkWritten(configuration))) ?? []);
}

/** The service does not start without the files that a database needs. */
async function checkDatabaseFiles({ stores }: Configuration): Promise<readonly LintProblem[]> {
  const { passwordFile, ca, credential } = stores;
  const unreadable = await checkReadable('config_file', [
    [['stores', 'passwordFile'], passwordFile],
    ...filesOf(['stores', 'credential'], credential),
  ]);
  return [...unreadable, ...(ca === null ? [] : await checkAuthorities(['stores', 'ca'], ca))];
}

async function checkAuthorities(path: KeyPath, file: string): Promise<readonly LintProblem[]> {
  try {
    await readServerAuthorities(file);
    return [];
  } catch (error) {
    if (!(error instanceof UnfitError)) throw error;
    return [configurationProblem('config_file', { path, what: error.message })];
  }
}

/** The service does not start if it cannot use the SQLite file. The check reads the file, and does not create it. */
async function checkSqliteFile(configuration: Configuration): Promise<readonly LintProblem[]> {
  const store = sqliteFileOf(configuration);
  if (store === null) return [];
  const path = ['stores', 'url'];
  const inFolder = await whyNotWritable(dirname(store));
  if (inFolder !== null) return [configurationProblem('config_permission', { path, what: `${store}: ${inFolder}` })];
  const why = await whyNotUsable(store);
  return why === null ? [] : [configurationProblem('config_file', { path, what: why })];
}

async function whyNotUsable(file: string): Promise<string | null> {
  try {
    if ((await stat(file)).isDirectory()) return `${file}: is a directory, and a file is expected`;
    await access(file, constants.R_OK);
    await access(file, constants.W_OK).catch((error: unknown) => {
      throw new UnfitError(outputProblem(error));
    });
    await lookAtFile(file);
    return null;
  } catch (error) {
    if (error instanceof StoreUnavailableError) return error.message;
    if (error instanceof UnfitError) return `${file}: ${error.message}`;
    if (!isSystemError(error)) throw error;
    return isAbsent(error) ? null : `${file}: ${fileProblem(error)}`;
  }
}

/**
 * Checks that the service could write its own files and folders. Nothing is created.
 * @throws {ConfigurationError} if the challenge key is malformed
 */
async function checkWritten(configuration: Configuration): Promise<readonly LintProblem[]> {
  const key = await challengeKeyProblems(challengeKeyPath(configuration));
  const tenants = [...policiesByTenant(configuration).keys()];
  const ofResets = tenants.map((tenant) => resetMemoryDirectory(configuration, tenant));
  const folders = [endorsementCacheDirectory(configuration), ...ofResets];
  const ofData = folders.map(async (folder) => {
    const why = await whyNotWritable(folder);
    if (why === null) return [];
    return [configurationProblem('config_data', { path: ['stores', 'url'], what: `${folder}: ${why}` })];
  });
  return [...key, ...(await Promise.all(ofData)).flat()];
}

async function challengeKeyProblems(file: string): Promise<readonly LintProblem[]> {
  const path = ['challenges', 'key'];
  try {
    if ((await readChallengeKey(file)) !== null) return [];
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (!isAbsent(error))
      return [configurationProblem('config_file', { path, what: `${file}: ${fileProblem(error)}` })];
  }
  const why = await whyNotWritable(dirname(file));
  return why === null ? [] : [configurationProblem('config_permission', { path, what: `${file}: ${why}` })];
}

/** Says why the service could not write into a folder, which need not exist yet; null if it could. */
async function whyNotWritable(folder: string): Promise<string | null> {
  try {
    if (!(await stat(folder)).isDirectory()) return `${folder} is a file, and a folder is expected`;
    await access(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const above = dirname(folder);
    return isAbsent(error) && above !== folder ? whyNotWritable(above) : outputProblem(error);
  }
}

/** Also true if a file is in the place of a folder above it. */
function isAbsent({ code }: { readonly code: string }): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}
