import { messageOf } from '../../core/errors.js';
import type { Clock, Log } from '../../core/ports.js';

interface Outage {
  /** Monotonic. */
  readonly begun: number;
  failures: number;
  /** What was told of it. */
  told: string;
}

/** Which store a line of the log is about: each of these has a connection of its own, also to one server. */
export interface ToldStore {
  /** Where it is. */
  readonly store: string;
  readonly of: 'challenges' | 'decisions' | 'resets';
}

/** Whether a store can be reached. An outage is in the log once when it begins and once when it ends. */
export class Reach {
  readonly #store: ToldStore;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #log: Log;
  #outage: Outage | null = null;

  constructor(store: ToldStore, clock: Pick<Clock, 'monotonicMs'>, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** @param isLasting whether somebody has to act: that is told also during an outage that began otherwise */
  failed(error: unknown, isLasting: boolean): void {
    const why = messageOf(error);
    const outage = this.#outage;
    if (outage === null) {
      this.#outage = { begun: this.#clock.monotonicMs(), failures: 1, told: why };
      this.#log.error({ ...this.#store, why }, 'store out of reach');
      return;
    }
    outage.failures += 1;
    if (!isLasting || outage.told === why) return;
    outage.told = why;
    this.#log.error({ ...this.#store, why }, 'store cannot be used');
  }

  answered(): void {
    const outage = this.#outage;
    if (outage === null) return;
    this.#outage = null;
    const seconds = Math.round((this.#clock.monotonicMs() - outage.begun) / 1000);
    this.#log.info({ ...this.#store, seconds, failures: outage.failures }, 'store answers again');
  }
}
