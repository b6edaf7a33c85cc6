import { setTimeout as sleep } from 'node:timers/promises';
import { FetchError } from './fetch-error.js';
import { type BreakerOptions, DEFAULT_BREAKER, OriginBreaker } from './origin-breaker.js';
import { RetryBudget } from './retry-budget.js';
import { Turns } from './turns.js';

export interface ResilienceOptions extends BreakerOptions {
  /** Upper end of the pause before the first retry; the second may take twice that. */
  readonly pauseMs: number;
  /** A server that wants to be left alone longer than this gets no retry. */
  readonly longestPauseMs: number;
  /** Requests at a time, and how many wait for their turn. */
  readonly concurrent: number;
  readonly queued: number;
}

export const DEFAULT_RESILIENCE: ResilienceOptions = {
  ...DEFAULT_BREAKER,
  pauseMs: 200,
  longestPauseMs: 2_000,
  concurrent: 8,
  queued: 64,
};

const MAXIMUM_RETRIES = 2;

/** What is asked for, as far as it matters here. */
interface Asked {
  readonly origin: string;
  readonly signal: AbortSignal;
}

/**
 * Fetches in spite of passing faults, without pressing a server that has lasting ones: retries with full jitter
 * inside a budget, a breaker per origin, a bulkhead around all of it.
 *
 * The retries are a loop here and not cockatiel's, whose pauses do not end with the caller's signal.
 */
export class Resilience {
  readonly #options: ResilienceOptions;
  readonly #turns: Turns;
  readonly #breakers = new Map<string, OriginBreaker>();
  readonly #budget = new RetryBudget();

  constructor(options: ResilienceOptions) {
    this.#options = options;
    this.#turns = new Turns(options.concurrent, options.queued);
  }

  /** @throws {FetchError} what the last attempt throws, or why there was none */
  async run<T>(asked: Asked, attempt: () => Promise<T>): Promise<T> {
    if (asked.signal.aborted) throw new FetchError('aborted', 'no time was left');
    return await this.#turns.take(asked.signal, () => this.#tryRepeatedly(asked, attempt));
  }

  async #tryRepeatedly<T>(asked: Asked, attempt: () => Promise<T>): Promise<T> {
    this.#budget.earn();
    for (let retries = 0; ; retries += 1) {
      const outcome = await this.#breakerOf(asked.origin).run(attempt);
      if (!(outcome instanceof FetchError)) return outcome;
      const pauseMs = this.#pauseAfter(outcome, retries);
      if (pauseMs === null || !this.#budget.spend()) throw outcome;
      await sleep(pauseMs, undefined, { signal: asked.signal });
    }
  }

  /** How long to wait before the next attempt; null where there should be none. */
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
