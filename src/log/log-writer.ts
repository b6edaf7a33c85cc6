import { randomBytes } from 'node:crypto';
import type { Outcome } from '../core/decision.js';
import {
  type ChainEnd,
  type DecidedRequest,
  type LogStore,
  type NewRecord,
  NO_RECORD,
  type RecordKind,
  StoreUnavailableError,
} from '../core/decision-log.js';
import { messageOf } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import type { ReleaseKind } from '../core/key-release-record.js';
import type { Clock, Log } from '../core/ports.js';
import { CONTENT_VERSION } from '../core/recorded-decision.js';
import { canonicalJson } from '../formats/canonical-json.js';
import { contentDigest, recordHash, SALT_BYTES } from './chain.js';
import { decisionContent } from './decision-content.js';
import { resultContent } from './release-content.js';

export interface LogWriterParts {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly log: Log;
  /** UUID of the chain that this process writes. */
  readonly chain: string;
  /** Version of veritee. */
  readonly version: string;
  /** Called for stored records, in the order of the chain. Must not throw. */
  readonly onStored: (records: readonly NewRecord[]) => void;
  /** Called for each decision whose record is dropped. Must not throw. */
  readonly onDropped: () => void;
}

const MIB = 1024 * 1024;

/**
 * Most bytes of decisions that wait for the store, so that a hanging store does not fill the memory. Beyond it, the service drops
 * decisions that were answered already, then refuses new ones. A single larger decision may wait alone.
 */
const MOST_WAITING_BYTES = 32 * MIB;

/** Records and bytes of one transaction. One record may be larger. */
const MOST_AT_ONCE = 256;
const MOST_BYTES_AT_ONCE = 4 * MIB;

/** The events of the service itself. */
export type NotedKind = Exclude<RecordKind, 'decision' | 'withdrawn' | ReleaseKind>;

/** A record without its place in the chain. */
type Draft = Pick<NewRecord, 'salt' | 'content' | 'entry' | 'withdraws' | 'release' | 'objects'>;

interface WaitingDraft extends Draft {
  readonly bytes: number;
  readonly resolve: (end: ChainEnd) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Writes the chain of this process, one transaction at a time. Records that arrive meanwhile form the next transaction, and share
 * its sync. After a failure the outcome is unknown, so the writer reads the store before it writes again.
 */
export class LogWriter {
  readonly #parts: LogWriterParts;
  #end: ChainEnd | null = null;
  #waiting: WaitingDraft[] = [];
  /** Bytes of waiting decisions. */
  #waitingBytes = 0;
  /** Ids of waiting decisions that were answered with `audit_unavailable`. */
  readonly #answered = new Set<string>();
  #isWriting = false;
  /** Records of a transaction with unknown outcome. Null if the state of the store is known. */
  #doubtful: readonly NewRecord[] | null = null;
  /** Whether the log has a refusal of the store, and not yet its end. */
  #isRefusing = false;
  /** False from a failed append until the next one succeeds, or the queue is empty. */
  #acceptsWrites = true;
  /** Whether the store lacked records that it had stored. */
  #isLost = false;
  /** Decisions that are, or may be, stored, but were not answered; each with the reason. */
  readonly #owed = new Map<string, string>();
  /** Ids of decisions with a stored release attempt, although the caller was told that it failed. */
  readonly #notAttempted = new Set<string>();
  #unrecorded: Unrecorded | null = null;

  constructor(parts: LogWriterParts) {
    this.#parts = parts;
  }

  /** The last record that is stored; null before the first. */
  get end(): ChainEnd | null {
    return this.#end;
  }

  /** Whether the store accepted the last write. A successful read does not show that: a store whose writes hang can still be read. */
  get isAvailable(): boolean {
    return this.#acceptsWrites;
  }

  /**
   * Resolves once the decision is stored.
   * @throws {StoreUnavailableError} if it was not stored, or the outcome is unknown
   */
  decision(judged: DecidedRequest): Promise<ChainEnd> {
    const { clock, version } = this.#parts;
    const salt = randomBytes(SALT_BYTES);
    const { content, entry } = decisionContent(judged, { salt, time: clock.now(), version });
    return this.#add({
      salt,
      content,
      entry,
      withdraws: null,
      release: null,
      objects: judged.inputs?.objects ?? NO_OBJECTS,
    });
  }

  /** Records that a stored decision was not answered, once it can be stored. Never rejects. */
  async withdraw(decisionId: string, because: string): Promise<void> {
    this.#owed.set(decisionId, because);
    await this.#add(this.#withdrawal(decisionId, because)).catch(() => undefined);
  }

  /**
   * Resolves once it is stored.
   * @throws {StoreUnavailableError} if it was not stored, or the outcome is unknown
   */
  release(kind: ReleaseKind, members: JsonObject, decisionId: string): Promise<ChainEnd> {
    return this.#add(this.#draft(kind, members, { release: { decisionId, kind } }));
  }

  /** Records an event of the service. */
  note(kind: NotedKind, members: JsonObject): Promise<ChainEnd> {
    return this.#add(this.#draft(kind, members));
  }

  /** Marks a decision as answered with `audit_unavailable`: its record is dropped if too many wait. */
  answeredUnrecorded(decisionId: string): void {
    if (this.#waiting.some(({ entry }) => entry?.decisionId === decisionId)) this.#answered.add(decisionId);
  }

  /** Counts an answer without a record, which is never an allow. The log states the count once it can. */
  leavesUnrecorded(outcome: Outcome): void {
    const time = this.#parts.clock.now().toISOString();
    const { from = time, counts = {} } = this.#unrecorded ?? {};
    this.#unrecorded = { from, until: time, counts: { ...counts, [outcome]: (counts[outcome] ?? 0) + 1 } };
  }

  /**
   * Resolves doubt about the stored records, then records losses and unanswered decisions. Never
   * rejects: a failure is tried again.
   */
  async recover(): Promise<void> {
    const hasToSay = this.#doubtful !== null || this.#unrecorded !== null;
    const owes = this.#owed.size + this.#notAttempted.size > 0;
    if (this.#isWriting || !(hasToSay || owes)) return;
    await this.#write(async () => {
      await this.#settle();
      this.#acceptsWrites = true;
    });
  }

  #draft(kind: RecordKind, members: JsonObject, { withdraws = null, release = null }: Partial<Draft> = {}): Draft {
    const { clock, version } = this.#parts;
    const content = { v: CONTENT_VERSION, kind, time: clock.now().toISOString(), version, ...members };
    return {
      salt: randomBytes(SALT_BYTES),
      content: canonicalJson(content),
      entry: null,
      withdraws,
      release,
      objects: NO_OBJECTS,
    };
  }

  #add(draft: Draft): Promise<ChainEnd> {
    const bytes = bytesOf(draft);
    if (draft.entry !== null) {
      this.#dropAnswered(bytes);
      if (!this.#hasRoomFor(bytes))
        return Promise.reject(new StoreUnavailableError('too many records wait to be stored'));
      this.#waitingBytes += bytes;
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...draft, bytes, resolve, reject });
      if (!this.#isWriting) void this.#write();
    });
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#waitingBytes === 0 || this.#waitingBytes + bytes <= MOST_WAITING_BYTES;
  }

  /** Drops the oldest answered decisions until there is room. Records of releases and of the service stay. */
  #dropAnswered(bytes: number): void {
    for (const draft of [...this.#waiting]) {
      if (this.#hasRoomFor(bytes) || this.#answered.size === 0) return;
      const decisionId = draft.entry?.decisionId ?? '';
      if (!this.#answered.has(decisionId)) continue;
      this.#waiting.splice(this.#waiting.indexOf(draft), 1);
      this.#removeFromCounts([draft]);
      this.#parts.log.error({ decisionId }, DROPPED);
      this.#parts.onDropped();
      draft.reject(new StoreUnavailableError('the record was dropped: too many records wait to be stored'));
    }
  }

  /** Removes drafts that no longer wait from the counts. */
  #removeFromCounts(drafts: readonly WaitingDraft[]): void {
    for (const { entry, bytes } of drafts) {
      if (entry === null) continue;
      this.#waitingBytes -= bytes;
      this.#answered.delete(entry.decisionId);
    }
  }

  /** Returns the drafts of the next transaction. */
  #next(): readonly WaitingDraft[] {
    let [count, bytes] = [0, 0];
    for (const draft of this.#waiting.slice(0, MOST_AT_ONCE)) {
      bytes += draft.bytes;
      if (count > 0 && bytes > MOST_BYTES_AT_ONCE) break;
      count += 1;
    }
    const drafts = this.#waiting.splice(0, count);
    this.#removeFromCounts(drafts);
    return drafts;
  }

  /** Writes until the queue is empty. Never rejects. @param first runs before; null: nothing */
  async #write(first: (() => Promise<void>) | null = null): Promise<void> {
    this.#isWriting = true;
    try {
      if (first !== null) await first().catch(() => undefined);
      do {
        await this.#store(this.#next());
      } while (this.#waiting.length > 0);
    } finally {
      this.#isWriting = false;
    }
  }

  async #store(drafts: readonly WaitingDraft[]): Promise<void> {
    try {
      if (this.#doubtful !== null) await this.#settle();
      const ends = await this.#append(drafts);
      for (const [index, { resolve }] of drafts.entries()) resolve(ends[index] as ChainEnd);
    } catch (error) {
      for (const { reject } of drafts) reject(error as Error);
    }
  }

  async #append(drafts: readonly Draft[]): Promise<readonly ChainEnd[]> {
    if (drafts.length === 0) return [];
    const records = this.#chained(drafts);
    try {
      await this.#parts.store.append(records);
    } catch (error) {
      if (!this.#isRefusing) this.#parts.log.error({ err: error, why: messageOf(error) }, NOT_STORED);
      this.#isRefusing = true;
      this.#acceptsWrites = false;
      this.#doubtful = records;
      throw error;
    }
    this.#acceptsWrites = true;
    this.#stored(records);
    this.#tellTaken(records);
    return records;
  }

  /** Logs the end of a refusal after the first successful write: a store that answers may still refuse writes. */
  #tellTaken(records: readonly NewRecord[]): void {
    if (!this.#isRefusing) return;
    this.#isRefusing = false;
    const withdrawn = records.filter(({ withdraws }) => withdraws !== null).length;
    this.#parts.log.info({ withdrawn }, STORED_AGAIN);
  }

  #chained(drafts: readonly Draft[]): readonly NewRecord[] {
    let before = this.#end;
    return drafts.map(({ salt, content, entry, withdraws, release, objects }) => {
      const position = { chain: this.#parts.chain, seq: before === null ? 0 : before.seq + 1 };
      const linked = { previous: before?.hash ?? NO_RECORD, contentSha256: contentDigest(salt, content) };
      const hash = recordHash(position, linked);
      before = { ...position, hash };
      return { ...before, ...linked, salt, content, entry, withdraws, release, objects };
    });
  }

  #stored(records: readonly NewRecord[]): void {
    const { chain, seq, hash } = records.at(-1) as NewRecord;
    this.#end = { chain, seq, hash };
    for (const { withdraws, release } of records) {
      if (withdraws !== null) this.#owed.delete(withdraws);
      if (release?.kind === 'release-result') this.#notAttempted.delete(release.decisionId);
    }
    this.#parts.onStored(records);
  }

  /**
   * Resolves the decisions in doubt, then records the losses of that time.
   * @throws {StoreUnavailableError} if the store does not answer, or lost records
   */
  async #settle(): Promise<void> {
    if (this.#doubtful !== null) await this.#resolveDoubt(this.#doubtful);
    const withdrawn = [...this.#owed].map(([decisionId, because]) => this.#withdrawal(decisionId, because));
    const ended = [...this.#notAttempted].map((decisionId) => this.#notAttemptedResult(decisionId));
    const gap = this.#unrecorded;
    // Later losses are counted for the next record.
    this.#unrecorded = null;
    try {
      await this.#append([...withdrawn, ...ended, ...(gap === null ? [] : [this.#draft('unrecorded', { ...gap })])]);
    } catch (error) {
      this.#unrecorded = both(gap, this.#unrecorded);
      throw error;
    }
  }

  /** @throws {StoreUnavailableError} if the store does not answer, or lost records */
  async #resolveDoubt(sent: readonly NewRecord[]): Promise<void> {
    const last = await this.#parts.store.last(this.#parts.chain);
    const stored = sent.findIndex(({ seq, hash }) => seq === last?.seq && hash === last.hash) + 1;
    if (stored === 0 && (last?.seq !== this.#end?.seq || last?.hash !== this.#end?.hash)) {
      this.#tellLost(last);
      throw new StoreUnavailableError('the store lacks records that it had');
    }
    this.#isLost = false;
    // They are stored, but their callers were told that they are not.
    const through = sent.slice(0, stored);
    for (const { entry, release } of through) {
      if (entry !== null) this.#owed.set(entry.decisionId, 'store_unavailable');
      if (release?.kind === 'release-attempt') this.#notAttempted.add(release.decisionId);
    }
    if (through.length > 0) this.#stored(through);
    this.#doubtful = null;
  }

  /**
   * Logs that the store lost records that it had confirmed. The chain stops: its next record would take the
   * position of a lost one. The operator must look, or restore the store.
   */
  #tellLost(last: ChainEnd | null): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#parts.log.error({ chain: this.#parts.chain, stored: this.#end, found: last }, LOST);
  }

  /** The result of a release attempt that was not continued: its caller was told that it is not stored. */
  #notAttemptedResult(decisionId: string): Draft {
    const kind = 'release-result';
    return this.#draft(kind, resultContent({ decisionId, ...NOT_ATTEMPTED }), { release: { decisionId, kind } });
  }

  #withdrawal(decisionId: string, because: string): Draft {
    return this.#draft('withdrawn', { decisionId, because }, { withdraws: decisionId });
  }
}

/** Decisions that left without a record. */
interface Unrecorded extends JsonObject {
  readonly from: string;
  readonly until: string;
  readonly counts: { readonly [outcome: string]: number };
}

function both(before: Unrecorded | null, after: Unrecorded | null): Unrecorded | null {
  if (before === null || after === null) return before ?? after;
  const counts: Record<string, number> = { ...before.counts };
  for (const [outcome, count] of Object.entries(after.counts)) counts[outcome] = (counts[outcome] ?? 0) + count;
  return { from: before.from, until: after.until, counts };
}

function bytesOf({ content, objects }: Draft): number {
  return objects.reduce((sum, object) => sum + object.bytes.byteLength, Buffer.byteLength(content));
}

const NO_OBJECTS: NewRecord['objects'] = [];

const NOT_ATTEMPTED = {
  outcome: 'unavailable',
  keyVersion: null,
  valueSha256: null,
  code: 'audit_unavailable',
  detail: 'the store did not confirm the attempt in time, so the key was not requested',
} as const;

const DROPPED =
  'the record of a decision was dropped, since too many records wait to be stored: its answer said audit_unavailable';
const NOT_STORED = 'decisions cannot be stored: no allow leaves';
const LOST =
  'the decision store lacks records that it had: no allow leaves until it has them again, or the service is started anew';
const STORED_AGAIN = 'decisions are stored again';
