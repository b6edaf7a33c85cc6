import { RefusedError } from '../model/errors.js';

/** How much verification work is taken on at once. */
export interface SlotLimits {
  readonly running: number;
  readonly waiting: number;
}

/** Wide enough for requests that wait on a vendor, and short enough for what is admitted to be answered in time. */
export const DEFAULT_SLOTS: SlotLimits = { running: 256, waiting: 256 };

/** Bounds verification work: what neither runs nor may wait is refused at once, before its body is parsed. */
export class VerificationSlots {
  readonly #limits: SlotLimits;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** @throws {RefusedError} `overloaded` */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limits.running) this.#running += 1;
    else await this.#turn();
    try {
      return await work();
    } finally {
      this.#release();
    }
  }

  /** A slot is handed over, never freed in between: `#running` stays as it is. */
  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#limits.waiting) {
      throw new RefusedError('overloaded', 'too many requests are being verified', { retryAfterSeconds: 1 });
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}

/**
 * Refuses a request because the event loop was found to be late.
 *
 * An infinite delay is one that could not be measured, as after a pause of the whole machine: no reason to refuse.
 *
 * @throws {RefusedError} `overloaded`
 */
export function refuseLate(delayMs: number | undefined): void {
  if (delayMs === Number.POSITIVE_INFINITY) return;
  throw new RefusedError('overloaded', 'the service is busy', { retryAfterSeconds: 1 });
}
