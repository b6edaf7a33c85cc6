import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UnfitError } from '../core/errors.js';
import { FaultLog } from '../core/fault-log.js';
import { fileProblem, folderProblem, isSystemError, outputProblem } from '../core/file-problem.js';
import type { Log } from '../core/ports.js';
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
  /** Created with the first entry. */
  readonly folder: string;
  readonly log: Log;
  /** How many vTPMs are remembered. */
  readonly capacity?: number;
}

/** A RFC 7638 SHA-256 thumbprint in base64url: never a path. */
const THUMBPRINT = /^[\w-]{43}$/;
const FILE_NAME = /^ak-[\w-]{43}$/;
const TEMPORARY_NAME = /^ak-[\w-]{43}\.[0-9a-f-]{36}\.tmp$/;
/** Longer than any file with two counts. */
const MAXIMUM_BYTES = 64;

/** Opens without blocking, so that a pipe is rejected instead of waited for. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** Files that are read in one batch. */
const BATCH = 256;

/** Longer than a write takes: a temporary file of that age was left by a process that has ended. */
const LEFT_OVER_MS = 10 * 60 * 1000;

/** Keys of faults of the folder. Writing has its own key: a folder can be readable and not writable. */
const READING = 'reading';
const WRITING = 'writing';

/**
 * Reset counts of vTPMs, one small file each. A count rises at a boot only, so that writes are few: most requests read
 * one file. Files are read at each request: several processes can share the folder, and a file that is repaired or
 * removed counts at once.
 *
 * A damaged file is an error, and so is a folder that disappeared after it had entries. Otherwise an attacker who can
 * damage files could replay an old vTPM. Processes hold no lock: two that note the same vTPM at the same moment can leave
 * the lower counts.
 */
export class FileResetMemory implements ResetMemory {
  readonly #folder: string;
  readonly #log: Log;
  readonly #capacity: number;
  /** The last call for each vTPM that is being noted. These promises never reject. */
  readonly #turns = new Map<string, Promise<void>>();
  readonly #faults: FaultLog;
  /** Whether the folder has had entries: then it is not created again. */
  #hasRemembered = false;
  /** Files in the folder; null before the first count. */
  #held: number | null = null;
  /** Never rejects. */
  #tidying: Promise<void> = Promise.resolve();

  constructor({ folder, log, capacity = RESET_CAPACITY }: FileResetMemoryOptions) {
    // An absolute path, so that a later change of the working directory has no effect.
    this.#folder = resolve(folder);
    this.#log = log;
    this.#capacity = capacity;
    this.#faults = new FaultLog(log, RESET_MEMORY_MESSAGES);
  }

  /** Logs the number of entries, and removes temporary files of a crash. Never rejects. */
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

  /** @throws {Error} if the folder cannot be read; a folder that never had entries may be missing */
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

  /** Replaces the file whole or not at all: writes a temporary file, renames it, and syncs the folder. */
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

  /** Forgets the vTPMs whose counts rose longest ago. Removes more than needed, so that it does not run for each new vTPM. */
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

  /** Returns the names of vTPM files, after removing temporary files of a crash. */
  async #tidiedNames(): Promise<readonly string[]> {
    const names = await namesIn(this.#folder);
    const leftSince = Date.now() - LEFT_OVER_MS;
    for (const name of names.filter((each) => TEMPORARY_NAME.test(each))) {
      const path = join(this.#folder, name);
      // Another process may finish its write meanwhile.
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

/** Creates a folder, and syncs its name to the disk. */
async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncFolder(dirname(folder));
}

/** Returns the reason for the log. The operator corrects an error of the file system: a stack would not help. */
function reasonOf(error: unknown, inWords: (error: unknown) => string): { why: string } | { err: unknown } {
  if (error instanceof UnfitError) return { why: error.message };
  return isSystemError(error) ? { why: inWords(error) } : { err: error };
}

/** Returns null if there is no such file. @throws {UnfitError} if the file does not have two counts */
async function readCounts(folder: string, name: string): Promise<ResetCounts | null> {
  const text = await readSmallFile(folder, name);
  if (text === null) return null;
  const counts = text.endsWith('\n') ? parseCounts(text.slice(0, -1)) : null;
  if (counts === null) throw new UnfitError(`${name}: not two counts`);
  return counts;
}

/** Returns null if there is no such file. @throws {UnfitError} if the path is not a file */
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
