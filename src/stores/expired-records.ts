import type { Clock } from '../core/ports.js';

/** Records that one step drops: others wait for it. */
export const DROPPED_AT_ONCE = 1000;

/** Drops expired records: once a second, beside one that is put, so that no timer is needed. */
export class ExpiredRecords {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #drop: () => Promise<number>;
  #droppedSecond = 0;
  #isDropping = false;

  /** @param drop drops `DROPPED_AT_ONCE` at most, and resolves to how many */
  constructor(clock: Pick<Clock, 'monotonicMs'>, drop: () => Promise<number>) {
    this.#clock = clock;
    this.#drop = drop;
  }

  /** Where it fails, the next second tries again. One drop at a time has a connection. */
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

  /** Others have their turn in between. */
  async #dropAll(): Promise<void> {
    while ((await this.#drop()) === DROPPED_AT_ONCE);
  }
}
