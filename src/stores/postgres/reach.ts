import { messageOf } from '../../core/errors.js';
import type { Clock, Log } from '../../core/ports.js';

interface Outage {
  /** Monotonic time of the begin. */
  readonly begun: number;
  failures: number;
  /** The last logged message about the outage. */
  told: string;
}

/** Whether a store can be reached. The log has each outage once when it begins and once when it ends. */
export class Reach {
  readonly #store: string;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #log: Log;
  #outage: Outage | null = null;

  /** @param store the address of the store */
  constructor(store: string, clock: Pick<Clock, 'monotonicMs'>, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** @param isLasting whether the operator must act. Such a failure is logged also during another outage */
  failed(error: unknown, isLasting: boolean): void {
    const [why, store] = [messageOf(error), this.#store];
    const outage = this.#outage;
    if (outage === null) {
      this.#outage = { begun: this.#clock.monotonicMs(), failures: 1, told: why };
      this.#log.error({ store, why }, 'store out of reach');
      return;
    }
    outage.failures += 1;
    if (!isLasting || outage.told === why) return;
    outage.told = why;
    this.#log.error({ store, why }, 'store cannot be used');
  }

  answered(): void {
    const outage = this.#outage;
    if (outage === null) return;
    this.#outage = null;
    const seconds = Math.round((this.#clock.monotonicMs() - outage.begun) / 1000);
    this.#log.info({ store: this.#store, seconds, failures: outage.failures }, 'store answers again');
  }
}
