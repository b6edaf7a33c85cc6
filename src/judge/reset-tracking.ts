import { UnfitError } from '../core/errors.js';
import { FaultLog } from '../core/fault-log.js';
import type { Log } from '../core/ports.js';
import type { RememberedResets, ResetMemory } from '../core/vtpm-resets.js';
import { isBehind } from '../core/vtpm-resets.js';
import type { TrackedVtpm } from '../policy/appraise/vtpm-resets.js';
import { LateError, withinTime } from './within-time.js';

/** Timeout of the memory. After it, the memory counts as unreachable. */
const MEMORY_TIMEOUT_MS = 1000;

type Action = 'read' | 'written';

const MESSAGES = {
  begun: 'memory of vTPM resets does not answer: policies that track resets do not allow',
  over: 'memory of vTPM resets answers again',
};

/** Reads the memory of vTPM resets before an appraisal, and advances it after an allow. */
export class ResetTracking {
  readonly #memory: ResetMemory;
  readonly #timeoutMs: number;
  readonly #late: FaultLog;
  #failures = 0;

  constructor(memory: ResetMemory, log: Log, timeoutMs: number = MEMORY_TIMEOUT_MS) {
    this.#memory = memory;
    this.#timeoutMs = timeoutMs;
    this.#late = new FaultLog(log, MESSAGES);
  }

  /** How often the memory could not be read or written in time. */
  get failures(): number {
    return this.#failures;
  }

  /** The remembered counts of a vTPM. Never rejects. */
  async remembered({ akThumbprint }: TrackedVtpm): Promise<RememberedResets> {
    try {
      const counts = await this.#inTime(this.#memory.highest(akThumbprint), 'read');
      return counts === null ? { state: 'none' } : { state: 'remembered', counts };
    } catch (error) {
      return this.#outOfReach(error, 'read');
    }
  }

  /**
   * Stores the counts of an allowed quote. Never rejects. A write that exceeds the timeout still takes effect: the
   * quote was genuine, and not behind the stored counts.
   *
   * @returns the state to appraise the quote with again, if higher counts were stored meanwhile, or its own cannot be
   *   stored; null if they are stored
   */
  async advance({ akThumbprint, counts }: TrackedVtpm): Promise<RememberedResets | null> {
    try {
      const highest = await this.#inTime(this.#memory.advance(akThumbprint, counts), 'written');
      return isBehind(counts, highest) ? { state: 'remembered', counts: highest } : null;
    } catch (error) {
      return this.#outOfReach(error, 'written');
    }
  }

  /** Logs a memory that does not answer. The memory itself logs the errors that it answers with. */
  async #inTime<T>(work: Promise<T>, action: Action): Promise<T> {
    try {
      const outcome = await withinTime(work, this.#timeoutMs);
      this.#late.over(action);
      return outcome;
    } catch (error) {
      if (error instanceof LateError) this.#late.begun(action, {}, { why: error.message });
      else this.#late.over(action);
      throw error;
    }
  }

  #outOfReach(error: unknown, action: Action): RememberedResets {
    this.#failures += 1;
    const isDamaged = error instanceof UnfitError;
    const detail = isDamaged
      ? 'the stored reset counts of this vTPM are damaged'
      : `the memory of vTPM resets cannot be ${action}`;
    return { state: 'unavailable', detail, retryable: !isDamaged };
  }
}
