import { LRUCache } from 'lru-cache';
import type { Clock } from '../model/ports.js';
import { FetchError } from './fetch-error.js';

const NOT_FOUND_MS = 10 * 60_000;
const NOT_FOUND_KEYS = 10_000;

/** Remembers 404 answers for ten minutes, in which the same request is not sent again. */
export class NotFoundMemory {
  readonly #clock: Clock;
  /** Monotonic instants until which a key counts as not found. */
  readonly #until = new LRUCache<string, number>({ max: NOT_FOUND_KEYS });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Asks for a key, unless it is known not to be there.
   *
   * @param remember whether a 404 of this time is kept
   * @throws {FetchError} of status 404 where it is known; and what `ask` throws
   */
  async ask<T>(key: string, remember: boolean, ask: () => Promise<T>): Promise<T> {
    if ((this.#until.get(key) ?? 0) > this.#clock.monotonicMs()) {
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
