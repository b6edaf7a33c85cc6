/** A receipt holds for five minutes at most, so this is more than 300 acceptances a second. */
const MAXIMUM = 100_000;

/**
 * The nonces of receipts that were accepted, each until its receipt has ended: from then on step 8 refuses it.
 *
 * All instants are in milliseconds since 1970.
 */
export class AcceptedNonces {
  /** When the receipt ends, by nonce, in the order of acceptance. */
  readonly #endings = new Map<string, number>();
  readonly #maximum: number;
  /** Nonces that expired before this time may be forgotten: if the clock goes back, they do not count as new. */
  #forgottenUpTo = Number.NEGATIVE_INFINITY;

  constructor(maximum = MAXIMUM) {
    this.#maximum = maximum;
  }

  /** Notes a nonce; false where it was accepted before, or where that cannot be ruled out any more. */
  accept(nonce: string, endsAt: number, now: number): boolean {
    this.#forget(now);
    if (this.#endings.has(nonce) || endsAt <= this.#forgottenUpTo || this.#endings.size >= this.#maximum) return false;
    this.#endings.set(nonce, endsAt);
    return true;
  }

  /** From the oldest on, since receipts end about in the order in which they were accepted; all of them where it is full. */
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
