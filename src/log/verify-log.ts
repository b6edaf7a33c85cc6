import { type LogRecord, type LogStore, NO_RECORD, type RecordPosition } from '../core/decision-log.js';
import { groupedBy } from '../core/grouped.js';
import type { LogReport } from '../core/log-report.js';
import { contentDigest, recordHash, SALT_BYTES } from './chain.js';
import { type ChainReading, chainReport, newReading } from './chain-reading.js';
import { LogProblems } from './log-problems.js';
import { decisionIdIn, isDigest, isPosition, type RecordedContent, readContent } from './record-content.js';
import { DroppedVerification } from './verify-dropped.js';
import { type HeadEvidence, HeadVerification } from './verify-heads.js';
import { IndexVerification } from './verify-index.js';
import { ObjectVerification } from './verify-objects.js';
import { ReleaseVerification } from './verify-releases.js';

/** The expected values for a log. */
export interface LogEvidence extends HeadEvidence {
  /** Called with the numbers of records, then of kept objects, read so far. */
  readonly onRead?: (records: number, objects: number) => void;
}

/** Records in one read. */
export const RECORDS_AT_ONCE = 500;

/** The parts of a log that are read. */
export type ReadableLog = Pick<
  LogStore,
  'records' | 'heads' | 'entries' | 'releaseEntries' | 'strays' | 'find' | 'object' | 'objects' | 'objectsOf'
>;

/** Reads a whole log, and compares all references within it. */
export async function verifyLog(log: ReadableLog, evidence: LogEvidence): Promise<LogReport> {
  const verification = new LogVerification(log, evidence);
  await verification.heads.begin();
  for (let after: RecordPosition | null = null; ; ) {
    const page: readonly LogRecord[] = await log.records(after, RECORDS_AT_ONCE);
    if (page.length === 0) return verification.end();
    for (const records of byChain(page)) await verification.take(records);
    after = page.at(-1) ?? null;
    evidence.onRead?.(verification.recordCount, 0);
  }
}

/** Groups the records of a page by chain. */
export function byChain(page: readonly LogRecord[]): readonly (readonly LogRecord[])[] {
  return [...groupedBy(page, ({ chain }) => chain).values()];
}

const UNSIGNED =
  'no head by one of the keys vouches for this chain, and no chain with such a head names it: another key signed it, it was added to the store, or its heads were removed';

class LogVerification {
  recordCount = 0;
  readonly heads: HeadVerification;
  readonly #index: IndexVerification;
  readonly #releases: ReleaseVerification;
  readonly #objects: ObjectVerification;
  readonly #evidence: LogEvidence;
  readonly #problems = new LogProblems();
  readonly #chains = new Map<string, ChainReading>();
  /** Chains with content of a later version. */
  readonly #later = new Set<string>();
  readonly #dropped: DroppedVerification;

  constructor(log: ReadableLog, evidence: LogEvidence) {
    this.#evidence = evidence;
    this.heads = new HeadVerification(log, evidence, this.#chains, this.#problems);
    this.#dropped = new DroppedVerification(this.#chains, this.#problems, evidence.keys !== null);
    this.#index = new IndexVerification(log, this.#problems);
    this.#releases = new ReleaseVerification(log, this.#problems);
    this.#objects = new ObjectVerification(log, this.#problems, this.#later);
  }

  /** @param records consecutive records of one chain */
  async take(records: readonly LogRecord[]): Promise<void> {
    const contents = new Map<number, RecordedContent>();
    for (const record of records) {
      const content = await this.#record(record);
      if (content !== null) contents.set(record.seq, content);
    }
    await this.#index.compare(records, contents);
    await this.#releases.compare(records, contents);
    await this.#objects.compare(records, contents);
    await this.heads.compare(records);
  }

  async end(): Promise<LogReport> {
    await this.heads.end();
    await this.#index.end();
    await this.#objects.end(() => this.#evidence.onRead?.(this.recordCount, this.#objects.objects));
    this.#dropped.end();
    for (const chain of this.#chains.keys()) this.#compareSigned(chain);
    return {
      problems: this.#problems.found,
      chains: [...this.#chains.values()].map(chainReport),
      records: this.recordCount,
      decisions: this.#index.decisions,
      heads: this.heads.heads,
      objects: this.#objects.objects,
      keptHeads: this.#evidence.keptHeads.length,
      ownWord: [...this.heads.ownWord],
      later: [...this.#later],
    };
  }

  /** Reports unsigned chains if the operator gave keys. An attacker who removed all heads, or added a chain, had none of them. */
  #compareSigned(chain: string): void {
    if (this.#evidence.keys === null || (this.#chains.get(chain)?.vouchedFor ?? -1) >= 0) return;
    this.#problems.add('chain_unsigned', { chain, seq: 0 }, UNSIGNED);
  }

  /** @returns the content, if it is present and intact */
  async #record(record: LogRecord): Promise<RecordedContent | null> {
    this.recordCount += 1;
    const { chain, seq, previous, contentSha256, hash } = record;
    const known = this.#chains.get(chain);
    const expected = known === undefined ? 0 : known.end.seq + 1;
    if (seq !== expected) {
      const gone = seq - expected === 1 ? `record ${expected} is` : `records ${expected} to ${seq - 1} are`;
      this.#problems.add('record_missing', record, `${gone} not there`);
    } else if (previous !== (known?.end.hash ?? NO_RECORD)) {
      this.#problems.add('record_order', record, 'it does not follow the record that stands before it');
    }
    const isWhole = isPosition({ chain, seq }) && isDigest(previous) && isDigest(contentSha256);
    if (!isWhole || recordHash(record, record) !== hash) {
      this.#problems.add('record_changed', record, 'its hash is not that of what it says');
    }
    const reading = known ?? newReading(record);
    reading.end = { chain, seq, hash };
    this.#chains.set(chain, reading);
    return this.#content(record, reading);
  }

  async #content(record: LogRecord, reading: ChainReading): Promise<RecordedContent | null> {
    const { salt, content } = record;
    if (salt === null && content === null) {
      reading.pruned += 1;
      this.#dropped.empty(record);
      return null;
    }
    if (salt !== null && salt.byteLength !== SALT_BYTES) {
      const detail = `its salt has ${salt.byteLength} bytes, and a salt has ${SALT_BYTES}`;
      this.#problems.add('content_changed', record, detail, decisionIdIn(content ?? ''));
      return null;
    }
    if (salt === null || content === null || contentDigest(salt, content) !== record.contentSha256) {
      const detail = 'salt and content are not those that were recorded';
      this.#problems.add('content_changed', record, detail, decisionIdIn(content ?? ''));
      return null;
    }
    const read = readContent(content);
    if (read === null) {
      const detail = 'its content does not have the form of a record';
      this.#problems.add('content_changed', record, detail, decisionIdIn(content));
      return null;
    }
    if (read.isLater) this.#later.add(record.chain);
    reading.from ??= read.time;
    reading.until = read.time ?? reading.until;
    await this.#learn(record, read, reading);
    return read;
  }

  /** The statements of a record about others. */
  async #learn(record: RecordPosition, content: RecordedContent, reading: ChainReading): Promise<void> {
    const { began, keys } = content;
    if (began !== null) {
      reading.beginsLog = began.length === 0;
      for (const end of began) this.heads.learnNamed(end, record);
    }
    this.#dropped.learn(record, content);
    await this.heads.learnKeys(keys);
  }
}
