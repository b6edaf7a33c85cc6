import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { UsageError } from '../../cli/input.js';
import { whatIsNotKnown } from '../../cli/log-report.js';
import type { ImportResult } from '../../cli/log-transfer.js';
import type { RecordPosition } from '../../core/decision-log.js';
import type { LogProblem } from '../../core/log-report.js';
import { type LogEvidence, verifyLog } from '../../log/verify-log.js';
import { SqliteStore } from '../../stores/sqlite/sqlite-store.js';
import { withStagedLog } from './log-files.js';
import { isThere } from './open-log.js';

const COPY = 'is a copy of records, which lacks their signed heads: import what veritee decisions export writes';

/**
 * Verifies an export, and appends its chains to a store, all of them or nothing.
 *
 * @param path file of the store; made if it does not exist and nothing is wrong
 * @param heads evidence that the export is compared with
 * @throws {UsageError} if the file cannot be read, is not a whole export, or has records of a later version of veritee
 * @throws {StoreUnavailableError}
 */
export async function importInto(
  path: string,
  file: string,
  heads: Pick<LogEvidence, 'keptHeads' | 'keys'>,
  signal: AbortSignal,
): Promise<ImportResult> {
  // Beside the store there is the room that it needs.
  const folder = (await isThere(dirname(path))) ? dirname(path) : tmpdir();
  return withStagedLog(file, folder, signal, async ({ path: stagedPath, store: staged, form }) => {
    if (form === 'copy') throw new UsageError([`${file}: ${COPY}`]);
    const none = { notKnown: [], records: 0, heads: 0, objects: 0, known: 0 };
    const report = await verifyLog(staged, { ...heads, onRead: () => signal.throwIfAborted() });
    if (report.problems.length > 0) return { ...none, problems: report.problems };
    if (report.later.length > 0) throw ofLaterVersion(file);
    const target = await SqliteStore.open(path);
    try {
      const { conflicts, ...appended } = await target.appendChains(stagedPath);
      if (conflicts.length > 0) return { ...none, problems: conflicts.map(conflict) };
      return { problems: [], notKnown: whatIsNotKnown(report), ...appended };
    } finally {
      await target.close();
    }
  });
}

/** The index and the objects of its decisions cannot be built from content of an unsupported form. */
function ofLaterVersion(file: string): UsageError {
  return new UsageError([`${file}: has records of a later version of veritee: import it with that version`]);
}

function conflict({ chain, seq }: RecordPosition): LogProblem {
  const detail = 'the store has this chain without this record, and only chains that it lacks can be imported';
  return { code: 'record_order', chain, seq, decisionId: null, detail };
}
