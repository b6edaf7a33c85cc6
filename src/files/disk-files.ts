import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfiguredFiles, PolicyText, PolicyTexts } from '../model/configured-files.js';
import { isSystemError } from '../model/file-problem.js';
import { PolicyFileError, readPolicyFile } from './policy-file.js';
import { isPolicyName } from './policy-names.js';
import { readBoundedFile } from './whole-files.js';

/** Files as they are on the disk now. */
export const DISK_FILES: ConfiguredFiles = {
  read: readBoundedFile,
  names: (folder) => readdir(folder),
  mark: markOf,
  policies: (directory) => readPolicyTexts(directory),
};

/** For `readPolicyTexts`. */
export const DISK_READING: Reading = { names: DISK_FILES.names, mark: markOf, text: readText };

/** When the file of a mark was last written; null for a mark of a file that was not there. */
export function modifiedAt(mark: string): Date | null {
  const [, , , nanoseconds] = mark.split(',');
  return nanoseconds === undefined ? null : new Date(Number(BigInt(nanoseconds) / 1_000_000n));
}

/** Links are followed, as a mounted Kubernetes volume consists of them. */
async function markOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch (error) {
    return isSystemError(error) ? error.code : 'unknown fault';
  }
}

/** How often a directory is read again that changed while it was read. */
const ATTEMPTS = 5;

type Looking = Pick<ConfiguredFiles, 'names' | 'mark'>;

/** What a policy directory is read by. */
interface Reading extends Looking {
  readonly text: (directory: string, name: string) => Promise<PolicyText>;
}

/**
 * The policies of a directory, from one state of it: where it changes meanwhile (a ConfigMap is exchanged as a whole), it is read
 * again, so that no set is half old and half new. Null: there is no such directory.
 *
 * @throws {PolicyFileError} where it keeps changing
 * @throws {Error} of the system where it cannot be read
 */
export async function readPolicyTexts(directory: string, by: Reading = DISK_READING): Promise<PolicyTexts | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const fingerprint = await fingerprintOfPolicies(directory, by);
    const files: PolicyText[] = [];
    for (const name of (await policyNames(directory, by)) ?? []) files.push(await by.text(directory, name));
    if ((await fingerprintOfPolicies(directory, by)) !== fingerprint) continue;
    return fingerprint === null ? null : { fingerprint, files };
  }
  throw new PolicyFileError('keeps changing while it is read');
}

/**
 * What tells that something in the directory changed: names, and the marks of the files. Null: there is no such directory.
 * @throws {Error} of the system where it cannot be read
 */
export async function fingerprintOfPolicies(directory: string, files: Looking): Promise<string | null> {
  const names = await policyNames(directory, files);
  if (names === null) return null;
  const states = names.map(async (name) => `${name} ${await files.mark(join(directory, name))}`);
  return (await Promise.all(states)).join('\n');
}

async function readText(directory: string, name: string): Promise<PolicyText> {
  try {
    return { name, text: await readPolicyFile(await realpath(directory), name) };
  } catch (error) {
    return { name, why: error instanceof PolicyFileError ? error.message : 'cannot be read' };
  }
}

async function policyNames(directory: string, files: Looking): Promise<readonly string[] | null> {
  try {
    return (await files.names(directory)).filter(isPolicyName).sort();
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return null;
    throw error;
  }
}
