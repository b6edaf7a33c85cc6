import type { FetchContext } from '../core/endorsement.js';
import { SERVICE } from '../core/fair-queue.js';
import type { Terms } from './admit.js';

/**
 * The reason for the abort at the end of a request. Without one, each request would create an exception with a stack.
 */
const OVER = new Error('the request is over');

/**
 * The time that one request has for fetching, or for all its work. The timer and the controller are created at the
 * first fetch: most requests find everything in the cache.
 */
export class FetchTime {
  readonly principal: string;
  readonly #endsAt: number;
  #controller: AbortController | null = null;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(milliseconds: number, principal: string = SERVICE) {
    this.principal = principal;
    this.#endsAt = performance.now() + milliseconds;
  }

  /** Aborts when the time has passed, or when the request has ended. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      const controller = new AbortController();
      this.#controller = controller;
      if (this.#over) controller.abort(OVER);
      else this.#timer = setTimeout(() => controller.abort(), Math.max(0, this.#endsAt - performance.now()));
    }
    return this.#controller.signal;
  }

  /** Ends the wait for fetches in progress. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#controller?.abort(OVER);
  }
}

/** The fetch context of one request. It is a class because creating an object literal with a getter is slow. */
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
