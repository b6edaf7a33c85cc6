import { RefusedError } from '../model/errors.js';

/** How much verification work is taken on at once. */
export interface SlotLimits {
  /** Verifications that have begun, whatever they wait for. */
  readonly running: number;
  /** Those of them that wait for nobody else. They share one processor and its memory: more at a time take longer, and none ends sooner. */
  readonly computing: number;
  /** Requests that wait until one may begin. */
  readonly waiting: number;
}

/** As many requests as 256 clients make at a time find room. Most of `running` is for those that a vendor, vault or store has wait. */
export const DEFAULT_SLOTS: SlotLimits = { running: 256, computing: 32, waiting: 256 };

/** Verifications at a moment, and how many there may be. */
export interface SlotFigures extends SlotLimits {
  readonly limits: SlotLimits;
}

/** Bounds verification work: what neither begins nor may wait is refused at once. */
export class VerificationSlots {
  readonly #limits: SlotLimits;
  readonly #waiting: (() => void)[] = [];
  readonly #waited: (seconds: number) => void;
  #running = 0;
  /** Those of the running ones that wait for somebody else. */
  #elsewhere = 0;

  /** @param waited hears of each piece of work how long it waited for its slot */
  constructor(limits: Partial<SlotLimits> = {}, waited: (seconds: number) => void = () => undefined) {
    this.#limits = { ...DEFAULT_SLOTS, ...limits };
    this.#waited = waited;
  }

  get figures(): SlotFigures {
    return {
      running: this.#running,
      computing: Math.max(0, this.#running - this.#elsewhere),
      waiting: this.#waiting.length,
      limits: this.#limits,
    };
  }

  /**
   * To be asked before a body is read: of what would be refused afterwards, nothing is.
   * @throws {RefusedError} `overloaded`
   */
  requireRoom(): void {
    if (!this.#mayBegin && this.#waiting.length >= this.#limits.waiting) throw full();
  }

  /** @throws {RefusedError} `overloaded` */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const asked = performance.now();
    // Whoever came before begins first.
    if (this.#mayBegin && this.#waiting.length === 0) this.#running += 1;
    else await this.#turn();
    try {
      this.#waited((performance.now() - asked) / 1000);
      return await work();
    } finally {
      this.#running -= 1;
      this.#beginNext();
    }
  }

  /**
   * What work waits for that somebody else does: a vendor, a vault, a store. Meanwhile other work may begin. Afterwards it goes on at
   * once: what has begun is not held up by what has not, so that for a while more than `computing` may.
   */
  async elsewhere<T>(asked: () => Promise<T>): Promise<T> {
    this.#elsewhere += 1;
    this.#beginNext();
    try {
      return await asked();
    } finally {
      this.#elsewhere -= 1;
    }
  }

  get #mayBegin(): boolean {
    const { running, computing } = this.#limits;
    return this.#running < running && this.#running - this.#elsewhere < computing;
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#limits.waiting) throw full();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #beginNext(): void {
    while (this.#mayBegin) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running += 1;
      next();
    }
  }
}

function full(): RefusedError {
  return new RefusedError('overloaded', 'too many requests are being verified', { retryAfterSeconds: 1 });
}
