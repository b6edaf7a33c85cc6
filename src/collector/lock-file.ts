import { randomUUID } from 'node:crypto';
import { link, rename, rm, writeFile } from 'node:fs/promises';
import { outputProblem } from '../core/file-problem.js';
import { CollectError } from './collect-error.js';
import { hasCode, readFileIfThere } from './files.js';

/** The content of a lock: the id of the process that holds it. */
const PID = /^([1-9]\d{0,9})\n$/;
const LOCK_BYTES = 16;

/** Whether a process exists. */
export type IsRunning = (pid: number) => boolean;

/**
 * Runs work while this process holds a lock, which is a file with its process id. A lock of an ended process is
 * taken over. deploy/guest/collect.sh uses the same lock.
 *
 * @throws {CollectError} `locked` while another process holds it; `permission` if the file cannot be written
 */
export async function withLock<T>(path: string, run: () => Promise<T>, isRunning: IsRunning = isProcess): Promise<T> {
  if (!(await take(path))) {
    await removeStale(path, isRunning);
    if (!(await take(path))) throw new CollectError('locked', `${path} is held by another collector`);
  }
  try {
    return await run();
  } finally {
    await rm(path, { force: true });
  }
}

/** A link appears with its content, and fails if the file exists. */
async function take(path: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, `${process.pid}\n`, { flag: 'wx', mode: 0o644 });
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw new CollectError('permission', `${path}: ${outputProblem(error)}`, { cause: error });
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Moves the lock of an ended process aside, and checks the moved file. If two collectors find it stale, the
 * slower one may have moved the new lock of the faster one, and then restores it.
 */
async function removeStale(path: string, isRunning: IsRunning): Promise<void> {
  const holder = await holderOf(path);
  if (holder === null) return;
  if (isRunning(holder)) throw new CollectError('locked', `${path} is held by process ${holder}`);
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
    const moved = await holderOf(aside);
    if (moved !== null && isRunning(moved)) await link(aside, path);
  } catch (error) {
    // Another collector was faster; the next attempt shows whether there is a lock now.
    if (!hasCode(error, 'ENOENT') && !hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/** The process in a lock; null if the lock is gone. @throws {CollectError} `locked` if the file is no lock */
async function holderOf(path: string): Promise<number | null> {
  const bytes = await readFileIfThere(path, LOCK_BYTES).catch((cause: unknown) => {
    throw new CollectError('locked', `${path} is no lock of a collector`, { cause });
  });
  if (bytes === null) return null;
  const [, pid] = PID.exec(Buffer.from(bytes).toString('latin1')) ?? [];
  if (pid === undefined) throw new CollectError('locked', `${path} is no lock of a collector`);
  return Number(pid);
}

/** Whether a process exists, including processes of other users. */
function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}
