import { RefusedError } from '../core/errors.js';
import type { Clock } from '../core/ports.js';

/**
 * Counts what this process keeps for each owner, so that none takes up the store. Kept here and not in the store: there, all would wait
 * for one row. A record counts until it expires.
 */
export class KeptCounts {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #what: string;
  readonly #capacity: number;
  readonly #held = new Map<string, number>();
  /** Of each owner, how many end in which second of monotonic time. */
  readonly #ending = new Map<number, Map<string, number>>();
  #droppedSecond = 0;

  /** @param what a record is; @param capacity of each owner */
  constructor(clock: Pick<Clock, 'monotonicMs'>, what: 'challenge' | 'proof', capacity: number) {
    this.#clock = clock;
    this.#what = what;
    this.#capacity = capacity;
  }

  /**
   * Counts one, before the store is asked. It counts also where the store then fails: nobody knows whether it is there.
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
