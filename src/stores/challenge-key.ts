import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigurationError } from '../core/errors.js';
import { writeDurably } from './durable-file.js';

/** Bytes of the MAC key of challenges: as many as its hash has (RFC 2104, section 3). */
export const CHALLENGE_KEY_BYTES = 32;

const WORLD_WRITABLE = 0o002;

/** Not blocking, so that a pipe is found out instead of waited for. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * The MAC key of challenges: the 32 bytes of a file, which is made where it is missing. Processes that start at once
 * get the same key. Who may read the file is not checked: a forged challenge has no record and is denied; whoever can
 * write it could make the service forget that a challenge is one, which is checked.
 *
 * @param onMade hears that there was none: challenges of earlier starts are then no longer recognised
 * @throws {ConfigurationError} where the file can neither be read nor made, or is not such a key
 */
export async function readOrCreateChallengeKey(path: string, onMade: () => void = () => {}): Promise<Uint8Array> {
  try {
    return (await readChallengeKey(path)) ?? (await createKey(path, onMade));
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause;
    throw problemOf(`${path} can neither be read nor created`, { cause });
  }
}

/**
 * The MAC key of challenges; null where there is no such file. Makes nothing.
 * @throws {ConfigurationError} where the file is not such a key
 * @throws {Error} of the system where it cannot be read
 */
export async function readChallengeKey(path: string): Promise<Uint8Array | null> {
  const file = await openExisting(path);
  if (file === null) return null;
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size !== CHALLENGE_KEY_BYTES)
      throw unfit(path, `is not a file of ${CHALLENGE_KEY_BYTES} bytes`);
    if ((stat.mode & WORLD_WRITABLE) !== 0) throw unfit(path, 'is writable by everyone');
    const key = await file.readFile();
    if (key.byteLength !== CHALLENGE_KEY_BYTES) throw unfit(path, 'changed while it was read');
    return new Uint8Array(key);
  } finally {
    await file.close();
  }
}

/** The file appears whole or not at all, and `link` never replaces one: the first process wins, all read its key. */
async function createKey(path: string, onMade: () => void): Promise<Uint8Array> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    await writeDurably(temporary, randomBytes(CHALLENGE_KEY_BYTES));
    await link(temporary, path).then(onMade, rethrowUnless('EEXIST'));
  } finally {
    await unlink(temporary).catch(rethrowUnless('ENOENT'));
  }
  const key = await readChallengeKey(path);
  if (key === null) throw unfit(path, 'vanished');
  return key;
}

async function openExisting(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, READ);
  } catch (error) {
    rethrowUnless('ENOENT')(error);
    return null;
  }
}

function rethrowUnless(code: string): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && error.code === code)) throw error;
  };
}

function unfit(path: string, what: string): ConfigurationError {
  return problemOf(`${path} ${what}`);
}

function problemOf(what: string, options: { cause?: unknown } = {}): ConfigurationError {
  return new ConfigurationError([{ path: ['challenges', 'key'], what }], options);
}
