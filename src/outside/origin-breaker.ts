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
  /** How long it then sends nothing. After that one request tries whether the origin is back. */
  readonly openMs: number;
  /**
   * An attempt whose caller leaves sooner than this counts neither as success nor as failure: callers must not be able to
   * open the breaker by leaving, nor to keep it closed.
   */
  readonly fairMs: number;
}

export const DEFAULT_BREAKER: BreakerOptions = { failuresToOpen: 5, openMs: 30_000, fairMs: 500 };

/**
 * Whether an attempt that failed says something about the service: it was not cut short by the end of the request, or
 * had the time before that services are given.
 * @param begun by `performance.now()`
 */
export function hadFairTime(request: AbortSignal, begun: number, givenMs: number): boolean {
  return !request.aborted || performance.now() - begun >= givenMs;
}

/** An attempt whose caller left too soon for it to count. */
class Inconclusive extends Error {
  readonly left: FetchError;

  constructor(left: FetchError) {
    super(left.message);
    this.left = left;
  }
}

/** Stops asking one origin that has failed several times in a row. */
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
   * @returns what the call gave or how it failed; `open` where it was not made
   * @throws {unknown} what is no fault of a fetch
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
