/** How often it is looked whether this process is late, and what every timer is late by. */
const [LOOK_MS, SLACK_MS] = [10, 5];

/** How long something took, and for how much of that this process could not run, which is nobody's answer being late. */
export interface Timed {
  readonly ms: number;
  readonly lateMs: number;
}

/** Times what a service does that runs in this process, beside others and on a machine that has more to do. */
export class Timing {
  #lateMs = 0;
  #looked = performance.now();
  readonly #timer = setInterval(() => this.#look(), LOOK_MS);

  async of<T>(work: () => Promise<T>): Promise<Timed & { readonly value: T }> {
    this.#look();
    const [begun, before] = [performance.now(), this.#lateMs];
    const value = await work();
    this.#look();
    return { value, ms: performance.now() - begun, lateMs: this.#lateMs - before };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const lateMs = now - this.#looked - LOOK_MS;
    if (lateMs > SLACK_MS) this.#lateMs += lateMs;
    this.#looked = now;
  }
}
