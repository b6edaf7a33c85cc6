import { FormatError, UnfitError } from '../../model/errors.js';
import type { Clock, Log } from '../../model/ports.js';
import type { Lease, LeaseEnd, SharedAnswer, SharedQuestion, SharedStore } from '../../model/shared-endorsements.js';
import { pauseWithin } from '../../outgoing/bounded-signal.js';
import { FetchError, outOfTurn, requireTime } from '../../outgoing/fetch-error.js';
import { type EntrySeal, type EntrySubject, MAC_BYTES, type SharedEntry } from './sealed-entries.js';
import { TurnPolls } from './turn-polls.js';

/** Where something was obtained, and when its origin said so. */
export interface Obtained {
  /** `cache` where another replica asked the origin. */
  readonly origin: 'network' | 'cache';
  readonly fetchedAt: Date;
}

/** A turn that is needed before the origin is asked. */
export interface NeededTurn {
  /** Those who want it now. At least one; may grow. */
  readonly principals: ReadonlySet<string>;
  /** A longer pause of the origin is not waited for. */
  readonly patienceMs: number;
  /** Ends the waiting for it. A turn that came in time is used. */
  readonly signal: AbortSignal;
}

/** What is to be had, once for all replicas. */
export interface SharedFetch<F, T> {
  readonly subject: EntrySubject;
  /** Of what was fetched, encoded. */
  readonly maximumBytes: number;
  /** How long after its fetch an entry counts at most. */
  readonly lifetimeMs: number;
  /** What was fetched before counts only by `orOlder`; null: each entry counts. */
  readonly since: Date | null;
  /** Whether an entry of before counts where the origin gives nothing. */
  readonly orOlder: boolean;
  /** Whether what is fetched is kept for others. */
  readonly keeps: boolean;
  readonly signal: AbortSignal;
  /** Null: the origin lets everybody through. */
  readonly turn: NeededTurn | null;
  /** Asks the origin. @throws {FetchError} */
  readonly fetch: (signal: AbortSignal) => Promise<F>;
  readonly encode: (fetched: F) => Uint8Array;
  /** @throws {FormatError} */
  readonly decode: (bytes: Uint8Array) => F;
  /**
   * Verifies what was obtained, and puts it where it belongs.
   * @throws {FormatError | UnfitError} where it is of no use
   */
  readonly take: (fetched: F, from: Obtained) => T | Promise<T>;
  /** Whether others can use it too. If not, it is neither used nor kept. */
  readonly isOfUse: (taken: T) => boolean | Promise<boolean>;
  /** When what was taken ends: an entry lives no longer. Left out, it has no end of its own. */
  readonly endOf?: ((taken: T) => Date | null) | undefined;
  /** Whether a failure says that the origin does not have it. */
  readonly isAbsent: (error: FetchError) => boolean;
}

/** As an origin's 404 is remembered in one process. */
const ABSENT_MS = 10 * 60_000;
/** A replica whose clock is ahead by more seals entries that nobody takes. */
const AHEAD_MS = 60_000;
/** Longer than a fetch with all its attempts and pauses takes. */
const LEASE_MS = 20_000;
/** So many entries are looked at; then the origin is asked whatever the store has. */
const MOST_ENTRIES = 3;

/**
 * So long in all what needs no turn waits for another replica, at the store's word. Then this replica asks for itself: a store that lies must
 * not keep it from the origin.
 */
const MOST_WAIT_MS = 1_000;

/** After a 429 without Retry-After. */
const UNNAMED_PAUSE_MS = 10_000;

const NO_END: LeaseEnd = { entry: null, throttled: null };

const OUT_OF_REACH = 'not contacted: the store in which replicas take turns is out of reach';

/** Who is asked for a lease, and what is left of looking at entries. */
interface Search {
  readonly id: string;
  unwanted: SharedQuestion['unwanted'];
  looked: number;
  /** How long it has waited for other replicas, milliseconds. */
  waitedMs: number;
  /** An entry of before `since`. */
  older: SharedEntry | null;
}

/**
 * Fetches what replicas share. An entry of the store counts once it is opened, not too old, and verified as what the origin
 * itself would have answered; else this replica asks the origin. One replica asks at a time, and the others wait for what it keeps.
 *
 * Where the store is out of reach, each replica asks for itself. Only what needs a turn is then not to be had.
 */
export class SharedFetches {
  readonly #store: SharedStore;
  readonly #seal: EntrySeal;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #log: Log;
  readonly #polls: TurnPolls;
  /** Until when an origin wants to be left alone, by its lane, in milliseconds of a clock that nobody sets: whatever the store says. */
  readonly #pauses = new Map<string, number>();
  /** Kinds of entries of which the log has been told that they are none. */
  readonly #told = new Set<string>();

  constructor(store: SharedStore, seal: EntrySeal, clock: Pick<Clock, 'now'>, log: Log) {
    this.#store = store;
    this.#seal = seal;
    this.#clock = clock;
    this.#log = log;
    this.#polls = new TurnPolls(store, LEASE_MS);
  }

  /**
   * @throws {FetchError} why there is nothing: of the origin, or `busy`, `waiting` or `no_time` where it was not asked
   * @throws {FormatError | UnfitError} of what the origin answered
   */
  async get<F, T>(wanted: SharedFetch<F, T>): Promise<T> {
    const search: Search = { id: this.#seal.id(wanted.subject), unwanted: null, looked: 0, waitedMs: 0, older: null };
    try {
      requireTime(wanted.signal);
      for (;;) {
        if (wanted.signal.aborted) throw outOfTurn();
        const found = await this.#step(wanted, search);
        if (found !== null) return found.taken;
      }
    } finally {
      this.#withdraw(wanted, search);
    }
  }

  /** Null: not yet. */
  async #step<F, T>(wanted: SharedFetch<F, T>, search: Search): Promise<{ readonly taken: T } | null> {
    const answer = await this.#ask(wanted, search);
    switch (answer?.state) {
      case undefined:
        return this.#alone(wanted, search);
      case 'entry':
        // It was asked for none any more: this is the store's doing.
        if (search.looked >= MOST_ENTRIES) return this.#alone(wanted, search);
        return this.#look(wanted, search, answer.bytes);
      case 'lead':
        return this.#lead(wanted, search, answer.lease);
      case 'busy':
        throw new FetchError('busy', 'not contacted: too many wait for their turn');
      case 'wait': {
        const { ms, pauseMs } = answer;
        if (pauseMs > (wanted.turn?.patienceMs ?? Number.POSITIVE_INFINITY)) {
          const why = 'not contacted: the pause that it asked for is not over';
          throw new FetchError('waiting', why, { retryAfterMs: pauseMs });
        }
        const left = wanted.turn === null ? MOST_WAIT_MS - search.waitedMs : ms;
        if (left <= 0) return this.#alone(wanted, search);
        search.waitedMs += Math.min(ms, left);
        await pauseWithin(Math.min(ms, left), wanted.signal).catch(() => {});
        return null;
      }
    }
  }

  /** Null where the store is out of reach, which its connection tells the log. */
  async #ask<F, T>({ subject, turn }: SharedFetch<F, T>, { id, unwanted }: Search): Promise<SharedAnswer | null> {
    if (turn === null) return this.#store.ask({ id, unwanted, leaseMs: LEASE_MS }).catch(() => null);
    const { patienceMs, signal } = turn;
    const question = () => ({ id, unwanted, principals: this.#pseudonymsOf(turn) });
    return this.#polls.ask(this.#laneOf(subject), { question, signal, patienceMs });
  }

  #laneOf({ origin }: EntrySubject): string {
    return this.#seal.id({ kind: 'vcek', origin, key: 'turns' });
  }

  #pseudonymsOf({ principals }: NeededTurn): readonly string[] {
    return [...principals].map((principal) => this.#seal.pseudonym(principal));
  }

  async #look<F, T>(wanted: SharedFetch<F, T>, search: Search, bytes: Uint8Array): Promise<{ taken: T } | null> {
    search.looked += 1;
    search.unwanted = search.looked < MOST_ENTRIES ? bytes.slice(0, MAC_BYTES) : 'any';
    const entry = this.#open(wanted, bytes);
    if (entry === null) return null;
    if (wanted.since !== null && entry.fetchedAt < wanted.since) {
      search.older = entry;
      return null;
    }
    if (entry.bytes === null)
      throw new FetchError('status', 'answered another replica with status 404', { status: 404 });
    return this.#takeEntry(wanted, entry);
  }

  /** Null where it is none that counts: forged, of something else, over its size, or too old. */
  #open<F, T>({ subject, maximumBytes, lifetimeMs }: SharedFetch<F, T>, bytes: Uint8Array): SharedEntry | null {
    const { kind } = subject;
    const isTooLarge = bytes.byteLength > maximumBytes + 2 * MAC_BYTES;
    const entry = isTooLarge ? null : this.#seal.open(subject, bytes);
    if (entry === null) {
      this.#tellOnce(kind, {}, 'shared endorsement is not of a replica with this challenge key, and is ignored');
      return null;
    }
    const age = this.#clock.now().getTime() - entry.fetchedAt.getTime();
    const limit = entry.bytes === null ? ABSENT_MS : lifetimeMs;
    return age > limit || age < -AHEAD_MS ? null : entry;
  }

  /** Null where it does not verify as what the origin would answer. */
  async #takeEntry<F, T>(wanted: SharedFetch<F, T>, { bytes, fetchedAt }: SharedEntry): Promise<{ taken: T } | null> {
    const { subject, decode, take, isOfUse } = wanted;
    if (bytes === null) return null;
    try {
      const taken = await take(decode(bytes), { origin: 'cache', fetchedAt });
      this.#told.delete(subject.kind);
      return (await isOfUse(taken)) ? { taken } : null;
    } catch (error) {
      if (!(error instanceof FormatError) && !(error instanceof UnfitError)) throw error;
      this.#tellOnce(subject.kind, { why: error.message }, 'shared endorsement does not match and is ignored');
      return null;
    }
  }

  /** Until one of the kind is good again: a store can give any number of bad ones. */
  #tellOnce(kind: string, fields: object, message: string): void {
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#log.warn({ kind, ...fields }, message);
  }

  /** Without the store. What needs a turn is not asked for: other replicas may be asking, and nobody would know. */
  async #alone<F, T>(wanted: SharedFetch<F, T>, { older }: Search): Promise<{ taken: T }> {
    const { turn, signal, fetch, take } = wanted;
    try {
      if (turn !== null) throw new FetchError('busy', OUT_OF_REACH);
      return { taken: await take(await fetch(signal), this.#now()) };
    } catch (error) {
      return this.#olderOr(wanted, older, error);
    }
  }

  /** Null: its turn has to come again. */
  async #lead<F, T>(wanted: SharedFetch<F, T>, { older }: Search, lease: Lease): Promise<{ taken: T } | null> {
    let end = NO_END;
    try {
      await this.#keepPause(wanted);
      const fetched = await wanted.fetch(wanted.signal);
      const from = this.#now();
      const taken = await wanted.take(fetched, from);
      if (wanted.keeps && (await wanted.isOfUse(taken))) {
        end = { ...NO_END, entry: this.#sealed(wanted, { ...from, bytes: wanted.encode(fetched) }, taken) };
      }
      return { taken };
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      if (wanted.keeps && wanted.isAbsent(error)) {
        end = { ...NO_END, entry: this.#sealed(wanted, { ...this.#now(), bytes: null }) };
      }
      if (error.throttled) {
        end = { ...NO_END, throttled: { retryAfterMs: error.retryAfterMs } };
        this.#pauses.set(wanted.subject.origin, performance.now() + (error.retryAfterMs ?? UNNAMED_PAUSE_MS));
      }
      if (error.throttled && wanted.turn !== null && !wanted.signal.aborted) return null;
      return await this.#olderOr(wanted, older, error);
    } finally {
      await this.#store.end(lease, end).catch(() => {});
    }
  }

  /** Also where the store has forgotten it. @throws {FetchError} `waiting` where it is longer than what waits for the turn is patient */
  async #keepPause<F, T>({ subject, turn, signal }: SharedFetch<F, T>): Promise<void> {
    if (turn === null) return;
    const ms = (this.#pauses.get(subject.origin) ?? 0) - performance.now();
    if (ms <= 0) return;
    if (ms > turn.patienceMs) {
      throw new FetchError('waiting', 'not contacted: the pause that it asked for is not over', { retryAfterMs: ms });
    }
    await pauseWithin(ms, signal);
  }

  async #olderOr<F, T>(wanted: SharedFetch<F, T>, older: SharedEntry | null, error: unknown): Promise<{ taken: T }> {
    // Where the origin had no say, it may have a newer one.
    const hadSay = !wanted.signal.aborted && (!(error instanceof FetchError) || error.tellsOfOrigin);
    const found = wanted.orOlder && hadSay && older !== null ? await this.#takeEntry(wanted, older) : null;
    if (found === null) throw error;
    return found;
  }

  /** @param taken from its bytes; left out where it has none */
  #sealed<F, T>(
    { subject, lifetimeMs, maximumBytes, endOf }: SharedFetch<F, T>,
    entry: SharedEntry,
    taken?: T,
  ): LeaseEnd['entry'] {
    const ends = taken === undefined ? null : (endOf?.(taken) ?? null);
    const isTooLarge = entry.bytes !== null && entry.bytes.byteLength > maximumBytes;
    const leftMs = ends === null ? lifetimeMs : ends.getTime() - entry.fetchedAt.getTime();
    if (isTooLarge || leftMs <= 0) return null;
    const livesMs = entry.bytes === null ? ABSENT_MS : Math.min(lifetimeMs, leftMs);
    return { bytes: this.#seal.seal(subject, entry), lifetimeMs: livesMs };
  }

  #now(): Obtained {
    return { origin: 'network', fetchedAt: this.#clock.now() };
  }

  #withdraw<F, T>({ subject, turn }: SharedFetch<F, T>, { id }: Search): void {
    if (turn === null) return;
    // A place for which nobody asks ends by itself.
    this.#store.withdraw(this.#laneOf(subject), { id, principals: this.#pseudonymsOf(turn) }).catch(() => {});
  }
}
