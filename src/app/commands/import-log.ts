import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { UsageError } from '../../cli/input.js';
import { whatIsNotKnown } from '../../cli/log-report.js';
import type { ImportResult } from '../../cli/log-transfer.js';
import type { Configuration } from '../../config/configuration.js';
import { sqliteFileOf } from '../../config/stores.js';
import type { RecordPosition } from '../../core/decision-log.js';
import type { LogProblem } from '../../core/log-report.js';
import { type LogEvidence, verifyLog } from '../../log/verify-log.js';
import { withStagedLog } from './log-files.js';
import { appendStaged, isThere } from './open-log.js';

const COPY = 'is a copy of records, which lacks their signed heads: import what veritee decisions export writes';

/**
 * Verifies an export, and appends its chains to the store of a configuration, all of them or nothing.
 *
 * @param heads evidence that the export is compared with
 * @throws {UsageError} if the file cannot be read, is not a whole export, or has records of a later version of veritee
 * @throws {StoreUnavailableError}
 */
export async function importInto(
  configuration: Configuration,
  file: string,
  heads: Pick<LogEvidence, 'keptHeads' | 'keys'>,
  signal: AbortSignal,
): Promise<ImportResult> {
  return withStagedLog(file, await folderFor(configuration), signal, async (staged) => {
    if (staged.form === 'copy') throw new UsageError([`${file}: ${COPY}`]);
    const none = { notKnown: [], records: 0, heads: 0, objects: 0, known: 0 };
    const report = await verifyLog(staged.store, { ...heads, onRead: () => signal.throwIfAborted() });
    if (report.problems.length > 0) return { ...none, problems: report.problems };
    if (report.later.length > 0) throw ofLaterVersion(file);
    const { conflicts, ...appended } = await appendStaged(configuration, staged);
    if (conflicts.length > 0) return { ...none, problems: conflicts.map(conflict) };
    return { problems: [], notKnown: whatIsNotKnown(report), ...appended };
  });
}

/** A folder with enough room: the folder of the SQLite file, if it exists. */
async function folderFor(configuration: Configuration): Promise<string> {
  const path = sqliteFileOf(configuration);
  return path !== null && (await isThere(dirname(path))) ? dirname(path) : tmpdir();
}

/** The index and the objects of its decisions cannot be built from content of an unsupported form. */
function ofLaterVersion(file: string): UsageError {
  return new UsageError([`${file}: has records of a later version of veritee: import it with that version`]);
}

function conflict({ chain, seq }: RecordPosition): LogProblem {
  const detail = 'the store has this chain without this record, and only chains that it lacks can be imported';
  return { code: 'record_order', chain, seq, decisionId: null, detail };
}
