import type { DecisionEntry, LogRecord, LogStore, RecordPosition, StoredEntry } from '../core/decision-log.js';
import { groupedBy } from '../core/grouped.js';
import type { LogProblems } from './log-problems.js';
import { isDroppedByNow } from './record-at.js';
import type { RecordedContent } from './record-content.js';

/** The index of decisions in a log. */
export type IndexedLog = Pick<LogStore, 'records' | 'entries' | 'strays' | 'find'>;

/** Compares the index entries of decisions with their records. */
export class IndexVerification {
  decisions = 0;
  readonly #log: IndexedLog;
  readonly #problems: LogProblems;
  /** Records that withdraw a decision, by decision id. */
  readonly #withdrawing = new Map<string, RecordPosition[]>();
  /** Decisions that the index shows as withdrawn, with their records. */
  readonly #shownWithdrawn = new Map<string, RecordPosition>();

  constructor(log: IndexedLog, problems: LogProblems) {
    this.#log = log;
    this.#problems = problems;
  }

  /** Takes consecutive records of one chain, with their intact contents. */
  async compare(records: readonly LogRecord[], contents: ReadonlyMap<number, RecordedContent>): Promise<void> {
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return;
    const entries = groupedBy(await this.#log.entries(first.chain, first.seq, last.seq), ({ seq }) => seq);
    for (const record of records) {
      await this.#compareOne(record, contents.get(record.seq) ?? null, entries.get(record.seq) ?? []);
    }
  }

  async end(): Promise<void> {
    const strays = await this.#log.strays();
    if (strays > 0) {
      const detail = `${strays} entries of the index, heads, links or kept objects belong to nothing in the log`;
      this.#problems.add('index_mismatch', null, detail);
    }
    for (const [decisionId, by] of this.#withdrawing) await this.#compareWithdrawn(decisionId, by);
    for (const [decisionId, record] of this.#shownWithdrawn) {
      if (this.#withdrawing.get(decisionId)?.some(({ chain }) => chain === record.chain)) continue;
      this.#problems.add('index_mismatch', record, 'it is shown as withdrawn, and no record says so', decisionId);
    }
  }

  /** Only the chain of a decision can withdraw it: records of other chains do not count. */
  async #compareWithdrawn(decisionId: string, by: readonly RecordPosition[]): Promise<void> {
    const found = await this.#log.find(decisionId);
    // A decision whose retention has ended is no longer in the index.
    if (found === null) return;
    const { record, withdrawn } = found;
    const foreign = by.find(({ chain }) => chain !== record.chain);
    if (foreign !== undefined) {
      this.#problems.add('index_mismatch', foreign, 'it withdraws a decision of another chain', decisionId);
    } else if (!withdrawn) {
      this.#problems.add('index_mismatch', record, 'it was withdrawn, and is not shown so', decisionId);
    }
  }

  async #compareOne(
    record: LogRecord,
    content: RecordedContent | null,
    entries: readonly StoredEntry[],
  ): Promise<void> {
    for (const { decisionId, withdrawn } of entries) if (withdrawn) this.#shownWithdrawn.set(decisionId, record);
    if (content === null) return;
    const { entry, withdraws, isLater } = content;
    if (entry !== null) this.decisions += 1;
    if (withdraws !== null) this.#withdrawing.set(withdraws, [...(this.#withdrawing.get(withdraws) ?? []), record]);
    // Index fields of a later version are unknown here.
    if (isLater || isIndexed(entry, entries) || (await isDroppedByNow(this.#log, record))) return;
    const detail = 'the index entry differs from the record';
    this.#problems.add('index_mismatch', record, detail, entry?.decisionId);
  }
}

/** Whether the index has exactly the entry that follows from the content; for other records, no entry. */
function isIndexed(entry: DecisionEntry | null, entries: readonly StoredEntry[]): boolean {
  const [found, ...others] = entries;
  if (entry === null || found === undefined) return entry === null && found === undefined;
  const { decisionId, tenant, outcome, policies, summary } = entry;
  return (
    others.length === 0 &&
    found.decisionId === decisionId &&
    found.tenant === tenant &&
    found.outcome === outcome &&
    found.summary === summary &&
    found.policies.join() === policies.join()
  );
}
