/** Stages of a request whose duration metrics report. */
export type Stage = 'challenge' | 'endorsements' | 'judge' | 'sign' | 'record';

/** Tracks the external waits of a request, and the durations of its stages. */
export interface Waits {
  /** Lets other requests compute while this one waits. @param stage null: its duration is not measured */
  elsewhere<T>(stage: Stage | null, work: () => Promise<T>): Promise<T>;
  /** Measures a stage that computes. */
  timed<T>(stage: Stage, work: () => Promise<T>): Promise<T>;
}

/** Measures nothing and frees no slot. */
export const NO_WAITS: Waits = { elsewhere: (_stage, work) => work(), timed: (_stage, work) => work() };

/** Measures stages and frees the slot of the request while it waits. */
export class MeasuredWaits implements Waits {
  readonly #done: (stage: Stage, seconds: number) => void;
  readonly #free: <T>(work: () => Promise<T>) => Promise<T>;

  /**
   * @param done receives the duration of a stage, also if it failed
   * @param free runs work that does not compute, outside the slot of the request
   */
  constructor(done: (stage: Stage, seconds: number) => void, free: <T>(work: () => Promise<T>) => Promise<T>) {
    this.#done = done;
    this.#free = free;
  }

  elsewhere<T>(stage: Stage | null, work: () => Promise<T>): Promise<T> {
    return stage === null ? this.#free(work) : this.timed(stage, () => this.#free(work));
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
