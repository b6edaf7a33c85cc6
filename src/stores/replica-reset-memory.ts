import type { ResetCounts, ResetMemory } from '../core/vtpm-resets.js';

/**
 * Reset counts of one of several replicas: its own counts beside the shared ones. The higher of the two counts. If either is
 * unreachable or damaged, this memory fails.
 *
 * A store can lose entries, or be restored to an older state. The replica then writes its own counts of a vTPM back at the next
 * request about that vTPM. The replica copies no shared counts into its own. It only adds counts that it verified itself, so no
 * store can change them.
 */
export class ReplicaResetMemory implements ResetMemory {
  readonly #own: ResetMemory;
  readonly #shared: ResetMemory;

  constructor(own: ResetMemory, shared: ResetMemory) {
    this.#own = own;
    this.#shared = shared;
  }

  async highest(akThumbprint: string): Promise<ResetCounts | null> {
    const own = await this.#own.highest(akThumbprint);
    return own === null ? this.#shared.highest(akThumbprint) : this.#shared.advance(akThumbprint, own);
  }

  async advance(akThumbprint: string, counts: ResetCounts): Promise<ResetCounts> {
    return this.#shared.advance(akThumbprint, await this.#own.advance(akThumbprint, counts));
  }
}
