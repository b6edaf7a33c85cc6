import { UnfitError } from '../model/errors.js';
import type { Log } from '../model/ports.js';
import type { RememberedResets, ResetMemory } from '../model/vtpm-resets.js';
import { isBehind } from '../model/vtpm-resets.js';
import type { TrackedVtpm } from '../policy/vtpm-resets.js';
import { withinTime } from './challenges.js';

/** How long the memory is waited for. After that it counts as out of reach. */
const MEMORY_TIMEOUT_MS = 1000;

/** Reads the memory of vTPM resets before an appraisal, and advances it after an allow. */
export class ResetTracking {
  readonly #memory: ResetMemory;
  readonly #log: Log;
  readonly #timeoutMs: number;

  constructor(memory: ResetMemory, log: Log, timeoutMs: number = MEMORY_TIMEOUT_MS) {
    this.#memory = memory;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
  }

  /** What is remembered of a vTPM. Never rejects. */
  async remembered({ akThumbprint }: TrackedVtpm): Promise<RememberedResets> {
    try {
      const counts = await withinTime(this.#memory.highest(akThumbprint), this.#timeoutMs);
      return counts === null ? { state: 'none' } : { state: 'remembered', counts };
    } catch (error) {
      return this.#outOfReach(error, 'read');
    }
  }

  /**
   * Notes counts of a quote that was allowed. Never rejects. A write that comes too late to count still takes effect:
   * the quote was genuine, and not behind what was remembered.
   *
   * @returns what to appraise the quote by instead, where it cannot stay allowed: higher counts were noted meanwhile, or
   *   its own cannot be kept; null where they are kept
   */
  async advance({ akThumbprint, counts }: TrackedVtpm): Promise<RememberedResets | null> {
    try {
      const highest = await withinTime(this.#memory.advance(akThumbprint, counts), this.#timeoutMs);
      return isBehind(counts, highest) ? { state: 'remembered', counts: highest } : null;
    } catch (error) {
      return this.#outOfReach(error, 'written');
    }
  }

  #outOfReach(error: unknown, action: 'read' | 'written'): RememberedResets {
    this.#log.error({ err: error }, 'memory of vTPM resets cannot be used: policies that track resets do not allow');
    const isDamaged = error instanceof UnfitError;
    const detail = isDamaged
      ? 'what is remembered of this vTPM is damaged'
      : `the memory of vTPM resets cannot be ${action}`;
    return { state: 'unavailable', detail, retryable: !isDamaged };
  }
}
