import type { Clock } from '../model/ports.js';
import type { ReadinessUseCase } from './use-cases.js';

/** Seconds by which the clock may run apart from monotonic time before the service is no longer ready. */
const TOLERANCE_SECONDS = 60;

/**
 * Readiness: policies are loaded, or there would be no service, and the clock runs evenly. Everything that is judged
 * rests on the clock, and a host can steer it. An upstream that is out of reach does not count against readiness.
 */
export class ClockWatch implements ReadinessUseCase {
  readonly #clock: Clock;
  /** Wall time less monotonic time when the service started. */
  readonly #offset: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = this.#now();
  }

  async execute(): Promise<{ readonly ready: boolean; readonly problems: readonly string[] }> {
    const jump = (this.#now() - this.#offset) / 1000;
    if (Math.abs(jump) <= TOLERANCE_SECONDS) return { ready: true, problems: [] };
    return { ready: false, problems: [`the clock has jumped by ${Math.round(jump)} seconds`] };
  }

  #now(): number {
    return this.#clock.now().getTime() - this.#clock.monotonicMs();
  }
}
