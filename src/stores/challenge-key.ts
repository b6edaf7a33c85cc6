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

/** Opens without blocking, so that a pipe is rejected instead of waited for. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Reads the MAC key of challenges, a file of 32 bytes, and creates the file if it is missing. Processes that start at
 * once get the same key. Read permissions are not checked: a forged challenge has no record and is denied. Write permissions
 * are checked: a writer could replace the key, and the service would no longer recognise its challenges.
 *
 * @param onMade called if the file was created: challenges of earlier starts are then no longer recognised
 * @throws {ConfigurationError} if the file can neither be read nor created, or does not hold such a key
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
 * Reads the MAC key of challenges; null if the file does not exist. Creates nothing.
 * @throws {ConfigurationError} if the file does not hold such a key
 * @throws {Error} the system error if the file cannot be read
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

/** Creates the file whole or not at all. `link` never replaces a file: the first process wins, and all read its key. */
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
