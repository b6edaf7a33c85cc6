import { dirname, join } from 'node:path';
import {
  type Configuration,
  DEFAULT_AMD_FOLDER,
  DEFAULT_DECISION_STORE,
  DEFAULT_INTEL_FOLDER,
  DEFAULT_POLICY_DIRECTORY,
} from './configuration.js';

/** Directory of what the service writes: that of the decision store, or of the default one where that is no file. */
export function dataDirectory({ decisions }: Configuration): string {
  const isFile = decisions.store !== 'off' && !decisions.store.includes('://');
  return dirname(isFile ? decisions.store : DEFAULT_DECISION_STORE);
}

/** File of the MAC key of challenges. */
export function challengeKeyPath(configuration: Configuration): string {
  return configuration.challenges.key ?? join(dataDirectory(configuration), 'challenges.key');
}

/** Directory where fetched endorsements are kept. */
export function endorsementCacheDirectory(configuration: Configuration): string {
  return join(dataDirectory(configuration), 'endorsements');
}

/** Whether the policy directory must exist: only the one that nobody named may be missing, and then holds no files. */
export function isPolicyDirectoryRequired({ policies }: Configuration): boolean {
  return policies.directory !== DEFAULT_POLICY_DIRECTORY;
}

/** Folders of endorsements that somebody named, by their keys: only those that nobody named may be missing unsaid. */
export function namedEndorsementFolders({ amd, intel }: Configuration): ReadonlyMap<string, string> {
  const folders: readonly (readonly [key: string, folder: string, byDefault: string])[] = [
    ['amd.chains', amd.chains, DEFAULT_AMD_FOLDER],
    ['intel.collateral', intel.collateral, DEFAULT_INTEL_FOLDER],
  ];
  return new Map(folders.filter(([, folder, byDefault]) => folder !== byDefault).map(([key, folder]) => [key, folder]));
}
