import type { FetchContext } from '../core/endorsement.js';
import { SERVICE } from '../core/fair-queue.js';
import type { Terms } from './admit.js';

/** Why fetching ends with the request. The exception that is made where no reason is given costs each request its stack. */
const OVER = new Error('the request is over');

/**
 * The time that one request has for fetching, or for all that it does. Timer and controller are made where something is fetched for the first
 * time: most requests find all that they need in the cache.
 */
export class FetchTime {
  /** Principal of the caller, for fair turns. */
  readonly principal: string;
  readonly #endsAt: number;
  #controller: AbortController | null = null;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(milliseconds: number, principal: string = SERVICE) {
    this.principal = principal;
    this.#endsAt = performance.now() + milliseconds;
  }

  /** Aborts when the time has passed, or when the request is over. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      const controller = new AbortController();
      this.#controller = controller;
      if (this.#over) controller.abort(OVER);
      else this.#timer = setTimeout(() => controller.abort(), Math.max(0, this.#endsAt - performance.now()));
    }
    return this.#controller.signal;
  }

  /** Ends the wait for what is still being fetched. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#controller?.abort(OVER);
  }
}

/** How one request fetches. A class, since the runtime makes each object with a getter of its own step by step. */
export class RequestFetch implements FetchContext {
  readonly at: Date;
  readonly historical: boolean;
  readonly principal: string;
  readonly tenant: string;
  readonly #time: FetchTime;

  constructor(
    { at, historical, caller: { principal, tenant } }: Pick<Terms, 'at' | 'historical' | 'caller'>,
    time: FetchTime,
  ) {
    this.at = at;
    this.historical = historical;
    this.principal = principal;
    this.tenant = tenant;
    this.#time = time;
  }

  get signal(): AbortSignal {
    return this.#time.signal;
  }
}
