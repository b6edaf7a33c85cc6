import type { ResetCounts, ResetMemory } from '../core/vtpm-resets.js';

/**
 * Reset counts of one of several replicas: its own beside those that all of them share. The higher of the two counts. Where either is
 * out of reach or damaged, so is the whole.
 *
 * A store can lose what it had, or go back to what it was. Then it gets back what this replica knows of a vTPM as soon as somebody asks
 * about that. Nothing goes the other way but what this replica allows itself: its own counts are worth something because no store can
 * change them.
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
