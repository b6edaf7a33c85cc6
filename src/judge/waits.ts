import { NO_SLOT, type Slot } from './verification-slots.js';

/** Stages of a request whose duration metrics report. */
export type Stage = 'challenge' | 'endorsements' | 'judge' | 'sign' | 'record';

/** Tracks the external waits of a request, and the durations of its stages. */
export interface Waits {
  /** The waits of a request that has this slot. */
  within(slot: Slot): Waits;
  /** Lets other requests compute while this one waits. @param stage null: its duration is not measured */
  elsewhere<T>(stage: Stage | null, work: () => Promise<T>): Promise<T>;
  /** Measures a stage that computes. */
  timed<T>(stage: Stage, work: () => Promise<T>): Promise<T>;
}

/** Measures nothing and frees no slot. */
export const NO_WAITS: Waits = {
  within: () => NO_WAITS,
  elsewhere: (_stage, work) => work(),
  timed: (_stage, work) => work(),
};

/** Measures stages and frees the slot of the request while it waits. */
export class MeasuredWaits implements Waits {
  readonly #done: (stage: Stage, seconds: number) => void;
  readonly #slot: Slot;

  /**
   * @param done receives the duration of a stage, also if it failed
   * @param slot the slot of the request, `NO_SLOT` outside a request
   */
  constructor(done: (stage: Stage, seconds: number) => void, slot = NO_SLOT) {
    this.#done = done;
    this.#slot = slot;
  }

  within(slot: Slot): Waits {
    return new MeasuredWaits(this.#done, slot);
  }

  elsewhere<T>(stage: Stage | null, work: () => Promise<T>): Promise<T> {
    const waiting = () => this.#slot.elsewhere(work);
    return stage === null ? waiting() : this.timed(stage, waiting);
  }

  async timed<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    try {
      return await work();
    } finally {
      this.#done(stage, (performance.now() - begun) / 1000);
    }
  }
}
