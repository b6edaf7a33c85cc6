import type { LogStore, PrunedDecision, RecordedDecision } from '../core/decision-log.js';
import { groupedBy } from '../core/grouped.js';
import type { JsonObject } from '../core/json.js';
import type { Clock, Log } from '../core/ports.js';
import { isIntact } from './chain.js';
import { apparentDecision } from './record-content.js';

export interface RetentionParts {
  readonly store: LogStore;
  readonly clock: Clock;
  /** While the clock may be wrong, nothing is dropped. */
  readonly isClockInDoubt: () => boolean;
  readonly log: Log;
  readonly retentionMs: number;
  /**
   * Stores and signs the record that names the content to be dropped.
   * @returns whether it is signed, or this process signs nothing
   */
  readonly announce: (members: JsonObject) => Promise<boolean>;
}

const DAY_MS = 86_400_000;

/** Longest range of dates that is dropped in one day. */
const WINDOW_MS = 2 * DAY_MS;

/** Decisions that one `pruned` record names. */
const DECISIONS_AT_ONCE = 1000;

/** Decisions whose content is dropped in one transaction: requests wait for it. */
const DROPPED_AT_ONCE = 200;

/** The drop of one day, once it has begun. */
interface Due {
  /** Decisions dated before it are dropped; null until the oldest decision is known. */
  before: Date | null;
}

/** A decision that may be dropped. */
interface Droppable extends PrunedDecision {
  readonly decidedAt: Date;
  /** Positions of all its records, its own first. */
  readonly seqs: readonly number[];
}

/**
 * Drops content of decisions at the end of their retention: at most once a day, and at most two days of records, so that a clock
 * set ahead does not erase the log. The date in its own record decides about each decision.
 */
export class Retention {
  readonly #parts: RetentionParts;
  #due: Due | null = null;
  /** Monotonic time of the last drop of this process. */
  #claimedMs: number | null = null;
  #running: Promise<void> = Promise.resolve();
  #isClosing = false;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** Drops content that is due. Never rejects: a failed drop is tried again later. */
  run(): Promise<void> {
    this.#running = this.#running.then(() => this.#daily());
    return this.#running;
  }

  /** Stops dropping. The next start drops the rest. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#running;
  }

  /**
   * Drops content of decisions before a date, without a limit of their number.
   * @returns the number of decisions; null if the record of the drop could not be signed
   * @throws {StoreUnavailableError}
   */
  prune(before: Date): Promise<number | null> {
    return this.#drop({ before }, before);
  }

  async #daily(): Promise<void> {
    const { clock, isClockInDoubt, log, retentionMs } = this.#parts;
    const now = clock.now();
    if (isClockInDoubt()) return;
    try {
      if (!(await this.#isDue(now))) return;
      this.#due ??= { before: null };
      const dropped = await this.#drop(this.#due, new Date(now.getTime() - retentionMs));
      if (dropped === null || isClockInDoubt()) return;
      this.#due = null;
      if (dropped > 0) log.info({ dropped }, 'content of old decisions was dropped');
    } catch (error) {
      log.error({ err: error }, 'content of old decisions could not be dropped');
    }
  }

  /** Uses the mark in the store and monotonic time, so that jumps of the clock do not add up. A failed drop stays due. */
  async #isDue(now: Date): Promise<boolean> {
    if (this.#due !== null) return true;
    const monotonicMs = this.#parts.clock.monotonicMs();
    if (this.#claimedMs !== null && monotonicMs - this.#claimedMs < DAY_MS) return false;
    if (!(await this.#parts.store.claimPruning(now, DAY_MS))) return false;
    this.#claimedMs = monotonicMs;
    return true;
  }

  /** @param end of the retention; `due.before` is set to at most two days after the oldest decision */
  async #drop(due: Due, end: Date): Promise<number | null> {
    const { store, isClockInDoubt } = this.#parts;
    const isOver = () => this.#isClosing || isClockInDoubt();
    let dropped = 0;
    for (let after: string | null = null; !isOver(); ) {
      const ids: readonly string[] = await store.prunable(due.before ?? end, after, DECISIONS_AT_ONCE);
      after = ids.at(-1) ?? null;
      if (after === null) break;
      const droppable = await this.#droppable(ids);
      due.before ??= windowOf(droppable, end);
      const before = due.before ?? end;
      const old = droppable.filter(({ decidedAt }) => decidedAt.getTime() < before.getTime());
      if (old.length === 0) continue;
      if (isOver() || !(await this.#announce(old, before))) return null;
      for (let from = 0; from < old.length && !isOver(); from += DROPPED_AT_ONCE) {
        dropped += await store.prune(old.slice(from, from + DROPPED_AT_ONCE));
      }
    }
    return dropped;
  }

  /** Without this record, `decisions verify` reports the content as missing. */
  #announce(old: readonly Droppable[], before: Date): Promise<boolean> {
    return this.#parts.announce({ before: before.toISOString(), chains: runsOf(old) });
  }

  async #droppable(ids: readonly string[]): Promise<readonly Droppable[]> {
    const { store, log } = this.#parts;
    const found: Droppable[] = [];
    const wrong: string[] = [];
    for (const id of ids) {
      const recorded = await store.find(id);
      const droppable = recorded === null ? null : droppableOf(recorded, id);
      if (droppable !== null) found.push(droppable);
      else if (recorded !== null) wrong.push(id);
    }
    const [first] = wrong;
    if (first !== undefined) log.error({ decisionId: first, decisions: wrong.length }, NOT_DROPPED);
    return found;
  }
}

const NOT_DROPPED =
  'content of old decisions was not dropped: their records are not what the index says; veritee decisions verify says more';

/** The end of two days from the oldest decision, or the end of the retention. Null if there is no decision. */
function windowOf(droppable: readonly Droppable[], end: Date): Date | null {
  if (droppable.length === 0) return null;
  const oldest = Math.min(...droppable.map(({ decidedAt }) => decidedAt.getTime()));
  return new Date(Math.min(end.getTime(), oldest + WINDOW_MS));
}

/**
 * Reads the dates from the records. No hash covers the index: an attacker could change it to make the service drop newer content.
 * @returns null if a record is not intact, or is about another decision
 */
function droppableOf({ record, releaseRecords }: RecordedDecision, decisionId: string): Droppable | null {
  const { chain, seq } = record;
  const all = [record, ...releaseRecords];
  for (const each of all) {
    const isOfIt = each.chain === chain && apparentDecision(each.content ?? '').decisionId === decisionId;
    if (!isOfIt || !isIntact(each)) return null;
  }
  const { decidedAt } = apparentDecision(record.content ?? '');
  if (decidedAt === null || Number.isNaN(Date.parse(decidedAt))) return null;
  const seqs = all.map((each) => each.seq);
  return { decisionId, chain, seq, through: Math.max(...seqs), seqs, decidedAt: new Date(decidedAt) };
}

/** Merges consecutive positions into runs. */
function runsOf(decisions: readonly Droppable[]) {
  const places = decisions.flatMap(({ chain, seqs }) => seqs.map((seq) => ({ chain, from: seq, seq })));
  return [...groupedBy(places, ({ chain }) => chain).values()].flatMap((ofChain) => {
    const runs: typeof places = [];
    for (const place of ofChain.sort((one, other) => one.seq - other.seq)) {
      const last = runs.at(-1);
      if (last?.seq === place.seq - 1) runs[runs.length - 1] = { ...last, seq: place.seq };
      else runs.push(place);
    }
    return runs;
  });
}
