import type { Clock } from '../core/ports.js';

/** Records that one step drops. Other operations wait for a step. */
export const DROPPED_AT_ONCE = 1000;

/** Drops expired records at most once a second, when a record is put. It needs no timer. */
export class ExpiredRecords {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #drop: () => Promise<number>;
  #droppedSecond = -1;
  #isDropping = false;

  /** @param drop drops at most `DROPPED_AT_ONCE` records, and resolves to their number */
  constructor(clock: Pick<Clock, 'monotonicMs'>, drop: () => Promise<number>) {
    this.#clock = clock;
    this.#drop = drop;
  }

  /** Starts a drop if one is due. After a failure, the next second tries again. At most one drop uses a connection. */
  dropIfDue(): void {
    const second = Math.floor(this.#clock.monotonicMs() / 1000);
    if (second === this.#droppedSecond || this.#isDropping) return;
    this.#droppedSecond = second;
    this.#isDropping = true;
    this.#dropAll()
      .catch(() => undefined)
      .finally(() => {
        this.#isDropping = false;
      });
  }

  /** Drops in steps, so that other operations run in between. */
  async #dropAll(): Promise<void> {
    while ((await this.#drop()) === DROPPED_AT_ONCE);
  }
}
