import { RefusedError } from '../core/errors.js';
import type { Clock } from '../core/ports.js';

/**
 * Counts the records that this process keeps for each owner, so that no owner fills the store. The counts are in memory: in the store,
 * all requests would wait for one row. A record counts until it expires.
 */
export class KeptCounts {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #what: string;
  readonly #capacity: number;
  readonly #held = new Map<string, number>();
  /** For each owner, the number of records that end in each second of monotonic time. */
  readonly #ending = new Map<number, Map<string, number>>();
  #droppedSecond = 0;

  /** @param what kind of record; @param capacity records of each owner */
  constructor(clock: Pick<Clock, 'monotonicMs'>, what: 'challenge' | 'proof', capacity: number) {
    this.#clock = clock;
    this.#what = what;
    this.#capacity = capacity;
  }

  /**
   * Counts a record before the store is called. It counts also if the store then fails, since the record may be stored.
   * @throws {RefusedError} `overloaded`
   */
  add(owner: string, lifetimeMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#drop(Math.floor(nowMs / 1000));
    const held = this.#held.get(owner) ?? 0;
    if (held >= this.#capacity) {
      throw new RefusedError('overloaded', `no further ${this.#what} can be kept`, { retryAfterSeconds: 1 });
    }
    this.#held.set(owner, held + 1);
    const second = Math.ceil((nowMs + lifetimeMs) / 1000);
    const ending = this.#ending.get(second) ?? new Map<string, number>();
    ending.set(owner, (ending.get(owner) ?? 0) + 1);
    this.#ending.set(second, ending);
  }

  /** Once a second: there are no more seconds than a record may last. */
  #drop(now: number): void {
    if (now === this.#droppedSecond) return;
    this.#droppedSecond = now;
    for (const [second, ending] of this.#ending) {
      if (second > now) continue;
      this.#ending.delete(second);
      for (const [owner, count] of ending) this.#held.set(owner, (this.#held.get(owner) ?? 0) - count);
    }
  }
}
