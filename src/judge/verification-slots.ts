import { AsyncLocalStorage } from 'node:async_hooks';
import { RefusedError } from '../core/errors.js';
import { FairQueue } from '../core/fair-queue.js';

/** How much verification work is taken on at once. */
export interface SlotLimits {
  /** Verifications that have begun, whatever they wait for. */
  readonly running: number;
  /** Those of them that compute, and do not wait for I/O. They share one processor and its memory: more at a time take longer, and none ends sooner. */
  readonly computing: number;
  /** Requests that wait until one may begin. */
  readonly waiting: number;
}

/** As many requests as 256 clients make at a time find room. Most of `running` is for those that a vendor, vault or store has wait. */
export const DEFAULT_SLOTS: SlotLimits = { running: 256, computing: 32, waiting: 224 };

/** Verifications at a moment, and how many there may be. */
export interface SlotFigures extends SlotLimits {
  readonly limits: SlotLimits;
}

/** A verification that has begun. */
interface Slot {
  /** The number of its external waits: evidence and tokens may each have one. */
  waits: number;
  hasEnded: boolean;
}

/** A request that waits until it may begin. */
interface Waiting {
  readonly principals: ReadonlySet<string>;
  readonly begin: () => void;
  readonly refuse: (error: RefusedError) => void;
}

/** Bounds verification work, fair by principal: what neither begins nor may wait is refused at once. */
export class VerificationSlots {
  readonly #limits: SlotLimits;
  readonly #queue: FairQueue<Waiting>;
  /** Those that are back from elsewhere, and go on before others begin. */
  readonly #returning: (() => void)[] = [];
  readonly #waited: (seconds: number) => void;
  readonly #current = new AsyncLocalStorage<Slot>();
  #computing = 0;

  /** @param waited hears of each piece of work how long it waited for its slot */
  constructor(limits: Partial<SlotLimits> = {}, waited: (seconds: number) => void = () => undefined) {
    this.#limits = { ...DEFAULT_SLOTS, ...limits };
    const { running: concurrent, waiting: queued } = this.#limits;
    this.#queue = new FairQueue({ concurrent, queued });
    this.#waited = waited;
  }

  get figures(): SlotFigures {
    const { running, waiting } = this.#queue;
    return { running, computing: this.#computing, waiting: waiting.length, limits: this.#limits };
  }

  /**
   * To be called before a body is read.
   * @throws {RefusedError} `overloaded`
   */
  requireRoom(principal: string): void {
    if (this.#mayBegin && this.#queue.mayRun(principal)) return;
    if (!this.#queue.hasRoomFor(principal)) throw full();
  }

  /** @param principal by whom slots are shared @throws {RefusedError} `overloaded` */
  async run<T>(principal: string, work: () => Promise<T>): Promise<T> {
    const asked = performance.now();
    const turn = this.#turn(principal);
    if (turn !== null) await turn;
    const slot: Slot = { waits: 0, hasEnded: false };
    try {
      this.#waited((performance.now() - asked) / 1000);
      return await this.#current.run(slot, work);
    } finally {
      slot.hasEnded = true;
      this.#queue.end(principal);
      if (slot.waits === 0) this.#computing -= 1;
      this.#goOn();
    }
  }

  /**
   * Waits for a vendor, a vault or a store. Meanwhile another verification may compute. Afterwards this one
   * computes as soon as there is room, and before any that has not begun: its deadline runs. Outside of a slot nothing is counted.
   */
  async elsewhere<T>(asked: () => Promise<T>): Promise<T> {
    const slot = this.#current.getStore();
    if (slot === undefined || slot.hasEnded) return asked();
    slot.waits += 1;
    if (slot.waits === 1) this.#free();
    try {
      return await asked();
    } finally {
      // One that was given up, since its time was over, is not waited for.
      if (slot.hasEnded) slot.waits -= 1;
      else await this.#back(slot);
    }
  }

  get #mayBegin(): boolean {
    const { running, computing } = this.#limits;
    return this.#queue.running < running && this.#computing < computing && this.#returning.length === 0;
  }

  /** @returns null where it has begun already */
  #turn(principal: string): Promise<void> | null {
    let hasBegun = false;
    const turn = new Promise<void>((resolve, reject) => {
      const begin = () => {
        hasBegun = true;
        resolve();
      };
      const waiting = { principals: new Set([principal]), begin, refuse: reject };
      this.#queue.add(waiting);
      this.#goOn();
      this.#queue.turnAway(waiting)?.refuse(full());
    });
    return hasBegun ? null : turn;
  }

  #free(): void {
    this.#computing -= 1;
    this.#goOn();
  }

  /** Waits for a computing slot once the last external wait of a verification has ended. After an earlier one, it goes on without a slot. */
  async #back(slot: Slot): Promise<void> {
    const isLast = slot.waits === 1;
    if (isLast) await this.#mayCompute();
    slot.waits -= 1;
    // It has begun to wait for something else meanwhile, or was given up.
    if (isLast && (slot.waits > 0 || slot.hasEnded)) this.#free();
  }

  async #mayCompute(): Promise<void> {
    if (this.#computing < this.#limits.computing && this.#returning.length === 0) this.#computing += 1;
    else await new Promise<void>((resolve) => this.#returning.push(resolve));
  }

  #goOn(): void {
    while (this.#computing < this.#limits.computing) {
      const back = this.#returning.shift();
      if (back !== undefined) {
        this.#computing += 1;
        back();
        continue;
      }
      const next = this.#mayBegin ? this.#queue.next() : null;
      if (next === null) return;
      this.#computing += 1;
      next.waiting.begin();
    }
  }
}

function full(): RefusedError {
  return new RefusedError('overloaded', 'too many requests are being verified', { retryAfterSeconds: 1 });
}
