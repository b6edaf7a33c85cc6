import type { Clock } from '../model/ports.js';
import { FetchError } from './fetch-error.js';
import { Turns } from './turns.js';

/** Half of all parallel fetches, so that neither lane can take all of them. */
const CONCURRENT = 4;
const QUEUED = 32;

/** Where a server names no time: AMD KDS answers repeats of one request about once in ten seconds. */
const THROTTLED_MS = 10_000;
/** A header must not be able to switch a source off for good. */
const LONGEST_THROTTLE_MS = 60 * 60_000;

/**
 * One kind of request to a server. After a 429 none is sent until the time in Retry-After, or ten seconds, have passed.
 * This is checked when a request has its turn, since the 429 may arrive while many wait.
 */
export class ThrottledLane {
  readonly #clock: Clock;
  readonly #turns = new Turns(CONCURRENT, QUEUED);
  /** Monotonic. */
  #quietUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws {FetchError} */
  ask<T>(signal: AbortSignal, fetch: () => Promise<T>): Promise<T> {
    return this.#turns.take(signal, async () => {
      this.#refuseWhileQuiet();
      try {
        return await fetch();
      } catch (error) {
        if (error instanceof FetchError && error.throttled) this.#rest(error.retryAfterMs ?? THROTTLED_MS);
        throw error;
      }
    });
  }

  #refuseWhileQuiet(): void {
    const quietMs = this.#quietUntil - this.#clock.monotonicMs();
    if (quietMs <= 0) return;
    throw new FetchError('waiting', 'not asked: the pause that it wants is not over', { retryAfterMs: quietMs });
  }

  #rest(ms: number): void {
    const until = this.#clock.monotonicMs() + Math.min(ms, LONGEST_THROTTLE_MS);
    this.#quietUntil = Math.max(until, this.#quietUntil);
  }
}
