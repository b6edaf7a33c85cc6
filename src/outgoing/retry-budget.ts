const RESERVE = 10;
const EARNED_PER_CALL = 0.09;

/**
 * Bounds retries by the number of calls, so that a failing server sees hardly more requests than a sound one: nine
 * retries per hundred calls, and a reserve of ten without which a service that seldom asks could never try again.
 * A thousand calls make at most 1 100 requests.
 */
export class RetryBudget {
  #retries = RESERVE;

  /** Notes a call. */
  earn(): void {
    this.#retries = Math.min(RESERVE, this.#retries + EARNED_PER_CALL);
  }

  /** Takes one retry, if there is one. */
  spend(): boolean {
    if (this.#retries < 1) return false;
    this.#retries -= 1;
    return true;
  }
}
