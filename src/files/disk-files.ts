import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../core/file-problem.js';
import { PolicyFileError, readPolicyFile } from './policy-file.js';
import { isPolicyName } from './policy-names.js';

/** The content of a policy directory at one moment. */
export interface PolicyTexts {
  /** Changes when a file is added, removed, written or replaced. */
  readonly fingerprint: string;
  /** Sorted by name. */
  readonly files: readonly PolicyText[];
}

/** The text of a policy file, or why there is none. */
type PolicyText = { readonly name: string } & ({ readonly text: string } | { readonly why: string });

/** The calls that read a policy directory. */
export interface PolicyReading {
  /** Names in a folder, in no order. @throws {Error} the system error, ENOENT if there is no folder */
  readonly names: (folder: string) => Promise<readonly string[]>;
  /** As `markOf`. */
  readonly mark: (path: string) => Promise<string>;
  readonly text: (directory: string, name: string) => Promise<PolicyText>;
}

/** Reads from the disk. */
export const DISK_READING: PolicyReading = { names: (folder) => readdir(folder), mark: markOf, text: readText };

/** When the file of a mark was last written; null for the mark of a missing file. */
export function modifiedAt(mark: string): Date | null {
  const [, , , nanoseconds] = mark.split(',');
  return nanoseconds === undefined ? null : new Date(Number(BigInt(nanoseconds) / 1_000_000n));
}

/**
 * A text that changes when the file is written or replaced. A missing file has a mark too; never rejects. Links are followed, as a mounted
 * Kubernetes volume consists of them.
 */
export async function markOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch (error) {
    return isSystemError(error) ? error.code : 'unknown fault';
  }
}

/** Most reads of a directory that changes during the read. */
const ATTEMPTS = 5;

/**
 * Reads the policies of a directory, from one state of it. If it changes meanwhile (a ConfigMap is replaced as a whole), it is read
 * again, so that no set mixes two states. Null: the directory does not exist.
 *
 * @throws {PolicyFileError} if it keeps changing
 * @throws {Error} the system error if it cannot be read
 */
export async function readPolicyTexts(directory: string, by: PolicyReading): Promise<PolicyTexts | null> {
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
 * A fingerprint of the directory: names, and the marks of the files. Null: the directory does not exist.
 * @throws {Error} the system error if it cannot be read
 */
export async function fingerprintOfPolicies(directory: string, by: PolicyReading): Promise<string | null> {
  const names = await policyNames(directory, by);
  if (names === null) return null;
  const states = names.map(async (name) => `${name} ${await by.mark(join(directory, name))}`);
  return (await Promise.all(states)).join('\n');
}

async function readText(directory: string, name: string): Promise<PolicyText> {
  try {
    return { name, text: await readPolicyFile(await realpath(directory), name) };
  } catch (error) {
    return { name, why: error instanceof PolicyFileError ? error.message : 'cannot be read' };
  }
}

async function policyNames(directory: string, by: PolicyReading): Promise<readonly string[] | null> {
  try {
    return (await by.names(directory)).filter(isPolicyName).sort();
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return null;
    throw error;
  }
}
