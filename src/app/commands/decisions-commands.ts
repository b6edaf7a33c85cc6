import { lstat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { listDecisions, listedDecisions, parseTimeOption } from '../../cli/decision-list.js';
import type { DecisionsActions } from '../../cli/decisions-commands.js';
import { UsageError } from '../../cli/input.js';
import { importResult } from '../../cli/log-transfer.js';
import { EXIT_CODE } from '../../cli/output.js';
import { showDecision } from '../../cli/recorded-decision.js';
import { isSystemError, outputProblem } from '../../core/file-problem.js';
import { findRecorded } from '../../log/find-recorded.js';
import type { ReadableLog } from '../../log/verify-log.js';
import { backUpFile } from '../../stores/sqlite/back-up-file.js';
import { SYSTEM_CLOCK } from '../system.js';
import { configurationOf, outputOf, write } from './command-line-io.js';
import { exportLog } from './export-log.js';
import { importInto } from './import-log.js';
import { withStagedLog } from './log-files.js';
import { fileOfLog, readingLog } from './open-log.js';
import { pruneLog } from './prune-log.js';
import { untilSignal } from './until-signal.js';
import { configuredKeys, logEvidenceOf, verifyAndReport } from './verify-decisions.js';

/** Actions of `veritee decisions`. They need no server, and one may be running. */
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
      const evidence = await logEvidenceOf(options, signal, configuredKeys);
      const verify = (log: ReadableLog) => verifyAndReport(log, evidence, outputOf(options), signal);
      if (file === undefined) return readingLog(options, verify);
      return withStagedLog(file, tmpdir(), signal, ({ store }) => verify(store));
    }, complain),
  exportDecisions: ({ out, ...options }) =>
    untilSignal(
      (signal) =>
        readingLog(options, async (log) => {
          await exportLog(log, out ?? null, signal);
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
      const heads = await logEvidenceOf(options, signal, async () => null);
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
