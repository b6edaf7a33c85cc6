import { RefusedError } from '../core/errors.js';
import { FairQueue } from '../core/fair-queue.js';

/** Limits of concurrent verification work. */
export interface SlotLimits {
  /** Verifications that have begun, including those that wait. */
  readonly running: number;
  /**
   * Those of them that compute instead of waiting for I/O. They share one processor and its memory: more of them take
   * longer, and none ends sooner.
   */
  readonly computing: number;
  /** Requests that wait to begin. */
  readonly waiting: number;
}

/**
 * These limits admit the requests of 256 concurrent clients. Most of `running` is for verifications that wait for a
 * vendor, vault or store.
 */
export const DEFAULT_SLOTS: SlotLimits = { running: 256, computing: 32, waiting: 224 };

/** The current numbers of verifications, and their limits. */
export interface SlotFigures extends SlotLimits {
  readonly limits: SlotLimits;
}

/** The slot of a verification that has begun. */
export interface Slot {
  /**
   * Waits for a vendor, a vault or a store. Meanwhile another verification may compute. Afterwards this one computes as
   * soon as there is room, before any that has not begun: its deadline runs.
   */
  elsewhere<T>(work: () => Promise<T>): Promise<T>;
}

/** A slot that frees nothing, for work without a slot. */
export const NO_SLOT: Slot = { elsewhere: (work) => work() };

/** The state of a slot. */
interface SlotState {
  /** The number of its external waits: evidence and tokens may each have one. */
  waits: number;
  hasEnded: boolean;
}

interface Waiting {
  readonly principals: ReadonlySet<string>;
  readonly begin: () => void;
  readonly refuse: (error: RefusedError) => void;
}

/** Limits verification work, with fair shares per principal. Refuses work at once that can neither begin nor wait. */
export class VerificationSlots {
  readonly #limits: SlotLimits;
  readonly #queue: FairQueue<Waiting>;
  /** Verifications that return from external waits. They continue before others begin. */
  readonly #returning: (() => void)[] = [];
  readonly #waited: (seconds: number) => void;
  #computing = 0;

  /** @param waited receives the time that each piece of work waited for its slot */
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
   * Call this before a body is read.
   * @throws {RefusedError} `overloaded`
   */
  requireRoom(principal: string): void {
    if (this.#mayBegin && this.#queue.mayRun(principal)) return;
    if (!this.#queue.hasRoomFor(principal)) throw full();
  }

  /** @param principal shares slots fairly with others @throws {RefusedError} `overloaded` */
  async run<T>(principal: string, work: (slot: Slot) => Promise<T>): Promise<T> {
    const asked = performance.now();
    const turn = this.#turn(principal);
    if (turn !== null) await turn;
    const state: SlotState = { waits: 0, hasEnded: false };
    try {
      this.#waited((performance.now() - asked) / 1000);
      return await work({ elsewhere: (wait) => this.#elsewhere(state, wait) });
    } finally {
      state.hasEnded = true;
      this.#queue.end(principal);
      if (state.waits === 0) this.#computing -= 1;
      this.#goOn();
    }
  }

  async #elsewhere<T>(state: SlotState, work: () => Promise<T>): Promise<T> {
    if (state.hasEnded) return work();
    state.waits += 1;
    if (state.waits === 1) this.#free();
    try {
      return await work();
    } finally {
      // An abandoned verification, whose time has expired, gets no slot again.
      if (state.hasEnded) state.waits -= 1;
      else await this.#back(state);
    }
  }

  get #mayBegin(): boolean {
    const { running, computing } = this.#limits;
    return this.#queue.running < running && this.#computing < computing && this.#returning.length === 0;
  }

  /** @returns null if it has begun already */
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

  /**
   * Waits for a computing slot once the last external wait of a verification has ended. After an earlier one, continues
   * without a slot.
   */
  async #back(state: SlotState): Promise<void> {
    const isLast = state.waits === 1;
    if (isLast) await this.#mayCompute();
    state.waits -= 1;
    // Meanwhile it began another wait, or was abandoned.
    if (isLast && (state.waits > 0 || state.hasEnded)) this.#free();
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
