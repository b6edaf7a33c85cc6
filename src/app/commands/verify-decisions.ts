import type { VerifyDecisionsOptions } from '../../cli/decisions-commands.js';
import { logReport } from '../../cli/log-report.js';
import type { Output } from '../../cli/output.js';
import { type LogEvidence, type ReadableLog, verifyLog } from '../../log/verify-log.js';
import { openReceiptVaults } from '../receipt-vaults.js';
import { configuredReceiptKeys } from '../reload/receipt-keys.js';
import { SYSTEM_CLOCK } from '../system.js';
import { commandLineLog, configurationOf } from './command-line-io.js';
import { readHeadKeys, readKeptHeads } from './log-files.js';

/**
 * Reads the heads and keys that a log is verified with.
 * @param byDefault gives the keys that count without `--keys`; null for those that the log names
 */
export async function logEvidenceOf(
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

/** Reads the public receipt keys of the configuration. */
export async function configuredKeys(options: VerifyDecisionsOptions): Promise<LogEvidence['keys']> {
  const configuration = await configurationOf(options);
  const vaults = await openReceiptVaults(configuration, { clock: SYSTEM_CLOCK, log: commandLineLog() });
  try {
    return await configuredReceiptKeys(configuration, vaults);
  } finally {
    await vaults?.close();
  }
}

/** Verifies a log, and writes the report. @returns the exit code */
export async function verifyAndReport(
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
