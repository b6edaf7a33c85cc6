import type { Outcome } from '../core/decision.js';
import type { DecidedRequest, DecisionRecorder, LogStore, NewRecord } from '../core/decision-log.js';
import type { JsonObject } from '../core/json.js';
import type { ReleaseAttempt, ReleaseResult } from '../core/key-release-record.js';
import type { Clock, Log } from '../core/ports.js';
import { chainsOfOthers } from './chains-of-others.js';
import { type HeadSigner, signHead } from './heads.js';
import { HEAD_MESSAGE } from './heads-in-log.js';
import { LogWriter, type NotedKind } from './log-writer.js';
import type { RecordCopy } from './record-copy.js';
import { attemptContent, resultContent } from './release-content.js';
import { Retention } from './retention.js';

export interface DecisionLogParts {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly isClockInDoubt: () => boolean;
  readonly log: Log;
  /** UUID of the chain that this process writes. */
  readonly chain: string;
  /** Version of veritee. */
  readonly version: string;
  readonly signer: HeadSigner;
  /** Copy of the records; null if none is written. */
  readonly copy: RecordCopy | null;
  readonly retentionMs: number;
  /** Called for each decision whose record is dropped. Must not throw. */
  readonly onDropped: () => void;
}

/** A head is signed after this time or this number of records, whichever comes first. */
const HEAD_MS = 60_000;
const HEAD_RECORDS = 1_000;

const RECOVER_MS = 1_000;
const PRUNE_MS = 3_600_000;

/** The decision log of one process: its chain, its signed heads and its retention. */
export class DecisionLog implements DecisionRecorder {
  readonly #parts: DecisionLogParts;
  readonly #writer: LogWriter;
  readonly #timers: NodeJS.Timeout[] = [];
  /** Position of the last signed head. */
  #headSeq = -1;
  #signing: Promise<void> = Promise.resolve();
  readonly #retention: Retention;
  /** Thumbprints of the keys that the log named last. */
  #keyIds: string;

  private constructor(parts: DecisionLogParts) {
    this.#parts = parts;
    this.#keyIds = keyIds(parts.signer);
    const onStored = (records: readonly NewRecord[]) => this.#stored(records);
    this.#writer = new LogWriter({ ...parts, onStored });
    // An attacker could have written an unsigned record. So nothing is dropped until the record is signed.
    const announce = async (members: JsonObject) => {
      await this.#writer.note('pruned', members);
      return this.#signHead();
    };
    this.#retention = new Retention({ ...parts, announce });
  }

  /**
   * Begins the chain of this process. Its first record names the end of every existing chain, so that the removal of a chain is
   * detected.
   *
   * @param started further members of the start record
   * @throws {StoreUnavailableError} if the store rejects the record
   */
  static async open(parts: DecisionLogParts, started: JsonObject): Promise<DecisionLog> {
    const decisionLog = new DecisionLog(parts);
    const chains = await parts.store.chains();
    const keys = parts.signer.keys();
    // Without a permanent key, there is no signature to verify. The start below names these chains, so each is reported once.
    const others = keys.length === 0 ? [] : await chainsOfOthers(parts.store, chains, keys);
    for (const end of chains.filter(({ chain }) => others.includes(chain))) {
      const { chain, seq } = end;
      const [head] = await parts.store.heads(chain, 0, seq);
      if (head === undefined) parts.log.warn({ chain }, WITHOUT_HEAD);
      // Its process may have stored its first head after the look above, so a chain with a head is looked at again.
      else if ((await chainsOfOthers(parts.store, [end], keys)).length > 0) parts.log.error({ chain }, OF_OTHERS);
    }
    await decisionLog.#writer.note('started', { ...started, chains: named(chains), keys });
    await decisionLog.#signHead();
    return decisionLog;
  }

  /** Starts the timer that signs heads, retries a failed store, and drops old content. */
  watch(): void {
    const every = (milliseconds: number, work: () => void) => {
      this.#timers.push(setInterval(work, milliseconds).unref());
    };
    every(HEAD_MS, () => {
      void this.noteKeys();
      this.#headIfDue(1);
    });
    every(RECOVER_MS, () => void this.#writer.recover());
    every(PRUNE_MS, () => void this.#retention.run());
    void this.#retention.run();
  }

  /** Whether the store accepted the last write, and answers now. */
  get isAvailable(): boolean {
    return this.#parts.store.isReachable && this.#writer.isAvailable;
  }

  async record(judged: DecidedRequest): Promise<void> {
    await this.#writer.decision(judged);
  }

  async releaseAttempt(attempt: ReleaseAttempt): Promise<void> {
    await this.#writer.release('release-attempt', attemptContent(attempt), attempt.decisionId);
  }

  async releaseResult(result: ReleaseResult): Promise<void> {
    await this.#writer.release('release-result', resultContent(result), result.decisionId);
  }

  withdraw(decisionId: string, because: string): Promise<void> {
    return this.#writer.withdraw(decisionId, because);
  }

  answeredUnrecorded(decisionId: string): void {
    this.#writer.answeredUnrecorded(decisionId);
  }

  leavesUnrecorded(outcome: Outcome): void {
    this.#writer.leavesUnrecorded(outcome);
  }

  /**
   * Records that policies were reloaded, or refused, or the result of a reload. Never rejects: if the record is not stored, the log of
   * the process has the event.
   */
  async noteChange(kind: 'policies' | 'policies_refused' | 'reloaded', members: JsonObject): Promise<void> {
    await this.#note(kind, members);
  }

  /** Records the keys that sign from now on, if they changed. */
  async noteKeys(): Promise<void> {
    const { signer } = this.#parts;
    const ids = keyIds(signer);
    if (ids === this.#keyIds) return;
    // If the record cannot be stored, the next head tries again.
    if (await this.#note('keys', { keys: signer.keys() })) this.#keyIds = ids;
  }

  /**
   * Drops content of decisions before a date, regardless of their retention.
   * @returns the number of decisions; null if the record of the drop could not be signed
   * @throws {StoreUnavailableError}
   */
  prune(before: Date): Promise<number | null> {
    return this.#retention.prune(before);
  }

  /** Ends the chain. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#retention.close();
    await this.#note('stopped', {});
    await this.#signing;
    await this.#signHead();
    await this.#parts.copy?.close();
  }

  /** @returns whether the record is stored */
  async #note(kind: NotedKind, members: JsonObject): Promise<boolean> {
    try {
      await this.#writer.note(kind, members);
      return true;
    } catch (error) {
      this.#parts.log.error({ err: error, kind }, 'a record of the decision log could not be stored');
      return false;
    }
  }

  #stored(records: readonly NewRecord[]): void {
    this.#parts.copy?.add(records);
    this.#headIfDue(HEAD_RECORDS);
  }

  #headIfDue(records: number): void {
    const end = this.#writer.end;
    if (end === null || end.seq - this.#headSeq < records) return;
    // Set at once, so that records stored during the signature do not start another one.
    this.#headSeq = end.seq;
    this.#signing = this.#signing.then(async () => void (await this.#signHead()));
  }

  /**
   * Signs the end of the chain. Never rejects: only later verification needs heads, and no request waits for one.
   * @returns whether the end is signed, or this process signs nothing
   */
  async #signHead(): Promise<boolean> {
    const { store, signer, clock, log } = this.#parts;
    const end = this.#writer.end;
    if (end === null) return true;
    try {
      const jws = await signHead(signer, end, clock.now());
      if (jws === null) return true;
      this.#headSeq = Math.max(this.#headSeq, end.seq);
      // Writes the log of the process first: that head is needed if the store is lost.
      log.info({ ...end, head: jws }, HEAD_MESSAGE);
      await store.putHead({ ...end, jws });
      return true;
    } catch (error) {
      // Tries again in a minute, even if no further record is stored until then.
      this.#headSeq = Math.min(this.#headSeq, end.seq - 1);
      log.error({ err: error }, 'the head of the decision log was not signed');
      return false;
    }
  }
}

const OF_OTHERS =
  'no key of the configuration signed this chain of the decision log: another service wrote it, or it was added to the store; veritee decisions verify reports details';

/** A process that is killed between its first record and its first head leaves such a chain, so this is no error. */
const WITHOUT_HEAD =
  'this chain of the decision log has no signed head: its process had no key or was killed before it signed one, or the chain was added to the store; veritee decisions verify reports details';

/** Copies the members by name: the objects of a store may have more. */
function named(ends: readonly { readonly chain: string; readonly seq: number; readonly hash?: string }[]) {
  return ends.map(({ chain, seq, hash }) => ({ chain, seq, ...(hash === undefined ? {} : { hash }) }));
}

function keyIds(signer: HeadSigner): string {
  return signer
    .keys()
    .map(({ kid }) => kid)
    .join();
}
