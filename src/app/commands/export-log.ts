import { once } from 'node:events';
import { lstat, open } from 'node:fs/promises';
import { UsageError } from '../../cli/input.js';
import { isSystemError, outputProblem } from '../../core/file-problem.js';
import { type ExportedCounts, type ExportedLog, exportLines } from '../../log/export-lines.js';
import { DATABASE_START } from '../../log/stage-log.js';
import { replaceDurably } from '../../stores/durable-file.js';
import { write } from './command-line-io.js';

/**
 * Exports a log to standard output, or to a file.
 * @param out path of the file; null for standard output
 * @throws {UsageError} if the file cannot be written; its earlier content stays
 */
export async function exportLog(log: ExportedLog, out: string | null, signal: AbortSignal): Promise<void> {
  const counted = new Counted(log, signal);
  if (out === null) for await (const lines of counted.lines()) await writeAll(lines);
  else await writeExport(out, counted);
}

/** Gives the lines of an export, and counts what they hold. */
class Counted {
  counts: ExportedCounts = { records: 0, heads: 0, objects: 0 };
  readonly #log: ExportedLog;
  readonly #signal: AbortSignal;

  constructor(log: ExportedLog, signal: AbortSignal) {
    this.#log = log;
    this.#signal = signal;
  }

  async *lines(): AsyncGenerator<string> {
    const lines = exportLines(this.#log);
    for (let next = await lines.next(); ; next = await lines.next()) {
      this.#signal.throwIfAborted();
      if (next.done === true) {
        this.counts = next.value;
        return;
      }
      yield next.value;
    }
  }
}

/** Writes to standard output, no faster than it is read. */
async function writeAll(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

async function writeExport(out: string, exported: Counted): Promise<void> {
  const found = await lstat(out).catch(() => null);
  if (found !== null && !found.isFile()) throw new UsageError([`--out: ${out}: is not a regular file`]);
  if (found !== null && (await isDatabase(out))) {
    throw new UsageError([`--out: ${out}: is a database, as a decision store is: name another file`]);
  }
  try {
    await replaceDurably(out, exported.lines());
  } catch (cause) {
    throw isSystemError(cause) ? new UsageError([`--out: ${out}: ${outputProblem(cause)}`], { cause }) : cause;
  }
  const { records, heads, objects } = exported.counts;
  write(`wrote ${records} records, ${heads} signed heads and ${objects} kept objects\n`);
}

/** Whether an export would replace a decision store, this one or another. */
async function isDatabase(path: string): Promise<boolean> {
  const file = await open(path).catch(() => null);
  if (file === null) return false;
  try {
    const start = Buffer.alloc(DATABASE_START.length);
    await file.read(start, 0, start.byteLength, 0);
    return start.toString('latin1') === DATABASE_START;
  } finally {
    await file.close();
  }
}
