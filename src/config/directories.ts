import { dirname, join } from 'node:path';
import type { Configuration } from './configuration.js';
import { DEFAULT_DECISION_STORE, DEFAULT_POLICY_DIRECTORY } from './schema.js';

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
