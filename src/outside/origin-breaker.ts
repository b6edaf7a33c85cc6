import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel';
import { FetchError } from './fetch-error.js';

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failuresToOpen: number;
  /** How long it then sends no request. After that one request tests whether the origin is back. */
  readonly openMs: number;
  /**
   * An attempt whose caller leaves sooner than this counts neither as success nor as failure: otherwise callers could
   * open the breaker by leaving, or keep it closed.
   */
  readonly fairMs: number;
}

export const DEFAULT_BREAKER: BreakerOptions = { failuresToOpen: 5, openMs: 30_000, fairMs: 500 };

/**
 * Whether a failed attempt counts against the service: the request did not end it early, or
 * it had the time that services normally get.
 * @param begun by `performance.now()`
 */
export function hadFairTime(request: AbortSignal, begun: number, givenMs: number): boolean {
  return !request.aborted || performance.now() - begun >= givenMs;
}

/** An attempt whose caller left too soon to count. */
class Inconclusive extends Error {
  readonly left: FetchError;

  constructor(left: FetchError) {
    super(left.message);
    this.left = left;
  }
}

/** Stops requests to an origin that failed several times in a row. */
export class OriginBreaker {
  readonly #fairMs: number;
  readonly #policy: CircuitBreakerPolicy;

  constructor({ failuresToOpen, openMs, fairMs }: BreakerOptions) {
    this.#fairMs = fairMs;
    this.#policy = circuitBreaker(
      handleWhen((error) => error instanceof FetchError),
      { breaker: new ConsecutiveBreaker(failuresToOpen), halfOpenAfter: openMs },
    );
  }

  /**
   * @returns the result or FetchError of the call; `open` if no call was made
   * @throws {unknown} any other error
   */
  async run<T>(call: () => Promise<T>): Promise<T | FetchError> {
    try {
      // An error that does not count against the origin is returned, not thrown, so that the breaker counts a success.
      return await this.#policy.execute(() => this.#counted(call));
    } catch (error) {
      if (error instanceof FetchError) return error;
      if (error instanceof Inconclusive) return error.left;
      if (isBrokenCircuitError(error)) return new FetchError('open', 'not contacted: it failed several times in a row');
      throw error;
    }
  }

  async #counted<T>(call: () => Promise<T>): Promise<T | FetchError> {
    const begun = performance.now();
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      // Faults that the policy does not handle count neither way, except for the attempt that tries whether the origin is back.
      const isTrial = this.#policy.state === CircuitState.HalfOpen;
      if (error.fault === 'aborted' && performance.now() - begun < this.#fairMs && !isTrial) {
        throw new Inconclusive(error);
      }
      if (!error.unhealthy) return error;
      throw error;
    }
  }
}
