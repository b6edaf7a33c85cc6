import { LRUCache } from 'lru-cache';
import type { TurnLimits } from '../core/fair-queue.js';
import type { Clock } from '../core/ports.js';
import type { BoundedAnswer } from './bounded-agent.js';
import type { Fetch, FetchRequest } from './bounded-fetch.js';
import { type TurnOwner, Turns } from './fair-turns.js';
import { FetchError } from './fetch-error.js';
import { type BreakerOptions, OriginBreaker } from './origin-breaker.js';

/** Pause if a server names no time: AMD KDS answers repeats of one request about once in ten seconds. */
const THROTTLED_MS = 10_000;
/** Longest pause, so that a header cannot switch a source off for good. */
const LONGEST_THROTTLE_MS = 60 * 60_000;

/** The pause that a server requests by a 429: the time in Retry-After, or a default. */
class Pause {
  readonly #clock: Clock;
  readonly #usualMs: number;
  /** Monotonic. */
  #until = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, usualMs = THROTTLED_MS) {
    this.#clock = clock;
    this.#usualMs = usualMs;
  }

  /** @throws {FetchError} `waiting` */
  requireOver(): void {
    const quietMs = this.#until - this.#clock.monotonicMs();
    if (quietMs <= 0) return;
    throw new FetchError('waiting', 'not contacted: the pause that it asked for is not over', {
      retryAfterMs: quietMs,
    });
  }

  note(error: unknown): void {
    if (!(error instanceof FetchError) || !error.throttled) return;
    const ms = Math.min(error.retryAfterMs ?? this.#usualMs, LONGEST_THROTTLE_MS);
    this.#until = Math.max(this.#until, this.#clock.monotonicMs() + ms);
  }
}

/** Half of all parallel fetches, so that neither lane can take all of them. */
const LANE: TurnLimits = { concurrent: 4, queued: 32 };

/**
 * One kind of request to a server. After a 429 none is sent until the pause ends. The check happens when a request has
 * its turn, since the 429 may arrive while many wait.
 */
export class ThrottledFetch implements Fetch {
  readonly #fetch: Fetch;
  readonly #pause: Pause;
  readonly #turns = new Turns(LANE);

  constructor(fetch: Fetch, clock: Clock) {
    this.#fetch = fetch;
    this.#pause = new Pause(clock);
  }

  /** @param owner the owner of the turn; defaults to the service itself */
  get(request: FetchRequest, owner?: TurnOwner): Promise<BoundedAnswer> {
    const fetch = async () => {
      this.#pause.requireOver();
      try {
        return await this.#fetch.get(request);
      } catch (error) {
        this.#pause.note(error);
        throw error;
      }
    };
    return this.#turns.take(request.signal, fetch, owner);
  }

  /** Adds work that already waits to another queue too. */
  join(owner: TurnOwner): void {
    this.#turns.join(owner);
  }

  async close(): Promise<void> {
    await this.#fetch.close();
  }
}

/** Whether an endpoint is contacted at all: a breaker, and the pause that the endpoint requests. Never sends a request twice. */
export class EndpointHealth {
  readonly #pause: Pause;
  readonly #breaker: OriginBreaker;

  /** @param pauseMs pause after a 429 that names no time; defaults to ten seconds */
  constructor(clock: Clock, breaker: BreakerOptions, pauseMs?: number) {
    this.#pause = new Pause(clock, pauseMs);
    this.#breaker = new OriginBreaker(breaker);
  }

  /** @throws {FetchError} the error of the call; `open` or `waiting` if no call was made */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.#pause.requireOver();
    const outcome = await this.#breaker.run(call);
    if (!(outcome instanceof FetchError)) return outcome;
    this.#pause.note(outcome);
    throw outcome;
  }
}

const NOT_FOUND_MS = 10 * 60_000;
const NOT_FOUND_KEYS = 10_000;

/** Remembers 404 answers for ten minutes. In that time the same request is not sent again. */
export class NotFoundMemory {
  readonly #clock: Clock;
  /** Monotonic times until which a key counts as not found. */
  readonly #until = new LRUCache<string, number>({ max: NOT_FOUND_KEYS });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a key counts as not found. */
  #isKnown(key: string): boolean {
    return (this.#until.get(key) ?? 0) > this.#clock.monotonicMs();
  }

  /**
   * Fetches a key, unless it is known not to exist.
   *
   * @param remember whether a 404 of this call is kept
   * @throws {FetchError} with status 404 if it is known; and the errors of `ask`
   */
  async ask<T>(key: string, remember: boolean, ask: () => Promise<T>): Promise<T> {
    if (this.#isKnown(key)) {
      throw new FetchError('status', 'answered with status 404 before', { status: 404 });
    }
    try {
      return await ask();
    } catch (error) {
      const isNews = error instanceof FetchError && error.notFound && remember;
      if (isNews) this.#until.set(key, this.#clock.monotonicMs() + NOT_FOUND_MS);
      throw error;
    }
  }
}
