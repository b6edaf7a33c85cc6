import { RefusedError } from '../core/errors.js';
import type { Clock } from '../core/ports.js';

/** Of each tenant, in each process. */
const DEFAULT_CAPACITY = 100_000;

/**
 * Counts what each tenant has outstanding of this process, so that none takes up the store. Kept here and not in the store: there,
 * all that ask for a challenge would wait for one row. A challenge counts until it expires, used or not.
 */
export class ChallengeCounts {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #capacity: number;
  readonly #held = new Map<string, number>();
  /** Of each tenant, how many end in which second of monotonic time. */
  readonly #ending = new Map<number, Map<string, number>>();
  #droppedSecond = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>, capacity: number = DEFAULT_CAPACITY) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  /**
   * Counts one, before the store is asked. It counts also where the store then fails: nobody knows whether it is there.
   * @throws {RefusedError} `overloaded`
   */
  add(tenant: string, lifetimeMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#drop(Math.floor(nowMs / 1000));
    const held = this.#held.get(tenant) ?? 0;
    if (held >= this.#capacity) {
      throw new RefusedError('overloaded', 'no further challenge can be kept', { retryAfterSeconds: 1 });
    }
    this.#held.set(tenant, held + 1);
    const second = Math.ceil((nowMs + lifetimeMs) / 1000);
    const ending = this.#ending.get(second) ?? new Map<string, number>();
    ending.set(tenant, (ending.get(tenant) ?? 0) + 1);
    this.#ending.set(second, ending);
  }

  /** Once a second: there are no more seconds than a challenge may last. */
  #drop(now: number): void {
    if (now === this.#droppedSecond) return;
    this.#droppedSecond = now;
    for (const [second, ending] of this.#ending) {
      if (second > now) continue;
      this.#ending.delete(second);
      for (const [tenant, count] of ending) this.#held.set(tenant, (this.#held.get(tenant) ?? 0) - count);
    }
  }
}
