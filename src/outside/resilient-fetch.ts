import { setTimeout as sleep } from 'node:timers/promises';
import type { TurnLimits } from '../core/fair-queue.js';
import type { BoundedAnswer } from './bounded-agent.js';
import type { Fetch, FetchRequest } from './bounded-fetch.js';
import { Turns } from './fair-turns.js';
import { FetchError } from './fetch-error.js';
import { type BreakerOptions, DEFAULT_BREAKER, OriginBreaker } from './origin-breaker.js';

export interface ResilienceOptions extends BreakerOptions, TurnLimits {
  /** Longest pause before the first retry; the second may take twice that. */
  readonly pauseMs: number;
  /** A server that asks for a longer pause gets no retry. */
  readonly longestPauseMs: number;
}

export const DEFAULT_RESILIENCE: ResilienceOptions = {
  ...DEFAULT_BREAKER,
  pauseMs: 200,
  longestPauseMs: 2_000,
  concurrent: 8,
  queued: 64,
};

const MAXIMUM_RETRIES = 2;

const RESERVE = 10;
const EARNED_PER_CALL = 0.09;

/**
 * Bounds retries by the number of calls, so that a failing server gets hardly more requests than a healthy one: nine
 * retries per hundred calls. A reserve of ten allows retries to a service that is seldom called.
 * A thousand calls make at most 1 100 requests.
 */
export class RetryBudget {
  #retries = RESERVE;

  /** Counts a call. */
  earn(): void {
    this.#retries = Math.min(RESERVE, this.#retries + EARNED_PER_CALL);
  }

  /** Takes one retry, if there is one. */
  spend(): boolean {
    if (this.#retries < 1) return false;
    this.#retries -= 1;
    return true;
  }
}

/**
 * Fetches despite temporary faults, without overloading a server with lasting ones: retries with full jitter
 * within a budget, a breaker per origin, a bulkhead around all of it.
 *
 * The retry loop is not cockatiel's, whose pauses do not end with the caller's signal.
 */
export class ResilientFetch implements Fetch {
  readonly #fetch: Fetch;
  readonly #options: ResilienceOptions;
  readonly #turns: Turns;
  readonly #breakers = new Map<string, OriginBreaker>();
  readonly #budget = new RetryBudget();

  constructor(fetch: Fetch, options: ResilienceOptions = DEFAULT_RESILIENCE) {
    this.#fetch = fetch;
    this.#options = options;
    this.#turns = new Turns(options);
  }

  /** @throws {FetchError} the error of the last attempt, or why none was made */
  get(request: FetchRequest): Promise<BoundedAnswer> {
    return this.#turns.take(request.signal, () => this.#tryRepeatedly(request));
  }

  async close(): Promise<void> {
    await this.#fetch.close();
  }

  async #tryRepeatedly(request: FetchRequest): Promise<BoundedAnswer> {
    this.#budget.earn();
    for (let retries = 0; ; retries += 1) {
      const outcome = await this.#breakerOf(request.origin).run(() => this.#fetch.get(request));
      if (!(outcome instanceof FetchError)) return outcome;
      const pauseMs = this.#pauseAfter(outcome, retries);
      if (pauseMs === null || !this.#budget.spend()) throw outcome;
      await sleep(pauseMs, undefined, { signal: request.signal });
    }
  }

  /** How long to wait before the next attempt; null for no attempt. */
  #pauseAfter(error: FetchError, retries: number): number | null {
    if (!error.transient || retries >= MAXIMUM_RETRIES) return null;
    const { pauseMs, longestPauseMs } = this.#options;
    if (error.retryAfterMs !== null) return error.retryAfterMs <= longestPauseMs ? error.retryAfterMs : null;
    // A 429 without Retry-After is not retried: the pause would be longer than a request can wait.
    return error.status === 429 ? null : Math.random() * Math.min(pauseMs * 2 ** retries, longestPauseMs);
  }

  #breakerOf(origin: string): OriginBreaker {
    const known = this.#breakers.get(origin);
    if (known !== undefined) return known;
    const breaker = new OriginBreaker(this.#options);
    this.#breakers.set(origin, breaker);
    return breaker;
  }
}
