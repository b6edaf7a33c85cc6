import type { ChainEnd, LogRecord, LogStore, RecordPosition, SignedHead } from '../core/decision-log.js';
import { groupedBy } from '../core/grouped.js';
import type { JsonObject } from '../core/json.js';
import { signedUpTo } from '../core/log-report.js';
import type { ChainReading } from './chain-reading.js';
import { HeadKeys, type UnverifiedHead, type VerifiedHead, verifyHead } from './heads.js';
import type { LogProblems } from './log-problems.js';
import { recordAt } from './record-at.js';

/** The expected heads and keys. */
export interface HeadEvidence {
  /** Heads that were kept outside the log, JWS in compact form. */
  readonly keptHeads: readonly string[];
  /** Keys that heads may be signed with; null: the keys that the log names. */
  readonly keys: readonly JsonObject[] | null;
}

/** A log with its heads. */
export type SignedLog = Pick<LogStore, 'records' | 'heads'>;

/** A reference to a record, by a head or another record. */
interface Named {
  readonly end: ChainEnd;
  readonly by: string;
  /** The record with the reference; null for a head. */
  readonly record: RecordPosition | null;
  /** Whether the reference is a head that was kept outside the log. */
  readonly isKept: boolean;
}

/** Verifies signed heads, and compares the references of heads and records with the log. */
export class HeadVerification {
  heads = 0;
  /** Thumbprints of signing keys that only the log itself names. */
  readonly ownWord = new Set<string>();
  readonly #log: SignedLog;
  readonly #evidence: HeadEvidence;
  readonly #chains: ReadonlyMap<string, ChainReading>;
  readonly #problems: LogProblems;
  readonly #keys = new HeadKeys();
  readonly #named: Named[] = [];
  /** Heads of the log that are signed with unknown keys. */
  readonly #ofUnknownKeys: (RecordPosition & UnverifiedHead)[] = [];

  constructor(
    log: SignedLog,
    evidence: HeadEvidence,
    chains: ReadonlyMap<string, ChainReading>,
    problems: LogProblems,
  ) {
    this.#log = log;
    this.#evidence = evidence;
    this.#chains = chains;
    this.#problems = problems;
  }

  async begin(): Promise<void> {
    for (const jwk of this.#evidence.keys ?? []) await this.#keys.add(jwk);
  }

  /** Learns the keys that the log names. If the operator gave keys, these do not count. */
  async learnKeys(keys: readonly JsonObject[]): Promise<void> {
    if (this.#evidence.keys === null) for (const jwk of keys) await this.#keys.add(jwk);
  }

  /** Notes a reference of one record to another, which is compared at the end. */
  learnNamed(end: ChainEnd, { chain, seq }: RecordPosition): void {
    this.#named.push({ end, by: `record ${seq} of chain ${chain}`, record: { chain, seq }, isKept: false });
  }

  /** Takes consecutive records of one chain. */
  async compare(records: readonly LogRecord[]): Promise<void> {
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return;
    const hashes = new Map(records.map(({ seq, hash }) => [seq, hash]));
    for (const head of await this.#log.heads(first.chain, first.seq, last.seq)) await this.#head(head, hashes);
  }

  async end(): Promise<void> {
    for (const jws of this.#evidence.keptHeads) await this.#keptHead(jws);
    for (const { end } of this.#chains.values()) await this.#headsBeyond(end);
    for (const named of this.#named) await this.#compareNamed(named);
    this.#vouch();
    this.#compareUnknown();
  }

  /** A signature of a retired key adds nothing if later heads vouch for the same records. */
  #compareUnknown(): void {
    for (const { chain, seq, why } of this.#ofUnknownKeys) {
      const vouchedFor = this.#chains.get(chain)?.vouchedFor ?? -1;
      // If none of the given keys covers the chain, `chain_unsigned` is reported once, and not for each head.
      if (vouchedFor >= seq || (vouchedFor < 0 && this.#evidence.keys !== null && this.#chains.has(chain))) continue;
      this.#problems.add('head_unverified', { chain, seq }, `the signed head does not verify: ${why}`);
    }
  }

  /** A head also covers the chains whose ends are named by a record that it covers. */
  #vouch(): void {
    const naming = groupedBy(this.#named, ({ record }) => record?.chain);
    const waiting = [...this.#chains].map(([chain, reading]) => {
      reading.vouchedFor = signedUpTo(reading);
      return chain;
    });
    for (let chain = waiting.pop(); chain !== undefined; chain = waiting.pop()) {
      const covered = this.#chains.get(chain)?.vouchedFor ?? -1;
      for (const { end, record } of naming.get(chain) ?? []) {
        const reading = this.#chains.get(end.chain);
        if (record === null || record.seq > covered || reading === undefined || reading.vouchedFor >= end.seq) continue;
        reading.vouchedFor = end.seq;
        waiting.push(end.chain);
      }
    }
  }

  async #head(head: SignedHead, hashes: ReadonlyMap<number, string>): Promise<void> {
    const verified = await this.#verifiedHead(head);
    if (verified === null) return;
    if (hashes.get(verified.seq) !== verified.hash) {
      this.#problems.add('head_mismatch', head, `${signedAt(verified)} is of another record`);
      return;
    }
    const reading = this.#chains.get(head.chain);
    if (reading !== undefined) reading.lastHead = Math.max(reading.lastHead ?? 0, head.seq);
  }

  /** Reports heads beyond the end of a chain: an attacker who truncated the chain may have left them. */
  async #headsBeyond({ chain, seq }: RecordPosition): Promise<void> {
    for (const head of await this.#log.heads(chain, seq + 1, Number.MAX_SAFE_INTEGER)) {
      const verified = await this.#verifiedHead(head);
      if (verified !== null) this.#named.push({ end: verified, by: signedAt(verified), record: null, isKept: false });
    }
  }

  /** Returns null if the head does not verify, or names another record than its own. */
  async #verifiedHead(head: SignedHead): Promise<VerifiedHead | null> {
    this.heads += 1;
    const verified = await verifyHead(head.jws, this.#keys);
    if ('why' in verified) {
      if (verified.isOfUnknownKey) this.#ofUnknownKeys.push({ chain: head.chain, seq: head.seq, ...verified });
      else this.#problems.add('head_unverified', head, `the signed head does not verify: ${verified.why}`);
      return null;
    }
    this.#noteKey(verified);
    if (verified.chain === head.chain && verified.seq === head.seq) return verified;
    this.#problems.add('head_mismatch', head, `${signedAt(verified)} is of another record`);
    return null;
  }

  async #keptHead(jws: string): Promise<void> {
    const verified = await verifyHead(jws, this.#keys);
    if ('why' in verified) {
      this.#problems.add('head_unverified', null, `a head that was kept does not verify: ${verified.why}`);
      return;
    }
    this.#noteKey(verified);
    this.#named.push({ end: verified, by: signedAt(verified), record: null, isKept: true });
  }

  #noteKey({ kid }: VerifiedHead): void {
    if (this.#evidence.keys === null) this.ownWord.add(kid);
  }

  async #compareNamed({ end, by, isKept }: Named): Promise<void> {
    const { chain, seq, hash } = end;
    const record = await recordAt(this.#log, end);
    const reading = this.#chains.get(chain);
    if (record === null) {
      const what = reading === undefined ? 'the chain is not there' : 'the chain ends before it';
      this.#problems.add('chain_missing', { chain, seq }, `${by} names this record: ${what}`);
    } else if (record.hash !== hash) {
      this.#problems.add('head_mismatch', record, `${by} names another record at this place`);
    } else if (isKept && reading !== undefined) {
      reading.keptHead = Math.max(reading.keptHead ?? 0, seq);
    }
  }
}

function signedAt({ time }: VerifiedHead): string {
  return `the head that was signed at ${time}`;
}
