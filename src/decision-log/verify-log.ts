import type {
  ChainEnd,
  DecisionEntry,
  LogRecord,
  LogStore,
  RecordPosition,
  SignedHead,
  StoredEntry,
} from '../model/decision-log.js';
import type { JsonObject } from '../model/json.js';
import type { ChainReport, LogProblem, LogReport } from '../model/log-report.js';
import { contentDigest, NO_RECORD, recordHash } from './chain.js';
import { HeadKeys, type VerifiedHead, verifyHead } from './heads.js';
import { decisionIdIn, isDigest, isPosition, type RecordedContent, readContent } from './record-content.js';

/** What a log is compared with. */
export interface LogEvidence {
  /** Heads that somebody kept elsewhere, JWS in compact form. */
  readonly keptHeads: readonly string[];
  /** Keys that heads may be signed with; null: those that the log names. */
  readonly keys: readonly JsonObject[] | null;
  /** Has records that this log continues, or names. */
  readonly elsewhere?: Pick<LogStore, 'records'>;
  /** Hears how many records were read. */
  readonly onRead?: (records: number) => void;
}

const AT_ONCE = 500;

/** What is read of a log. */
export type ReadableLog = Pick<LogStore, 'records' | 'heads' | 'entries' | 'strays' | 'find'>;

/** Reads a whole log, and compares everything in it that says something about something else. */
export async function verifyLog(log: ReadableLog, evidence: LogEvidence): Promise<LogReport> {
  const verification = new LogVerification(log, evidence);
  for (const jwk of evidence.keys ?? []) await verification.keys.add(jwk);
  for (let after: RecordPosition | null = null; ; ) {
    const page: readonly LogRecord[] = await log.records(after, AT_ONCE);
    if (page.length === 0) return verification.end();
    for (const records of byChain(page)) await verification.take(records);
    after = page.at(-1) ?? null;
    evidence.onRead?.(verification.recordCount);
  }
}

function byChain(page: readonly LogRecord[]): readonly (readonly LogRecord[])[] {
  const chains = new Set(page.map(({ chain }) => chain));
  return [...chains].map((chain) => page.filter((record) => record.chain === chain));
}

/** A chain that is being read. */
interface Reading extends Omit<Writable<ChainReport>, keyof ChainEnd> {
  end: ChainEnd;
  lastPruned: number;
}

type Writable<T> = { -readonly [member in keyof T]: T[member] };

/** A record that something else names, and what names it. */
interface Named {
  readonly end: ChainEnd;
  readonly by: string;
  /** By a head that somebody kept. */
  readonly isKept: boolean;
}

class LogVerification {
  recordCount = 0;
  readonly keys = new HeadKeys();
  readonly #log: ReadableLog;
  readonly #evidence: LogEvidence;
  readonly #problems: LogProblem[] = [];
  readonly #chains = new Map<string, Reading>();
  /** Up to which record the log says that it dropped the content of each chain. */
  readonly #dropped = new Map<string, number>();
  readonly #named: Named[] = [];
  /** Decisions of which a record says that they are withdrawn. */
  readonly #withdrawn = new Set<string>();
  /** Decisions that are shown as withdrawn, with their records. */
  readonly #shownWithdrawn = new Map<string, RecordPosition>();
  readonly #ownWord = new Set<string>();
  #decisions = 0;
  #heads = 0;

  constructor(log: ReadableLog, evidence: LogEvidence) {
    this.#log = log;
    this.#evidence = evidence;
  }

  /** @param records that follow each other in one chain */
  async take(records: readonly LogRecord[]): Promise<void> {
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return;
    const contents: (RecordedContent | null)[] = [];
    for (const record of records) contents.push(await this.#record(record));
    const entries = bySeq(await this.#log.entries(first.chain, first.seq, last.seq));
    for (const [index, record] of records.entries()) {
      await this.#compareEntry(record, contents[index] ?? null, entries.get(record.seq) ?? []);
    }
    const hashes = new Map(records.map(({ seq, hash }) => [seq, hash]));
    for (const head of await this.#log.heads(first.chain, first.seq, last.seq)) await this.#head(head, hashes);
  }

  async end(): Promise<LogReport> {
    for (const jws of this.#evidence.keptHeads) await this.#keptHead(jws);
    for (const { end } of this.#chains.values()) await this.#headsBeyond(end);
    for (const named of this.#named) await this.#compareNamed(named);
    await this.#compareIndex();
    for (const [chain, { lastPruned }] of this.#chains) {
      if (lastPruned <= (this.#dropped.get(chain) ?? -1)) continue;
      this.#problem(
        'content_missing',
        { chain, seq: lastPruned },
        'its content is gone, and no record says that it was dropped',
      );
    }
    return {
      problems: this.#problems,
      chains: [...this.#chains.values()].map(({ end, lastPruned: _, ...rest }) => ({ ...end, ...rest })),
      records: this.recordCount,
      decisions: this.#decisions,
      heads: this.#heads,
      keptHeads: this.#evidence.keptHeads.length,
      ownWord: [...this.#ownWord],
    };
  }

  /** @returns the content, where it is there and holds */
  async #record(record: LogRecord): Promise<RecordedContent | null> {
    this.recordCount += 1;
    const { chain, seq, previous, contentSha256, hash } = record;
    const known = this.#chains.get(chain);
    const before = await this.#before(record, known?.end);
    const expected = known === undefined ? 0 : known.end.seq + 1;
    if (seq !== expected && before === null) {
      const gone = seq - expected === 1 ? `record ${expected} is` : `records ${expected} to ${seq - 1} are`;
      this.#problem('record_missing', record, `${gone} not there`);
    } else if (previous !== (before?.hash ?? NO_RECORD)) {
      this.#problem('record_order', record, 'it does not follow the record that stands before it');
    }
    const isWhole = isPosition({ chain, seq }) && isDigest(previous) && isDigest(contentSha256);
    if (!isWhole || recordHash(record, record) !== hash) {
      this.#problem('record_changed', record, 'its hash is not that of what it says');
    }
    const reading = known ?? newReading(record);
    reading.end = { chain, seq, hash };
    this.#chains.set(chain, reading);
    return this.#content(record, reading);
  }

  async #before({ chain, seq }: RecordPosition, known: ChainEnd | undefined): Promise<ChainEnd | null> {
    if (known?.seq === seq - 1) return known;
    const { elsewhere } = this.#evidence;
    return elsewhere === undefined ? null : recordAt(elsewhere, { chain, seq: seq - 1 });
  }

  async #content(record: LogRecord, reading: Reading): Promise<RecordedContent | null> {
    const { seq, salt, content } = record;
    if (salt === null && content === null) {
      reading.pruned += 1;
      reading.lastPruned = seq;
      return null;
    }
    if (salt === null || content === null || contentDigest(salt, content) !== record.contentSha256) {
      const detail = 'salt and content are not those that were recorded';
      this.#problem('content_changed', record, detail, decisionIdIn(content ?? ''));
      return null;
    }
    const read = readContent(content);
    if (read === null) {
      const detail = 'its content does not have the form of a record';
      this.#problem('content_changed', record, detail, decisionIdIn(content));
      return null;
    }
    reading.from ??= read.time;
    reading.until = read.time;
    await this.#learn(record, read, reading);
    return read;
  }

  /** What a record says about others. */
  async #learn({ chain, seq }: RecordPosition, content: RecordedContent, reading: Reading): Promise<void> {
    const { began, dropped, withdraws, keys } = content;
    if (began !== null) {
      reading.beginsLog = began.length === 0;
      for (const end of began) this.#named.push({ end, by: `record ${seq} of chain ${chain}`, isKept: false });
    }
    for (const { chain: of, seq: through } of dropped) {
      this.#dropped.set(of, Math.max(through, this.#dropped.get(of) ?? -1));
    }
    if (withdraws !== null) this.#withdrawn.add(withdraws);
    // Where keys were given, the log's own word on them does not count.
    if (this.#evidence.keys === null) for (const jwk of keys) await this.keys.add(jwk);
  }

  /** Compares what a decision is found by with what it is. */
  async #compareEntry(
    record: LogRecord,
    content: RecordedContent | null,
    entries: readonly StoredEntry[],
  ): Promise<void> {
    for (const { decisionId, withdrawn } of entries) if (withdrawn) this.#shownWithdrawn.set(decisionId, record);
    const entry = content?.entry ?? null;
    if (entry !== null) this.#decisions += 1;
    if (content === null || isIndexed(entry, entries)) return;
    // A service may drop content while its log is read.
    if ((await recordAt(this.#log, record))?.content === null) return;
    const detail = 'what it is found by is not what was recorded';
    this.#problem('index_mismatch', record, detail, entry?.decisionId ?? null);
  }

  async #compareIndex(): Promise<void> {
    const strays = await this.#log.strays();
    if (strays > 0) {
      this.#problem('index_mismatch', null, `${strays} entries of the index, or heads, belong to nothing in the log`);
    }
    for (const decisionId of this.#withdrawn) {
      const found = await this.#log.find(decisionId);
      // Once its time is over, a decision is found no more.
      if (found === null || found.withdrawn) continue;
      this.#problem('index_mismatch', found.record, 'it was withdrawn, and is not shown so', decisionId);
    }
    for (const [decisionId, record] of this.#shownWithdrawn) {
      if (this.#withdrawn.has(decisionId)) continue;
      this.#problem('index_mismatch', record, 'it is shown as withdrawn, and no record says so', decisionId);
    }
  }

  async #head(head: SignedHead, hashes: ReadonlyMap<number, string>): Promise<void> {
    const verified = await this.#verifiedHead(head);
    if (verified === null) return;
    if (hashes.get(verified.seq) !== verified.hash) {
      this.#problem('head_mismatch', head, `${signedAt(verified)} is of another record`);
      return;
    }
    const reading = this.#chains.get(head.chain);
    if (reading !== undefined) reading.lastHead = Math.max(reading.lastHead ?? 0, head.seq);
  }

  /** Heads of records behind the end of a chain: whoever cut it off may have left them. */
  async #headsBeyond({ chain, seq }: RecordPosition): Promise<void> {
    for (const head of await this.#log.heads(chain, seq + 1, Number.MAX_SAFE_INTEGER)) {
      const verified = await this.#verifiedHead(head);
      if (verified !== null) this.#named.push({ end: verified, by: signedAt(verified), isKept: false });
    }
  }

  /** Null where it does not verify, or is not that of the record that it stands at. */
  async #verifiedHead(head: SignedHead): Promise<VerifiedHead | null> {
    this.#heads += 1;
    const verified = await verifyHead(head.jws, this.keys);
    if (typeof verified === 'string') {
      this.#problem('head_unverified', head, `the signed head does not verify: ${verified}`);
      return null;
    }
    if (this.#evidence.keys === null) this.#ownWord.add(verified.kid);
    if (verified.chain === head.chain && verified.seq === head.seq) return verified;
    this.#problem('head_mismatch', head, `${signedAt(verified)} is of another record`);
    return null;
  }

  async #keptHead(jws: string): Promise<void> {
    const verified = await verifyHead(jws, this.keys);
    if (typeof verified === 'string') {
      this.#problem('head_unverified', null, `a head that was kept does not verify: ${verified}`);
      return;
    }
    if (this.#evidence.keys === null) this.#ownWord.add(verified.kid);
    this.#named.push({ end: verified, by: signedAt(verified), isKept: true });
  }

  async #compareNamed({ end, by, isKept }: Named): Promise<void> {
    const { chain, seq, hash } = end;
    const { elsewhere } = this.#evidence;
    const own = await recordAt(this.#log, end);
    const record = own === null && elsewhere !== undefined ? await recordAt(elsewhere, end) : own;
    const reading = this.#chains.get(chain);
    if (record === null) {
      const what = reading === undefined ? 'the chain is not there' : 'the chain ends before it';
      this.#problem('chain_missing', { chain, seq }, `${by} names this record: ${what}`);
    } else if (record.hash !== hash) {
      this.#problem('head_mismatch', record, `${by} names another record at this place`);
    } else if (isKept && reading !== undefined) {
      reading.keptHead = Math.max(reading.keptHead ?? 0, seq);
    }
  }

  #problem(
    code: LogProblem['code'],
    position: RecordPosition | null,
    detail: string,
    decisionId: string | null = null,
  ): void {
    this.#problems.push({ code, chain: position?.chain ?? null, seq: position?.seq ?? null, decisionId, detail });
  }
}

async function recordAt(log: Pick<LogStore, 'records'>, { chain, seq }: RecordPosition): Promise<LogRecord | null> {
  const [record] = await log.records({ chain, seq: seq - 1 }, 1);
  return record?.chain === chain && record.seq === seq ? record : null;
}

/** Whether there is the entry that follows from the content, and no other; of what is no decision, none. */
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

/** More than one entry of a record is what somebody has put in. */
function bySeq(entries: readonly StoredEntry[]): ReadonlyMap<number, readonly StoredEntry[]> {
  const found = new Map<number, StoredEntry[]>();
  for (const entry of entries) found.set(entry.seq, [...(found.get(entry.seq) ?? []), entry]);
  return found;
}

function signedAt({ time }: VerifiedHead): string {
  return `the head that was signed at ${time}`;
}

function newReading(end: ChainEnd): Reading {
  return {
    end,
    from: null,
    until: null,
    beginsLog: false,
    lastHead: null,
    keptHead: null,
    pruned: 0,
    lastPruned: -1,
  };
}
