/** Twice as long each time that it fails again, up to the longest. */
const FIRST_MS = 250;
const LONGEST_MS = 2000;

/** The time after a failure in which nothing is tried again, so that not every request waits for it to fail. */
export class Pause {
  #until = 0;
  #nextMs = FIRST_MS;
  #failure = '';

  /** @param failure its message */
  begin(failure: string): void {
    this.#until = performance.now() + this.#nextMs;
    this.#nextMs = Math.min(2 * this.#nextMs, LONGEST_MS);
    this.#failure = failure;
  }

  over(): void {
    this.#until = 0;
    this.#nextMs = FIRST_MS;
  }

  /** Why nothing is tried now; null where it may be. */
  get why(): string | null {
    return performance.now() < this.#until ? `it failed a moment ago: ${this.#failure}` : null;
  }
}
