/** A receipt is valid for five minutes at most, so this is more than 300 acceptances a second. */
const MAXIMUM = 100_000;

/**
 * The nonces of accepted receipts, each until its receipt expires: from then on step 8 rejects it.
 *
 * All instants are in milliseconds since 1970.
 */
export class AcceptedNonces {
  /** Expiry of the receipt, by nonce, in the order of acceptance. */
  readonly #endings = new Map<string, number>();
  readonly #maximum: number;
  /** Nonces that expired before this time may be forgotten: if the clock goes back, they do not count as new. */
  #forgottenUpTo = Number.NEGATIVE_INFINITY;

  constructor(maximum = MAXIMUM) {
    this.#maximum = maximum;
  }

  /** Records a nonce. Returns false if it was accepted before, or if that cannot be excluded. */
  accept(nonce: string, endsAt: number, now: number): boolean {
    this.#forget(now);
    if (this.#endings.has(nonce) || endsAt <= this.#forgottenUpTo || this.#endings.size >= this.#maximum) return false;
    this.#endings.set(nonce, endsAt);
    return true;
  }

  /** Forgets the oldest first, since receipts expire about in the order of acceptance; forgets all if it is full. */
  #forget(now: number): void {
    const isFull = this.#endings.size >= this.#maximum;
    for (const [nonce, endsAt] of this.#endings) {
      if (endsAt <= now) {
        this.#endings.delete(nonce);
        this.#forgottenUpTo = Math.max(this.#forgottenUpTo, endsAt);
      } else if (!isFull) return;
    }
  }
}
