import type { Clock } from '../model/ports.js';
import { FetchError } from './fetch-error.js';
import { type BreakerOptions, OriginBreaker } from './origin-breaker.js';

/** Pause after a 429 that names none. */
const THROTTLED_MS = 10_000;
/** A header must not be able to switch an endpoint off for good. */
const LONGEST_PAUSE_MS = 60 * 60_000;

/** Whether an endpoint is asked at all: a breaker, and the pause that the endpoint itself wants. Never asks twice. */
export class EndpointHealth {
  readonly #clock: Clock;
  readonly #breaker: OriginBreaker;
  /** Monotonic. */
  #quietUntil = 0;

  constructor(clock: Clock, breaker: BreakerOptions) {
    this.#clock = clock;
    this.#breaker = new OriginBreaker(breaker);
  }

  /** @throws {FetchError} that of the call; `open` or `waiting` where it was not made */
  async run<T>(call: () => Promise<T>): Promise<T> {
    const quietMs = this.#quietUntil - this.#clock.monotonicMs();
    if (quietMs > 0) {
      throw new FetchError('waiting', 'not asked: the pause that it wants is not over', { retryAfterMs: quietMs });
    }
    const outcome = await this.#breaker.run(call);
    if (!(outcome instanceof FetchError)) return outcome;
    if (outcome.throttled) this.#rest(outcome.retryAfterMs ?? THROTTLED_MS);
    throw outcome;
  }

  #rest(ms: number): void {
    this.#quietUntil = this.#clock.monotonicMs() + Math.min(ms, LONGEST_PAUSE_MS);
  }
}
