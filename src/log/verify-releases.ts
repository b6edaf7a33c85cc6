import type {
  LogRecord,
  LogStore,
  RecordedDecision,
  RecordPosition,
  ReleaseEntry,
  StoredRelease,
} from '../core/decision-log.js';
import { groupedBy } from '../core/grouped.js';
import { type AttemptedRelease, whyNotReleasable } from '../core/key-release-record.js';
import type { LogProblem } from '../core/log-report.js';
import { readDecision } from '../core/recorded-decision.js';
import type { LogProblems } from './log-problems.js';
import { isDroppedByNow } from './record-at.js';
import { type RecordedContent, type RecordedRelease, readContent } from './record-content.js';

/** The index of releases in a log. */
export type ReleasingLog = Pick<LogStore, 'records' | 'releaseEntries' | 'find'>;

/** A record of the release of a decision. */
interface KnownRelease {
  readonly seq: number;
  readonly kind: ReleaseEntry['kind'];
}

/** The state of the release of a decision, besides the current record. */
interface Known {
  readonly decision: RecordedDecision | null;
  /** Release records in the chain of that record. */
  readonly releases: readonly KnownRelease[];
}

type Problem = Pick<LogProblem, 'code' | 'detail'>;

/**
 * Compares the release index with the release records, and each attempt and result with its decision. Looks decisions up, so
 * that memory does not grow with the log.
 */
export class ReleaseVerification {
  readonly #log: ReleasingLog;
  readonly #problems: LogProblems;

  constructor(log: ReleasingLog, problems: LogProblems) {
    this.#log = log;
    this.#problems = problems;
  }

  /** Takes consecutive records of one chain, with their intact contents. */
  async compare(records: readonly LogRecord[], contents: ReadonlyMap<number, RecordedContent>): Promise<void> {
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return;
    const entries = groupedBy(await this.#log.releaseEntries(first.chain, first.seq, last.seq), ({ seq }) => seq);
    for (const record of records) {
      const content = contents.get(record.seq);
      // Index fields of a later version are unknown here.
      if (content === undefined || content.isLater) continue;
      await this.#compareOne(record, content.release, entries.get(record.seq) ?? []);
    }
  }

  async #compareOne(
    record: LogRecord,
    release: RecordedRelease | null,
    entries: readonly StoredRelease[],
  ): Promise<void> {
    const problems: Problem[] = isIndexed(release, entries) ? [] : [NOT_INDEXED];
    if (release !== null) {
      const decision = await this.#log.find(release.decisionId);
      const problem = problemOf(record, release, {
        decision,
        releases: releasesIn(decision, release.decisionId, record),
      });
      if (problem !== null) problems.push(problem);
    }
    if (problems.length === 0 || (await isDroppedByNow(this.#log, record))) return;
    for (const { code, detail } of problems) this.#problems.add(code, record, detail, release?.decisionId);
  }
}

const NOT_INDEXED: Problem = { code: 'index_mismatch', detail: 'the index entry differs from the record' };

/** Intact release records of a decision in the chain of a record. */
function releasesIn(
  decision: RecordedDecision | null,
  decisionId: string,
  { chain }: RecordPosition,
): readonly KnownRelease[] {
  return (decision?.releaseRecords ?? []).flatMap((each) => {
    const release = each.content === null ? null : readContent(each.content)?.release;
    if (release == null || each.chain !== chain) return [];
    return release.decisionId === decisionId ? [{ seq: each.seq, kind: release.kind }] : [];
  });
}

/** Whether the index has exactly the entry that follows from the content; for other records, no entry. */
function isIndexed(release: ReleaseEntry | null, [found, ...others]: readonly StoredRelease[]): boolean {
  if (release === null || found === undefined) return release === null && found === undefined;
  return others.length === 0 && found.decisionId === release.decisionId && found.kind === release.kind;
}

function problemOf(record: LogRecord, release: RecordedRelease, known: Known): Problem | null {
  const { attempt } = release;
  return attempt === null ? problemOfResult(record, known) : problemOfAttempt(record, attempt, known);
}

function problemOfAttempt(
  { chain, seq }: LogRecord,
  attempt: AttemptedRelease,
  { decision, releases }: Known,
): Problem | null {
  // Only the chain of a decision can release its key: decisions of other chains do not count.
  if (decision === null || decision.record.chain !== chain) {
    return { code: 'release_decision_missing', detail: 'the decision of this release attempt is missing' };
  }
  if (decision.record.seq > seq) return { code: 'release_order', detail: 'the release attempt precedes its decision' };
  const why = whyNot(decision, attempt);
  if (why !== null)
    return { code: 'release_not_allowed', detail: `the decision does not permit this release attempt: ${why}` };
  const isRepeated = releases.some((each) => each.kind === 'release-attempt' && each.seq < seq);
  return isRepeated ? { code: 'release_repeated', detail: 'this decision has an earlier release attempt' } : null;
}

/** Returns why an attempt does not match its decision. A damaged or unsupported record is reported elsewhere. */
function whyNot({ record: { content } }: RecordedDecision, attempt: AttemptedRelease): string | null {
  const read = readDecision(content);
  return read === null ? null : whyNotReleasable(read, attempt);
}

function problemOfResult({ seq }: LogRecord, { releases }: Known): Problem | null {
  const attempts = releases.filter(({ kind }) => kind === 'release-attempt');
  if (attempts.length === 0) {
    return { code: 'release_attempt_missing', detail: 'the release attempt of this result is missing' };
  }
  if (attempts.every((attempt) => attempt.seq > seq)) {
    return { code: 'release_order', detail: 'the result precedes its release attempt' };
  }
  const isRepeated = releases.some((each) => each.kind === 'release-result' && each.seq < seq);
  return isRepeated ? { code: 'release_repeated', detail: 'the release attempt has an earlier result' } : null;
}
