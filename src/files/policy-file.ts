import { constants, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { lstat, open, readlink, realpath } from 'node:fs/promises';
import { basename, extname, join, sep } from 'node:path';

/** More than any policy needs. */
export const MAX_POLICY_BYTES = 256 * 1024;

const WORLD_WRITABLE = 0o002;

/** Opens without blocking, so that a pipe in the directory is rejected instead of waited for. */
const READ_REAL_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** An unusable policy file. The message has the fault, without the place. */
export class PolicyFileError extends Error {
  override readonly name = 'PolicyFileError';
}

/** The calls to the file system, in this order. Other processes may change it between any two of them. */
export type PolicyFileSystem = Readonly<Record<'realpath' | 'readlink', (path: string) => Promise<string>>> & {
  readonly open: (path: string, flags: number) => Promise<FileHandle>;
  readonly lstat: (path: string) => Promise<Pick<Stats, 'dev' | 'ino'>>;
};

const NODE_FILE_SYSTEM: PolicyFileSystem = { realpath, open, lstat, readlink };

/**
 * Reads the text of a policy file. A link must lead to a file inside the directory (Kubernetes mounts ConfigMaps as
 * such links). Write permissions of the directory are not checked: those mounts are read-only with mode 0777.
 *
 * @param directory real path of the policy directory
 * @throws {PolicyFileError}
 */
export async function readPolicyFile(
  directory: string,
  name: string,
  system: PolicyFileSystem = NODE_FILE_SYSTEM,
): Promise<string> {
  const path = await realPathInside(directory, name, system);
  const file = await system.open(path, READ_REAL_FILE).catch((cause) => refuse('cannot be opened', cause));
  try {
    await requireFit(file);
    await requireSame(file, directory, name, system);
    return decode(await readBounded(file, MAX_POLICY_BYTES));
  } finally {
    await file.close();
  }
}

/** Options for parsing a policy file. A release policy has its id from the name of its file. */
export function policyTextOptions(path: string) {
  const extension = extname(path);
  return {
    format: extension === '.json' ? ('json' as const) : ('yaml' as const),
    releasePolicyId: basename(path, extension),
  };
}

/**
 * Reads the text of a policy file that the caller names, anywhere: also a pipe, or a link. The text represents the bytes
 * exactly, so that their digests are equal.
 *
 * @param maximum most bytes; a test of a policy may be larger than a policy
 * @throws {PolicyFileError} for its content
 * @throws {Error} the system error if it cannot be read
 */
export async function readNamedPolicyFile(path: string, maximum: number = MAX_POLICY_BYTES): Promise<string> {
  const file = await open(path, constants.O_RDONLY);
  try {
    return decode(await readBounded(file, maximum));
  } finally {
    await file.close();
  }
}

async function realPathInside(directory: string, name: string, system: PolicyFileSystem): Promise<string> {
  const path = await system.realpath(join(directory, name)).catch((cause) => refuse('cannot be found', cause));
  return isInside(directory, path) ? path : refuse('points outside the policy directory');
}

function isInside(directory: string, path: string): boolean {
  return path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}

async function requireFit(file: FileHandle): Promise<void> {
  const stat = await file.stat();
  if (!stat.isFile()) refuse('is not a file');
  if ((stat.mode & WORLD_WRITABLE) !== 0) refuse('is writable by everyone');
  if (stat.size > MAX_POLICY_BYTES) refuse(`has more than ${MAX_POLICY_BYTES} bytes`);
}

/** A folder in the path may have become a link after the check: the open file must be inside the directory. */
async function requireSame(file: FileHandle, directory: string, name: string, system: PolicyFileSystem): Promise<void> {
  const opened = await file.stat();
  const path = await realPathInside(directory, name, system);
  const named = await system.lstat(path).catch((cause) => refuse('changed while it was read', cause));
  if (opened.dev !== named.dev || opened.ino !== named.ino) refuse('changed while it was read');
  // Two changes between these checks would be missed. Linux reports the path of the open file.
  if (process.platform !== 'linux') return;
  if (!isInside(directory, await system.readlink(`/proc/self/fd/${file.fd}`))) refuse('changed while it was read');
}

/** Bounds the read, since the file may grow after its size was checked. */
async function readBounded(file: FileHandle, maximum: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(maximum + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, bytes.byteLength - length, null);
    if (bytesRead === 0) return bytes.subarray(0, length);
    length += bytesRead;
    if (length > maximum) refuse(`has more than ${maximum} bytes`);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    return refuse('is not UTF-8', cause);
  }
}

function refuse(what: string, cause?: unknown): never {
  throw cause instanceof PolicyFileError ? cause : new PolicyFileError(what, { cause });
}
