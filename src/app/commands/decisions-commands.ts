import { once } from 'node:events';
import { lstat, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { listDecisions, listedDecisions, parseTimeOption } from '../../cli/decision-list.js';
import type { DecisionsActions, VerifyDecisionsOptions } from '../../cli/decisions-commands.js';
import { UsageError } from '../../cli/input.js';
import { logReport } from '../../cli/log-report.js';
import { importResult } from '../../cli/log-transfer.js';
import { EXIT_CODE, type Output } from '../../cli/output.js';
import { showDecision } from '../../cli/recorded-decision.js';
import { isSystemError, outputProblem } from '../../core/file-problem.js';
import { type ExportedCounts, type ExportedLog, exportLines } from '../../log/export-lines.js';
import { findRecorded } from '../../log/find-recorded.js';
import { DATABASE_START } from '../../log/stage-log.js';
import { type LogEvidence, type ReadableLog, verifyLog } from '../../log/verify-log.js';
import { replaceDurably } from '../../stores/durable-file.js';
import { backUpFile } from '../../stores/sqlite/back-up-file.js';
import { openReceiptVaults } from '../receipt-vaults.js';
import { configuredReceiptKeys } from '../reload/receipt-keys.js';
import { SYSTEM_CLOCK } from '../system.js';
import { commandLineLog, configurationOf, outputOf, write } from './command-line-io.js';
import { importInto } from './import-log.js';
import { readHeadKeys, readKeptHeads, withStagedLog } from './log-files.js';
import { fileOfLog, readingLog } from './open-log.js';
import { pruneLog } from './prune-log.js';
import { untilSignal } from './until-signal.js';

/** `veritee decisions`: no server is needed, and one may be running. */
export const decisionsCommands: DecisionsActions = {
  listDecisions: (options) => {
    const listed = listedDecisions(options);
    return readingLog(options, (log) => listDecisions(log, listed, outputOf(options)));
  },
  showDecision: (decisionId, options) =>
    readingLog(options, (log) => {
      const recorded = { find: (id: string) => findRecorded(log, id) };
      return showDecision(recorded, decisionId, outputOf(options));
    }),
  verifyDecisions: (file, options) =>
    untilSignal(async (signal) => {
      const evidence = await evidenceOf(options, signal, configuredKeys);
      const verify = (log: ReadableLog) => verifyAndReport(log, evidence, outputOf(options), signal);
      if (file === undefined) return readingLog(options, verify);
      return withStagedLog(file, tmpdir(), signal, ({ store }) => verify(store));
    }, complain),
  exportDecisions: ({ out, ...options }) =>
    untilSignal(
      (signal) =>
        readingLog(options, async (log) => {
          const counted = new Counted(log, signal);
          if (out === undefined) for await (const lines of counted.lines()) await writeAll(lines);
          else await writeExport(out, counted);
          return EXIT_CODE.allow;
        }),
      complain,
    ),
  backUpDecisions: async (file, options) => {
    if (file === '-') throw new UsageError(['-: a copy of a store is a file, not standard output: name one']);
    const path = await fileOfLog(await configurationOf(options));
    if ((await lstat(file).catch(() => null)) !== null)
      throw new UsageError([`${file}: exists: name a file that does not`]);
    try {
      await backUpFile(path, file);
    } catch (cause) {
      throw isSystemError(cause) ? new UsageError([`${file}: ${outputProblem(cause)}`], { cause }) : cause;
    }
    write(`wrote ${file}\n`);
    return EXIT_CODE.allow;
  },
  importDecisions: (file, options) =>
    untilSignal(async (signal) => {
      const configuration = await configurationOf(options);
      const heads = await evidenceOf(options, signal, async () => null);
      return importResult(await importInto(configuration, file, heads, signal), outputOf(options));
    }, complain),
  pruneDecisions: async (options) => {
    const before = parseTimeOption('--before', options.before);
    if (before > SYSTEM_CLOCK.now()) {
      throw new UsageError([`--before: ${options.before} is in the future: name a time in the past`]);
    }
    const pruned = await pruneLog(await configurationOf(options), before);
    const { asTable } = outputOf(options);
    write(asTable ? `content of ${pruned} decisions was dropped\n` : `${JSON.stringify({ pruned })}\n`);
    return EXIT_CODE.allow;
  },
};

function complain(signal: string): void {
  process.stderr.write(`${signal}: nothing was done\n`);
}

/** @param byDefault gives the keys that count without `--keys`; null: those that the log names */
async function evidenceOf(
  options: VerifyDecisionsOptions,
  signal: AbortSignal,
  byDefault: (options: VerifyDecisionsOptions) => Promise<LogEvidence['keys']>,
): Promise<LogEvidence> {
  const { heads, keys } = options;
  return {
    keptHeads: heads === undefined ? [] : await readKeptHeads(heads, signal),
    keys: keys === undefined ? await byDefault(options) : await readHeadKeys(keys),
  };
}

async function configuredKeys(options: VerifyDecisionsOptions): Promise<LogEvidence['keys']> {
  const configuration = await configurationOf(options);
  const vaults = await openReceiptVaults(configuration, { clock: SYSTEM_CLOCK, log: commandLineLog() });
  try {
    return await configuredReceiptKeys(configuration, vaults);
  } finally {
    await vaults?.close();
  }
}

async function verifyAndReport(
  log: ReadableLog,
  evidence: LogEvidence,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const tell = output.asTable && process.stderr.isTTY === true ? (text: string) => process.stderr.write(text) : null;
  const onRead = (records: number, objects: number) => {
    signal.throwIfAborted();
    tell?.(`\r${records} records${objects === 0 ? '' : ` and ${objects} kept objects`} read`);
  };
  try {
    const report = await verifyLog(log, { ...evidence, onRead });
    tell?.('\n');
    return logReport(report, output);
  } catch (error) {
    tell?.('\n');
    throw error;
  }
}

/** Lines of an export, and how much they have. */
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

/** No faster than it is read. */
async function writeAll(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** @throws {UsageError} where the file cannot be written; what was there stays */
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

/** Whether an export would take the place of a store, its own or another one. */
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
