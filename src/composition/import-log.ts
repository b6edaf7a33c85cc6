import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { UsageError } from '../cli/input.js';
import { whatIsNotKnown } from '../cli/log-report.js';
import type { ImportResult } from '../cli/log-transfer.js';
import { type LogEvidence, verifyLog } from '../decision-log/verify-log.js';
import type { RecordPosition } from '../model/decision-log.js';
import type { LogProblem } from '../model/log-report.js';
import { SqliteStore } from '../stores/sqlite/sqlite-store.js';
import { withStagedLog } from './log-files.js';
import { isThere } from './open-log.js';

/** Of a copy these are missing, and not wrong: it may begin late, leave out what could not be written, and has no objects. */
const MISSING_IN_COPIES: readonly LogProblem['code'][] = [
  'record_missing',
  'chain_missing',
  'object_missing',
  'release_decision_missing',
  'release_attempt_missing',
];

/**
 * Verifies a file of records, and takes it over into a store, whole or not at all.
 *
 * @param path file of the store, which is made where it is not there and nothing is wrong
 * @param heads what the file is compared with
 * @throws {UsageError} where the file cannot be read, is no whole export, or has something that a later version of veritee wrote
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
  return withStagedLog(file, folder, signal, async ({ path: stagedPath, store: staged, staged: { form, isCut } }) => {
    const none = { form, missing: [], notKnown: [], records: 0, heads: 0, objects: 0, known: 0 };
    const there = (await isThere(path)) ? await SqliteStore.open(path) : null;
    let target = there;
    try {
      const onRead = () => signal.throwIfAborted();
      const evidence = { ...heads, onRead, ...(there === null ? {} : { elsewhere: there }) };
      const report = await verifyLog(staged, evidence);
      const { problems } = report;
      const isMissing = ({ code }: LogProblem) => form === 'copy' && MISSING_IN_COPIES.includes(code);
      const wrong = problems.filter((problem) => !isMissing(problem));
      if (wrong.length > 0) return { ...none, problems: wrong };
      if (report.later.length > 0) throw ofLaterVersion(file);
      target ??= await SqliteStore.open(path);
      const { conflicts, ...merged } = await target.merge(stagedPath);
      if (conflicts.length > 0) return { ...none, problems: conflicts.map(conflict) };
      const missing = form === 'copy' ? whatIsMissing(problems.filter(isMissing), isCut) : [];
      return { form, problems: [], missing, notKnown: whatIsNotKnown(report), ...merged };
    } finally {
      await target?.close();
    }
  });
}

/** What its decisions are found by, and rest on, cannot be made anew from content of a form that is not known. */
function ofLaterVersion(file: string): UsageError {
  return new UsageError([`${file}: has records of a later version of veritee: import it with that version`]);
}

function conflict({ chain, seq }: RecordPosition): LogProblem {
  const detail = 'the store has another record at this place, or next to it';
  return { code: 'record_order', chain, seq, decisionId: null, detail };
}

function whatIsMissing(problems: readonly LogProblem[], isCut: boolean): readonly string[] {
  const objects = problems.filter(({ code }) => code === 'object_missing').length;
  const others = problems.filter(({ code }) => code !== 'object_missing');
  return [
    'signed heads: a copy has none, and nothing vouches for its records until they are verified with kept heads',
    ...(isCut ? ['the last line, which is cut'] : []),
    ...(objects === 0
      ? []
      : [
          `what ${objects} decisions rest on: a copy has no kept objects, and without them these cannot be judged again`,
        ]),
    ...others.map(({ chain, seq, detail }) => `before record ${seq} of chain ${chain}: ${detail}`),
  ];
}
