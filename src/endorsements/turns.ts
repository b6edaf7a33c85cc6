import { type BulkheadPolicy, bulkhead, isBulkheadRejectedError } from 'cockatiel';
import { FetchError } from './fetch-error.js';

/** Lets so many fetches run at a time and so many wait for their turn. Whoever comes then is refused. */
export class Turns {
  readonly #bulkhead: BulkheadPolicy;

  constructor(concurrent: number, queued: number) {
    this.#bulkhead = bulkhead(concurrent, queued);
  }

  /**
   * @param signal ends the waiting; what has begun ends by its own signal
   * @throws {FetchError} `busy` where too many wait, `aborted` where the signal ends first
   * @throws {unknown} what `fetch` throws
   */
  async take<T>(signal: AbortSignal, fetch: () => Promise<T>): Promise<T> {
    try {
      return await this.#bulkhead.execute(fetch, signal);
    } catch (error) {
      throw isBulkheadRejectedError(error) ? new FetchError('busy', 'too many fetches at a time') : asAborted(error);
    }
  }
}

/** The two ways in which waiting ends early, cockatiel's and the timer's, said as one. */
function asAborted(error: unknown): unknown {
  const early = error instanceof Error && (error.name === 'AbortError' || 'isTaskCancelledError' in error);
  return early ? new FetchError('aborted', 'no answer within the time of the request') : error;
}
