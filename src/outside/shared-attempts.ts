import { setMaxListeners } from 'node:events';
import type { Clock } from '../core/ports.js';
import { underBound, unlessAborted } from './bounded-signal.js';
import { outOfTime, requireTime } from './fetch-error.js';

interface Flight<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

/**
 * Lets callers with the same key at the same time share one attempt.
 * Each waits no longer than its own signal; the attempt ends when the last of them has left.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /** Whether an attempt is running that a caller would join. */
  isUnderWay(key: string): boolean {
    return this.#flights.has(key);
  }

  /**
   * @throws {FetchError} `no_time` or `no_room` if the caller's signal has already ended
   * @throws {unknown} the error of `start`, or `expired()` if the caller's signal ends first
   */
  async run(
    key: string,
    signal: AbortSignal,
    start: (signal: AbortSignal) => Promise<T>,
    expired: () => Error = outOfTime,
  ): Promise<T> {
    requireTime(signal);
    const flight = this.#flights.get(key) ?? this.#begin(key, start);
    flight.waiting += 1;
    try {
      return await unlessAborted(flight.result, signal, () => {
        throw expired();
      });
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) this.#end(key, flight);
    }
  }

  #begin(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abort = new AbortController();
    const flight: Flight<T> = { abort, waiting: 0, result: start(abort.signal) };
    this.#flights.set(key, flight);
    return flight;
  }

  #end(key: string, flight: Flight<T>): void {
    flight.abort.abort();
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

/** A waiter for a kept attempt. */
interface Waiter {
  readonly signal: AbortSignal;
  /** The error if the signal is aborted first. */
  readonly expired?: () => Error;
}

/**
 * Attempts that continue after all callers have left, so that no caller can make a source seem unreachable by leaving.
 * Callers with the same key share one.
 */
export class KeptAttempts<T> {
  readonly #limitMs: number;
  readonly #attempts = new Map<string, Promise<T>>();
  readonly #closing = new AbortController();

  /** @param limitMs the longest time of an attempt */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    // One listener per attempt, whose number is bounded: Node warns of a leak above ten.
    setMaxListeners(0, this.#closing.signal);
  }

  /**
   * @throws {FetchError} `no_time` or `no_room` if the signal has already ended, `aborted` if it ends first, or the error of
   *   `expired`
   * @throws {unknown} the error of `start`
   */
  async run(
    key: string,
    { signal, expired = outOfTime }: Waiter,
    start: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    requireTime(signal);
    const attempt = this.#attempts.get(key) ?? this.#begin(key, start);
    return unlessAborted(attempt, signal, () => {
      throw expired();
    });
  }

  /** Aborts all attempts, and waits for their end. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#attempts.values());
  }

  #begin(key: string, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const attempt = underBound(this.#closing.signal, this.#limitMs, start).finally(() => this.#attempts.delete(key));
    // Waiters get the error; without waiters, it must not become an unhandled rejection.
    attempt.catch(() => {});
    this.#attempts.set(key, attempt);
    return attempt;
  }
}

/** The shortest time between two renewals of one key. */
export const RENEWAL_PAUSE_MS = 10 * 60_000;

interface Renewal<T> {
  /** Monotonic. */
  readonly startedAt: number;
  readonly result: Promise<T>;
}

/**
 * Renewals that unverified bytes of a request can trigger: at most one in ten minutes for each key. Requests in between
 * get the result of the last one. A renewal does not end with the request that triggered it: otherwise a client that
 * disconnects early could spend the renewal of all others.
 */
export class SharedRenewals<T> {
  readonly #nothing: T;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #renewals = new Map<string, Renewal<T>>();
  readonly #closing = new AbortController();

  /** @param nothing the result for a request whose time ends before the renewal does */
  constructor(nothing: T, clock: Clock, timeoutMs: number) {
    this.#nothing = nothing;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  async share(key: string, signal: AbortSignal, renew: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { result } = this.#recent(key) ?? this.#start(key, renew);
    return signal.aborted ? this.#nothing : unlessAborted(result, signal, () => this.#nothing);
  }

  close(): void {
    this.#closing.abort();
  }

  #recent(key: string): Renewal<T> | null {
    const last = this.#renewals.get(key);
    return last !== undefined && this.#clock.monotonicMs() - last.startedAt < RENEWAL_PAUSE_MS ? last : null;
  }

  #start(key: string, renew: (signal: AbortSignal) => Promise<T>): Renewal<T> {
    const result = underBound(this.#closing.signal, this.#timeoutMs, renew);
    // Callers still waiting receive the rejection; without any, it must not become an unhandled rejection.
    result.catch(() => {});
    const renewal = { startedAt: this.#clock.monotonicMs(), result };
    this.#renewals.set(key, renewal);
    return renewal;
  }
}
