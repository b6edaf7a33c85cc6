import {
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel';
import { FetchError } from '../endorsements/fetch-error.js';
import type { Clock } from '../model/ports.js';

export interface HealthOptions {
  /** Failures in a row after which an endpoint is left out. */
  readonly failuresToOpen: number;
  /** For how long. Then one request tries whether it is back. */
  readonly openMs: number;
}

export const DEFAULT_HEALTH: HealthOptions = { failuresToOpen: 5, openMs: 30_000 };

/** Pause after a 429 that names none. */
const THROTTLED_MS = 10_000;
/** A header must not be able to switch an endpoint off for good. */
const LONGEST_PAUSE_MS = 60 * 60_000;

/** Whether an endpoint is asked at all: a breaker, and the pause that the endpoint itself wants. Never asks twice. */
export class EndpointHealth {
  readonly #clock: Clock;
  readonly #breaker: CircuitBreakerPolicy;
  /** Monotonic. */
  #quietUntil = 0;

  constructor(clock: Clock, { failuresToOpen, openMs }: HealthOptions) {
    this.#clock = clock;
    this.#breaker = circuitBreaker(
      handleWhen((error) => error instanceof FetchError),
      { breaker: new ConsecutiveBreaker(failuresToOpen), halfOpenAfter: openMs },
    );
  }

  /** @throws {FetchError} that of the call; `open` or `waiting` where it was not made */
  async run<T>(call: () => Promise<T>): Promise<T> {
    const quietMs = this.#quietUntil - this.#clock.monotonicMs();
    if (quietMs > 0) {
      throw new FetchError('waiting', 'not asked: the pause that it wants is not over', { retryAfterMs: quietMs });
    }
    const outcome = await this.#throughBreaker(call);
    if (!(outcome instanceof FetchError)) return outcome;
    if (outcome.throttled) this.#rest(outcome.retryAfterMs ?? THROTTLED_MS);
    throw outcome;
  }

  async #throughBreaker<T>(call: () => Promise<T>): Promise<T | FetchError> {
    try {
      // What does not count against the endpoint is returned, so that the breaker sees it as the success it is.
      return await this.#breaker.execute(() => call().catch(returnHealthy));
    } catch (error) {
      if (error instanceof FetchError) return error;
      if (isBrokenCircuitError(error)) return new FetchError('open', 'not asked: it failed several times in a row');
      throw error;
    }
  }

  #rest(ms: number): void {
    this.#quietUntil = this.#clock.monotonicMs() + Math.min(ms, LONGEST_PAUSE_MS);
  }
}

function returnHealthy(error: unknown): FetchError {
  if (error instanceof FetchError && !error.unhealthy) return error;
  throw error;
}
