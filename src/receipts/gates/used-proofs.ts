import { createHash } from 'node:crypto';
import { GateRefusal } from '../../core/gate.js';
import type { Clock } from '../../core/ports.js';

/**
 * A proof is good for a minute to both sides of its time, and the watch over the clock lets it fall behind by a minute more.
 * After that the time of the proof refuses it.
 */
const KEPT_MS = 200_000;

/** Of one gate: a thousand a second. */
const MAXIMUM = 200_000;

/** More than a call adds, and so little that no call is held up where all have become old at once. */
const FORGOTTEN_AT_ONCE = 1_000;

/** Proofs that were accepted at one gate. Each gate has its own, so that who may pass one cannot fill that of another. What does not fit is refused, never forgotten. */
export class UsedProofs {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #maximum: number;
  /** When each was accepted, in monotonic milliseconds, oldest first. */
  readonly #used = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, maximum = MAXIMUM) {
    this.#clock = clock;
    this.#maximum = maximum;
  }

  /**
   * @param jkt of the key that signed it, since others choose their ids as they like
   * @param jti its id
   * @throws {GateRefusal} `dpop_replayed`, `dpop_memory`
   */
  use(jkt: string, jti: string): void {
    const now = this.#clock.monotonicMs();
    this.#forget(now);
    // A digest, so that how long ids are makes no difference.
    const proof = createHash('sha256').update(`${jkt} ${jti}`).digest('base64url');
    if (this.#used.has(proof)) throw new GateRefusal('dpop_replayed', 'the proof was used before');
    if (this.#used.size >= this.#maximum) {
      throw new GateRefusal('dpop_memory', 'more proofs are in use than this process remembers');
    }
    this.#used.set(proof, now);
  }

  #forget(now: number): void {
    let forgotten = 0;
    for (const [proof, since] of this.#used) {
      if (now - since <= KEPT_MS || forgotten === FORGOTTEN_AT_ONCE) return;
      this.#used.delete(proof);
      forgotten += 1;
    }
  }
}
