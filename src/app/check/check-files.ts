import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type Configuration,
  challengeKeyPath,
  endorsementCacheDirectory,
  resetMemoryDirectory,
} from '../../config/configuration.js';
import { type ConfigurationProblemCode, configurationProblem } from '../../config/configuration-problem.js';
import { isLocalKey } from '../../config/released-keys.js';
import { sqliteFileOf } from '../../config/stores.js';
import { policiesByTenant } from '../../config/tenants.js';
import type { AzureIdentity } from '../../core/azure-identity.js';
import { StoreUnavailableError } from '../../core/decision-log.js';
import { UnfitError } from '../../core/errors.js';
import { fileProblem, isSystemError, outputProblem } from '../../core/file-problem.js';
import type { LintProblem } from '../../core/lint-problem.js';
import type { KeyPath } from '../../core/places.js';
import { AmdDirectory } from '../../endorsements/amd/amd-directory.js';
import { AkIssuerFolder } from '../../endorsements/attestation-keys/ak-issuer-folder.js';
import type { EndingFile, NamedFile } from '../../endorsements/files/material-files.js';
import type { FolderOptions, WatchedFolder } from '../../endorsements/files/watched-folder.js';
import { CollateralDirectory } from '../../endorsements/intel/collateral-directory.js';
import { readBoundedFile } from '../../files/whole-files.js';
import { readChallengeKey } from '../../stores/challenge-key.js';
import { lookAtFile } from '../../stores/sqlite/look-at-file.js';
import { CollateralReader } from '../../tee/tdx/intel/collateral.js';
import { INTEL_SGX_ROOT_PINS } from '../../tee/tdx/intel/roots.js';
import { servedPins } from '../amd-lines.js';
import { readServerAuthorities } from '../tls-material.js';
import { ProblemLog } from './problem-log.js';

/** The content of the operator's folders of endorsements, and the unused part of it. */
export interface CheckedFolders {
  /** Certificates of `tpm.intermediates`, in DER, by the names of their files. */
  readonly akIssuers: readonly NamedFile[];
  /** CRLs and collateral of the other folders. */
  readonly endorsements: (at: Date) => readonly EndingFile[];
  readonly problems: readonly LintProblem[];
}

/** Reads the folders of endorsements once, as the service does at its start. */
export async function checkFolders(configuration: Configuration): Promise<CheckedFolders> {
  const { amd, intel, tpm } = configuration;
  const read = async <F extends WatchedFolder>(path: KeyPath, open: (options: Omit<FolderOptions, 'folder'>) => F) => {
    const log = new ProblemLog((severity, { file, why }) =>
      configurationProblem(severity === 'error' ? 'config_missing' : 'config_unused', {
        path,
        what: file === undefined ? `cannot be read: ${why ?? 'unknown fault'}` : `${file}: ${why}`,
      }),
    );
    const folder = open({ log, pollMs: 0 });
    await folder.refresh();
    return { folder, problems: log.problems };
  };
  const reader = new CollateralReader(INTEL_SGX_ROOT_PINS);
  const ofAmd = await read(
    ['amd', 'chains'],
    (options) => new AmdDirectory({ ...options, folder: amd.chains, pins: servedPins(configuration) }),
  );
  const ofIntel = await read(
    ['intel', 'collateral'],
    (options) => new CollateralDirectory({ ...options, folder: intel.collateral, reader }),
  );
  const ofKeys = await read(
    ['tpm', 'intermediates'],
    (options) => new AkIssuerFolder({ ...options, folder: tpm.intermediates }),
  );
  return {
    akIssuers: ofKeys.folder.certificates,
    endorsements: (at) => [...ofAmd.folder.endings, ...ofIntel.folder.endings(at)],
    problems: [...ofAmd.problems, ...ofIntel.problems, ...ofKeys.problems],
  };
}

/** A file, and the key that names it; null where none does. */
export type PlacedFile = readonly [path: KeyPath, file: string | null];

/** Credentials for other services are read when they are used: without them, nothing is submitted. */
export function checkSubmissionCredentials({ maa, ita }: Configuration): Promise<readonly LintProblem[]> {
  return checkReadable('config_missing', [
    ...filesOf(['maa', 'submit', 'credential'], maa.submit.credential),
    [['ita', 'submit', 'apiKeyFile'], ita.submit?.apiKeyFile ?? null],
  ]);
}

/** The service does not start without it: its keys are in a vault. */
export function checkReceiptCredential({ receipts }: Configuration): Promise<readonly LintProblem[]> {
  return checkReadable('config_file', filesOf(['receipts', 'credential'], receipts.credential));
}

/** They are read when a key is released: without them, none of a vault is. */
export function checkKeyCredentials({ keys }: Configuration): Promise<readonly LintProblem[]> {
  const files = Object.entries(keys).flatMap(([id, key]) =>
    isLocalKey(key) ? [] : filesOf(['keys', id, 'credential'], key.credential),
  );
  return checkReadable('config_missing', files);
}

/** It is read for each connection: without it, the proxy is not asked, and nothing is fetched that it would carry. */
export function checkEgressPassword({ egress }: Configuration): Promise<readonly LintProblem[]> {
  return checkReadable('config_missing', [[['egress', 'passwordFile'], egress.passwordFile]]);
}

/** Files that an identity names. */
export function filesOf(path: KeyPath, identity: AzureIdentity | null): readonly PlacedFile[] {
  return Object.entries(identity ?? {}).flatMap(([name, value]): PlacedFile[] =>
    name.endsWith('File') ? [[[...path, name], value]] : [],
  );
}

async function checkReadable(
  code: ConfigurationProblemCode,
  files: readonly PlacedFile[],
): Promise<readonly LintProblem[]> {
  const checked = files.map(async ([path, file]) => {
    const why = file === null ? null : await whyUnreadable(file);
    return why === null ? [] : [configurationProblem(code, { path, what: `${file}: ${why}` })];
  });
  return (await Promise.all(checked)).flat();
}

/** Without the files for a database the service does not start. */
export async function checkStoreFiles({ stores }: Configuration): Promise<readonly LintProblem[]> {
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

async function whyUnreadable(file: string): Promise<string | null> {
  try {
    await readBoundedFile(file);
    return null;
  } catch (error) {
    if (error instanceof UnfitError) return `is ${error.message}`;
    if (isSystemError(error)) return fileProblem(error);
    throw error;
  }
}

/** Without the file of SQLite the service does not start. It is looked at, and not made. */
export async function checkStoreFile(configuration: Configuration): Promise<readonly LintProblem[]> {
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
 * Whether the service could write what it writes. Nothing is created.
 * @throws {ConfigurationError} where the challenge key is not one
 */
export async function checkWritten(configuration: Configuration): Promise<readonly LintProblem[]> {
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

/** Why nothing could be written into a folder, which may be one that is still to be made; null where it could. */
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

/** Also where a file is in the place of a folder above it. */
function isAbsent({ code }: { readonly code: string }): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}
