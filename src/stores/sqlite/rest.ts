/** How long what failed is left alone before it is tried again: twice as long each time, up to the longest. */
const FIRST_MS = 250;
const LONGEST_MS = 2000;

/** What failed rests before it is tried again, so that not every request waits for it to fail. */
export class Rest {
  #until = 0;
  #waitMs = FIRST_MS;
  #why = '';

  begin(why: string): void {
    this.#until = performance.now() + this.#waitMs;
    this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_MS);
    this.#why = why;
  }

  over(): void {
    this.#until = 0;
    this.#waitMs = FIRST_MS;
  }

  /** Why it is not to be tried now; null where it may be. */
  get because(): string | null {
    return performance.now() < this.#until ? `it failed a moment ago: ${this.#why}` : null;
  }
}
