import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UnfitError } from '../core/errors.js';
import { fileProblem, folderProblem, isSystemError, outputProblem } from '../core/file-problem.js';
import type { Log } from '../core/ports.js';
import { ToldFaults } from '../core/told-faults.js';
import { isBehind, type ResetCounts, type ResetMemory } from '../core/vtpm-resets.js';
import { requireFolder, syncFolder, writeDurably } from './durable-file.js';
import {
  countsText,
  forgottenAhead,
  parseCounts,
  RESET_CAPACITY,
  RESET_MEMORY_MESSAGES,
  RESETS_FORGOTTEN,
} from './reset-counts.js';

interface FileResetMemoryOptions {
  /** Made when something is first kept. */
  readonly folder: string;
  readonly log: Log;
  /** How many vTPMs are remembered. */
  readonly capacity?: number;
}

/** A RFC 7638 SHA-256 thumbprint in base64url: never a path. */
const THUMBPRINT = /^[\w-]{43}$/;
const FILE_NAME = /^ak-[\w-]{43}$/;
const TEMPORARY_NAME = /^ak-[\w-]{43}\.[0-9a-f-]{36}\.tmp$/;
/** More than two counts have. */
const MAXIMUM_BYTES = 64;

/** Not blocking, so that a pipe is found out instead of waited for. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** Files that are looked at in one go. */
const BATCH = 256;

/** Longer than a write takes: a temporary file of that age was left by a process that ended meanwhile. */
const LEFT_OVER_MS = 10 * 60 * 1000;

/** Faults beside those of single files. Writing is apart: a folder can be readable and not writable. */
const READING = 'reading';
const WRITING = 'writing';

/**
 * Reset counts of vTPMs, one small file each. A count rises at a boot only, so that writes are few: most requests read
 * one file. Files are read at each request: several processes can share the folder, and a file that is repaired or
 * removed counts at once.
 *
 * A file that is there and says nothing is no reason to forget what it said: whoever can spoil it could then start an old
 * vTPM. Nor is a folder that is gone, once it had something. Between processes there is no
 * lock: two that note the same vTPM at the same moment can leave the lower counts.
 */
export class FileResetMemory implements ResetMemory {
  readonly #folder: string;
  readonly #log: Log;
  readonly #capacity: number;
  /** The last call for each vTPM that is being noted. None of them rejects. */
  readonly #turns = new Map<string, Promise<void>>();
  readonly #faults: ToldFaults;
  /** Whether the folder has had something: then it is not made anew. */
  #hasRemembered = false;
  /** Files in the folder; null where they have not been counted yet. */
  #held: number | null = null;
  /** Never rejects. */
  #tidying: Promise<void> = Promise.resolve();

  constructor({ folder, log, capacity = RESET_CAPACITY }: FileResetMemoryOptions) {
    // What is remembered stays where it is, also where the process moves to another folder.
    this.#folder = resolve(folder);
    this.#log = log;
    this.#capacity = capacity;
    this.#faults = new ToldFaults(log, RESET_MEMORY_MESSAGES);
  }

  /** Tells the log how much is remembered, and removes what a crash has left. Never rejects. */
  async start(): Promise<void> {
    const folder = this.#folder;
    try {
      const remembered = (await this.#tidiedNames()).length;
      if (remembered > 0) this.#hasRemembered = true;
      this.#log.info({ folder, remembered }, 'memory of vTPM resets opened');
    } catch (error) {
      this.#faults.begun(READING, { folder }, reasonOf(error, folderProblem));
    }
  }

  async highest(akThumbprint: string): Promise<ResetCounts | null> {
    const name = resetFileName(akThumbprint);
    try {
      const counts = await readCounts(this.#folder, name);
      if (counts === null) await this.#requireFolder();
      else this.#hasRemembered = true;
      this.#faults.over(READING);
      this.#faults.over(name);
      return counts;
    } catch (error) {
      // A fault of the folder is logged once, and not for each file in it.
      await this.#requireFolder();
      this.#hasRemembered = true;
      this.#faults.over(READING);
      this.#faults.begun(name, { folder: this.#folder, file: name }, reasonOf(error, fileProblem));
      throw error;
    }
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
    await this.#write(resetFileName(akThumbprint), `${countsText(counts)}\n`);
    if (kept === null) this.#tidying = this.#tidying.then(() => this.#makeRoom());
    return counts;
  }

  /** @throws {Error} where the folder cannot be read; one that never had anything need not be there */
  async #requireFolder(): Promise<void> {
    try {
      await requireFolder(this.#folder);
    } catch (error) {
      const isGone = isAbsent(error);
      if (isGone && !this.#hasRemembered) return;
      const reason = isGone ? { why: 'is gone, and had counts of vTPMs' } : reasonOf(error, folderProblem);
      this.#faults.begun(READING, { folder: this.#folder }, reason);
      throw error;
    }
  }

  async #write(name: string, text: string): Promise<void> {
    try {
      await this.#replace(join(this.#folder, name), text);
      this.#hasRemembered = true;
      this.#faults.over(WRITING);
    } catch (error) {
      this.#faults.begun(WRITING, { folder: this.#folder }, reasonOf(error, outputProblem));
      throw error;
    }
  }

  /** All of it or none: a temporary file beside it, then a rename, which is on the disk once the folder is. */
  async #replace(path: string, text: string): Promise<void> {
    const temporary = `${path}.${randomUUID()}.tmp`;
    if (!this.#hasRemembered) await makeFolder(this.#folder);
    try {
      await writeDurably(temporary, text);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(this.#folder);
  }

  /** Forgets the vTPMs whose counts rose longest ago, some more than needed, so that it is not to be done for each new one. */
  async #makeRoom(): Promise<void> {
    try {
      this.#held = this.#held === null ? (await this.#tidiedNames()).length : this.#held + 1;
      if (this.#held <= this.#capacity) return;
      const oldestFirst = await this.#oldestFirst();
      this.#held = oldestFirst.length;
      if (this.#held <= this.#capacity) return;
      const surplus = oldestFirst.slice(0, this.#held - this.#capacity + forgottenAhead(this.#capacity));
      for (const name of surplus) await rm(join(this.#folder, name), { force: true });
      this.#held -= surplus.length;
      this.#log.warn({ forgotten: surplus.length }, RESETS_FORGOTTEN);
    } catch (error) {
      this.#held = null;
      this.#log.warn({ err: error }, 'memory of vTPM resets cannot be tidied');
    }
  }

  /** Files of vTPMs, once temporary ones that a crash has left are removed. */
  async #tidiedNames(): Promise<readonly string[]> {
    const names = await namesIn(this.#folder);
    const leftSince = Date.now() - LEFT_OVER_MS;
    for (const name of names.filter((each) => TEMPORARY_NAME.test(each))) {
      const path = join(this.#folder, name);
      // Another process may end its write meanwhile.
      const found = await stat(path).catch(() => null);
      if (found !== null && found.mtimeMs < leftSince) await rm(path, { force: true });
    }
    return names.filter((name) => FILE_NAME.test(name));
  }

  async #oldestFirst(): Promise<readonly string[]> {
    const names = await this.#tidiedNames();
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

function resetFileName(akThumbprint: string): string {
  if (!THUMBPRINT.test(akThumbprint)) throw new TypeError('not the thumbprint of a key');
  return `ak-${akThumbprint}`;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** A new folder, with its name on the disk. */
async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncFolder(dirname(folder));
}

/** An error of the file system is for the operator to correct: a stack would not help. */
function reasonOf(error: unknown, inWords: (error: unknown) => string): { why: string } | { err: unknown } {
  if (error instanceof UnfitError) return { why: error.message };
  return isSystemError(error) ? { why: inWords(error) } : { err: error };
}

/** Null where there is no such file. @throws {UnfitError} for one that does not have two counts */
async function readCounts(folder: string, name: string): Promise<ResetCounts | null> {
  const text = await readSmallFile(folder, name);
  if (text === null) return null;
  const counts = text.endsWith('\n') ? parseCounts(text.slice(0, -1)) : null;
  if (counts === null) throw new UnfitError(`${name}: not two counts`);
  return counts;
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
    if (isAbsent(error)) return null;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return isSystemError(error) && error.code === 'ENOENT';
}
