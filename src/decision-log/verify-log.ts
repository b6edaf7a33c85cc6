import type { ChainEnd, LogRecord, LogStore, RecordPosition, SignedHead, StoredEntry } from '../model/decision-log.js';
import { isObject, type JsonObject, type JsonValue } from '../model/json.js';
import { contentDigest, NO_RECORD, recordHash } from './chain.js';
import { entryOf } from './decision-content.js';
import { verifyHead } from './heads.js';

/** What was found wrong. */
export const LOG_PROBLEMS = [
  'record_changed',
  'record_missing',
  'record_order',
  'content_changed',
  'content_missing',
  'chain_missing',
  'head_unverified',
  'head_mismatch',
  'index_mismatch',
] as const;
export type LogProblemCode = (typeof LOG_PROBLEMS)[number];

/** One thing that is wrong, and where. */
export interface LogProblem {
  readonly code: LogProblemCode;
  /** Null where it is about no chain. */
  readonly chain: string | null;
  readonly seq: number | null;
  /** Of the decision that the record is of; null where there is none, or it cannot be told. */
  readonly decisionId: string | null;
  /** One sentence for people. Lower case, no period. */
  readonly detail: string;
}

/** A chain as it was found. */
export interface ChainReport extends ChainEnd {
  /** Of the first and the last record that still has its content. */
  readonly from: string | null;
  readonly until: string | null;
  /** The chain names no earlier one: it is the first, or what was before is gone. */
  readonly beginsLog: boolean;
  /** Records of which only the hash is left. */
  readonly pruned: number;
  /** The last signed head; null where there is none. What follows it could have been cut off unseen. */
  readonly lastHead: number | null;
}

export interface LogReport {
  readonly problems: readonly LogProblem[];
  readonly chains: readonly ChainReport[];
  readonly records: number;
  readonly decisions: number;
  readonly heads: number;
  /** Of the heads that somebody kept. */
  readonly keptHeads: number;
  /** Thumbprints of keys that signed heads, and that nothing but the log itself names. */
  readonly ownWord: readonly string[];
}

/** What a log is compared with. */
export interface LogEvidence {
  /** Heads that somebody kept elsewhere, JWS in compact form. */
  readonly keptHeads: readonly string[];
  /** Keys that heads may be signed with; null: those that the log names. */
  readonly keys: readonly JsonObject[] | null;
  /** Hears how many records were read. */
  readonly onRead?: (records: number) => void;
}

const AT_ONCE = 500;

/** What is read of a log. */
export type ReadableLog = Pick<LogStore, 'records' | 'heads' | 'entries' | 'strays' | 'find'>;

/** Reads a whole log, and compares everything in it that says something about something else. */
export async function verifyLog(log: ReadableLog, evidence: LogEvidence): Promise<LogReport> {
  const verification = new LogVerification(log, evidence);
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
interface Reading {
  end: ChainEnd;
  from: string | null;
  until: string | null;
  beginsLog: boolean;
  lastHead: number | null;
  pruned: number;
  lastPruned: number;
}

/** A record that something else names, and what names it. */
interface Named {
  readonly end: ChainEnd;
  readonly by: string;
}

class LogVerification {
  recordCount = 0;
  readonly #log: ReadableLog;
  readonly #evidence: LogEvidence;
  readonly #problems: LogProblem[] = [];
  readonly #chains = new Map<string, Reading>();
  readonly #keys: Map<string, JsonObject>;
  /** Up to which record the log says that it dropped the content of each chain. */
  readonly #dropped = new Map<string, number>();
  readonly #named: Named[] = [];
  /** Decisions of which a record says that they are withdrawn. */
  readonly #withdrawn = new Set<string>();
  readonly #ownWord = new Set<string>();
  #decisions = 0;
  #heads = 0;

  constructor(log: ReadableLog, evidence: LogEvidence) {
    this.#log = log;
    this.#evidence = evidence;
    this.#keys = new Map((evidence.keys ?? []).map((jwk) => [String(jwk['kid']), jwk]));
  }

  /** @param records that follow each other in one chain */
  async take(records: readonly LogRecord[]): Promise<void> {
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return;
    const contents = records.map((record) => this.#record(record));
    const entries = await this.#log.entries(first.chain, first.seq, last.seq);
    const found = new Map(entries.map((entry) => [entry.seq, entry]));
    for (const [index, record] of records.entries()) {
      await this.#compareEntry(record, contents[index] ?? null, found.get(record.seq));
    }
    const hashes = new Map(records.map(({ seq, hash }) => [seq, hash]));
    for (const head of await this.#log.heads(first.chain, first.seq, last.seq)) await this.#head(head, hashes);
  }

  async end(): Promise<LogReport> {
    for (const jws of this.#evidence.keptHeads) await this.#keptHead(jws);
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
  #record(record: LogRecord): JsonObject | null {
    this.recordCount += 1;
    const { chain, seq, previous, contentSha256, hash } = record;
    const reading = this.#chains.get(chain) ?? newReading(record);
    const known = this.#chains.get(chain)?.end;
    const expected = known === undefined ? 0 : known.seq + 1;
    if (seq !== expected) {
      const gone = seq - expected === 1 ? `record ${expected} is` : `records ${expected} to ${seq - 1} are`;
      this.#problem('record_missing', record, `${gone} not there`);
    } else if (previous !== (known?.hash ?? NO_RECORD)) {
      this.#problem('record_order', record, 'it does not follow the record that stands before it');
    }
    if (!isDigest(previous) || !isDigest(contentSha256) || recordHash(record, record) !== hash) {
      this.#problem('record_changed', record, 'its hash is not that of what it says');
    }
    reading.end = { chain, seq, hash };
    this.#chains.set(chain, reading);
    return this.#content(record, reading);
  }

  #content(record: LogRecord, reading: Reading): JsonObject | null {
    const { seq, salt, content } = record;
    if (salt === null && content === null) {
      reading.pruned += 1;
      reading.lastPruned = seq;
      return null;
    }
    const parsed = salt === null || content === null ? null : parsedObject(content);
    if (parsed === null || contentDigest(salt ?? NO_SALT, content ?? '') !== record.contentSha256) {
      this.#problem(
        'content_changed',
        record,
        'salt and content are not those that were recorded',
        decisionIdOf(parsed),
      );
      return null;
    }
    const time = String(parsed['time']);
    reading.from ??= time;
    reading.until = time;
    this.#learn(record, parsed, reading);
    return parsed;
  }

  /** What a record says about others. */
  #learn({ chain, seq }: RecordPosition, { kind, chains, keys, decisionId }: JsonObject, reading: Reading): void {
    const named = Array.isArray(chains) ? (chains as readonly JsonObject[]) : [];
    if (kind === 'started') {
      reading.beginsLog = named.length === 0;
      for (const end of named) {
        this.#named.push({ end: end as unknown as ChainEnd, by: `record ${seq} of chain ${chain}` });
      }
    }
    if (kind === 'pruned') {
      for (const { chain: of, seq: through } of named) {
        this.#dropped.set(String(of), Math.max(Number(through), this.#dropped.get(String(of)) ?? -1));
      }
    }
    if (kind === 'withdrawn') this.#withdrawn.add(String(decisionId));
    // Where keys were given, the log's own word on them does not count.
    if (this.#evidence.keys !== null || !Array.isArray(keys)) return;
    for (const jwk of keys as readonly JsonObject[]) this.#keys.set(String(jwk['kid']), jwk);
  }

  /** Compares what a decision is found by with what it is. */
  async #compareEntry(record: LogRecord, content: JsonObject | null, entry: StoredEntry | undefined): Promise<void> {
    const isDecision = content?.['kind'] === 'decision';
    if (isDecision) this.#decisions += 1;
    if (isDecision ? isEntryOf(content, entry) : entry === undefined || content === null) return;
    // A service may drop content while its log is read.
    const [now] = await this.#log.records({ chain: record.chain, seq: record.seq - 1 }, 1);
    if (now?.content === null) return;
    this.#problem('index_mismatch', record, 'what it is found by is not what was recorded', decisionIdOf(content));
  }

  async #compareIndex(): Promise<void> {
    const strays = await this.#log.strays();
    if (strays > 0)
      this.#problem('index_mismatch', null, `${strays} entries of the index belong to no decision of the log`);
    for (const decisionId of this.#withdrawn) {
      const found = await this.#log.find(decisionId);
      // Once its time is over, a decision is found no more.
      if (found === null || found.withdrawn) continue;
      this.#problem('index_mismatch', found.record, 'it was withdrawn, and is not shown so', decisionId);
    }
  }

  async #head(head: SignedHead, hashes: ReadonlyMap<number, string>): Promise<void> {
    this.#heads += 1;
    const verified = await verifyHead(head.jws, this.#keys);
    if (typeof verified === 'string') {
      this.#problem('head_unverified', head, `the signed head does not verify: ${verified}`);
      return;
    }
    if (this.#evidence.keys === null) this.#ownWord.add(verified.kid);
    if (verified.chain !== head.chain || verified.seq !== head.seq || hashes.get(verified.seq) !== verified.hash) {
      this.#problem('head_mismatch', head, `the head that was signed at ${verified.time} is of another record`);
    }
    const reading = this.#chains.get(head.chain);
    if (reading !== undefined) reading.lastHead = Math.max(reading.lastHead ?? 0, head.seq);
  }

  async #keptHead(jws: string): Promise<void> {
    const verified = await verifyHead(jws, this.#keys);
    if (typeof verified === 'string') {
      this.#problem('head_unverified', null, `a head that was kept does not verify: ${verified}`);
      return;
    }
    if (this.#evidence.keys === null) this.#ownWord.add(verified.kid);
    this.#named.push({ end: verified, by: `the head that was signed at ${verified.time}` });
  }

  async #compareNamed({ end, by }: Named): Promise<void> {
    const { chain, seq, hash } = end;
    const [record] = await this.#log.records({ chain, seq: seq - 1 }, 1);
    if (record?.chain !== chain || record.seq !== seq) {
      const what = this.#chains.has(chain) ? 'the chain ends before it' : 'the chain is not there';
      this.#problem('chain_missing', { chain, seq }, `${by} names this record: ${what}`);
    } else if (record.hash !== hash) {
      this.#problem('head_mismatch', record, `${by} names another record at this place`);
    }
  }

  #problem(
    code: LogProblemCode,
    position: RecordPosition | null,
    detail: string,
    decisionId: string | null = null,
  ): void {
    this.#problems.push({ code, chain: position?.chain ?? null, seq: position?.seq ?? null, decisionId, detail });
  }
}

function isEntryOf(content: JsonObject, entry: StoredEntry | undefined): boolean {
  const { decisionId, tenant, outcome, policies, summary } = entryOf(content);
  return (
    entry?.decisionId === decisionId &&
    entry.tenant === tenant &&
    entry.outcome === outcome &&
    entry.summary === summary &&
    entry.policies.join() === policies.join()
  );
}

const NO_SALT = new Uint8Array(0);

function newReading(end: ChainEnd): Reading {
  return { end, from: null, until: null, beginsLog: false, lastHead: null, pruned: 0, lastPruned: -1 };
}

function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Null for what is no JSON object: nobody of ours wrote it. */
function parsedObject(text: string): JsonObject | null {
  try {
    const value: JsonValue = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** As far as changed content still says it. */
function decisionIdOf(content: JsonObject | null): string | null {
  const decision = content?.['decision'];
  const id = isObject(decision) ? decision['decisionId'] : undefined;
  return typeof id === 'string' ? id : null;
}
