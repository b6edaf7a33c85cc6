/** The pause doubles with each failure, up to the longest. */
const FIRST_MS = 250;
const LONGEST_MS = 2000;

/** The time after a failure without further attempts, so that not every request waits for the failure. */
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

  /** The failure that caused the pause; null if an attempt is allowed now. */
  get why(): string | null {
    return performance.now() < this.#until ? `it failed a moment ago: ${this.#failure}` : null;
  }
}
