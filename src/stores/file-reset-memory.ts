import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UnfitError } from '../model/errors.js';
import type { Log } from '../model/ports.js';
import { isBehind, type ResetCounts, type ResetMemory } from '../model/vtpm-resets.js';
import { writeDurably } from './durable-file.js';

interface FileResetMemoryOptions {
  /** Made when something is first kept. */
  readonly folder: string;
  readonly log: Log;
  /** How many vTPMs are remembered. */
  readonly capacity?: number;
}

const DEFAULT_CAPACITY = 100_000;

/** A RFC 7638 SHA-256 thumbprint in base64url: never a path. */
const THUMBPRINT = /^[\w-]{43}$/;
const FILE_NAME = /^ak-[\w-]{43}$/;
const CONTENT = /^(\d{1,10}) (\d{1,10})\n$/;
const MAXIMUM_COUNT = 2 ** 32 - 1;
/** More than two counts have. */
const MAXIMUM_BYTES = 64;

/** Not blocking, so that a pipe is found out instead of waited for. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** Files that are looked at in one go. */
const BATCH = 256;

/**
 * Reset counts of vTPMs, one small file each. A count rises at a boot only, so that writes are few: most requests read
 * one file. Files are read at each request: several processes can share the folder, and a file that is repaired or
 * removed counts at once.
 *
 * A file that is there and says nothing is no reason to forget what it said: whoever can spoil it could then start an old
 * vTPM. There is no lock between processes: two that note the same vTPM at the same moment can leave the lower counts.
 */
export class FileResetMemory implements ResetMemory {
  readonly #folder: string;
  readonly #log: Log;
  readonly #capacity: number;
  /** The last call for each vTPM that is being noted. None of them rejects. */
  readonly #turns = new Map<string, Promise<void>>();
  /** Files in the folder; null where they have not been counted yet. */
  #held: number | null = null;
  /** Never rejects. */
  #tidying: Promise<void> = Promise.resolve();

  constructor({ folder, log, capacity = DEFAULT_CAPACITY }: FileResetMemoryOptions) {
    this.#folder = folder;
    this.#log = log;
    this.#capacity = capacity;
  }

  async highest(akThumbprint: string): Promise<ResetCounts | null> {
    const name = nameOf(akThumbprint);
    const text = await readSmallFile(this.#folder, name);
    if (text === null) return null;
    const counts = parseCounts(text);
    if (counts === null) throw new UnfitError(`${name}: not two counts`);
    return counts;
  }

  async advance(akThumbprint: string, counts: ResetCounts): Promise<ResetCounts> {
    const before = this.#turns.get(akThumbprint) ?? Promise.resolve();
    const raised = before.then(() => this.#raise(akThumbprint, counts));
    const turn = raised.then(ignore, ignore);
    this.#turns.set(akThumbprint, turn);
    try {
      return await raised;
    } finally {
      if (this.#turns.get(akThumbprint) === turn) this.#turns.delete(akThumbprint);
    }
  }

  /** Resolves when nothing is being written or removed. */
  async close(): Promise<void> {
    await Promise.all(this.#turns.values());
    await this.#tidying;
  }

  async #raise(akThumbprint: string, counts: ResetCounts): Promise<ResetCounts> {
    const kept = await this.highest(akThumbprint);
    if (kept !== null && !isBehind(kept, counts)) return kept;
    await this.#write(nameOf(akThumbprint), `${counts.resetCount} ${counts.restartCount}\n`);
    if (kept === null) this.#tidying = this.#tidying.then(() => this.#makeRoom());
    return counts;
  }

  /** All of it or none: a temporary file beside it, then a rename. */
  async #write(name: string, text: string): Promise<void> {
    const path = join(this.#folder, name);
    const temporary = `${path}.${randomUUID()}.tmp`;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    try {
      await writeDurably(temporary, text);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** Forgets the vTPMs whose counts rose longest ago, some more than needed, so that it is not to be done for each new one. */
  async #makeRoom(): Promise<void> {
    try {
      this.#held = this.#held === null ? (await this.#names()).length : this.#held + 1;
      if (this.#held <= this.#capacity) return;
      const oldestFirst = await this.#oldestFirst();
      this.#held = oldestFirst.length;
      if (this.#held <= this.#capacity) return;
      const surplus = oldestFirst.slice(0, this.#held - this.#capacity + Math.floor(this.#capacity / 100));
      for (const name of surplus) await rm(join(this.#folder, name), { force: true });
      this.#held -= surplus.length;
      this.#log.warn(
        { forgotten: surplus.length },
        'memory of vTPM resets is full, so the oldest counts were forgotten',
      );
    } catch (error) {
      this.#held = null;
      this.#log.warn({ err: error }, 'memory of vTPM resets cannot be tidied');
    }
  }

  async #names(): Promise<readonly string[]> {
    return (await readdir(this.#folder)).filter((name) => FILE_NAME.test(name));
  }

  async #oldestFirst(): Promise<readonly string[]> {
    const names = await this.#names();
    const written: { readonly name: string; readonly at: number }[] = [];
    for (let index = 0; index < names.length; index += BATCH) {
      const batch = names.slice(index, index + BATCH);
      written.push(...(await Promise.all(batch.map(async (name) => ({ name, at: await this.#writtenAt(name) })))));
    }
    return written.sort((a, b) => a.at - b.at).map(({ name }) => name);
  }

  async #writtenAt(name: string): Promise<number> {
    return (await stat(join(this.#folder, name))).mtimeMs;
  }
}

function ignore(): void {}

function nameOf(akThumbprint: string): string {
  if (!THUMBPRINT.test(akThumbprint)) throw new TypeError('not the thumbprint of a key');
  return `ak-${akThumbprint}`;
}

/** Null where there is no such file. @throws {UnfitError} for what is no file */
async function readSmallFile(folder: string, name: string): Promise<string | null> {
  const file = await openExisting(join(folder, name));
  if (file === null) return null;
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new UnfitError(`${name}: not a file`);
    const bytes = new Uint8Array(MAXIMUM_BYTES);
    const { bytesRead } = await file.read(bytes, 0, MAXIMUM_BYTES, 0);
    return Buffer.from(bytes.subarray(0, bytesRead)).toString('latin1');
  } finally {
    await file.close();
  }
}

async function openExisting(path: string) {
  try {
    return await open(path, READ);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function parseCounts(text: string): ResetCounts | null {
  const [, resetCount, restartCount] = (CONTENT.exec(text) ?? []).map(Number);
  if (resetCount === undefined || restartCount === undefined) return null;
  return Math.max(resetCount, restartCount) > MAXIMUM_COUNT ? null : { resetCount, restartCount };
}
