import { type BulkheadPolicy, bulkhead, isBulkheadRejectedError } from 'cockatiel';
import { FetchError } from './fetch-error.js';

/** Limits how many fetches run at a time and how many wait for their turn. Any further one is refused. */
export class Turns {
  readonly #bulkhead: BulkheadPolicy;

  constructor(concurrent: number, queued: number) {
    this.#bulkhead = bulkhead(concurrent, queued);
  }

  /**
   * @param signal ends the waiting; a fetch that has begun ends by its own signal
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

/** Maps the two ways in which waiting ends early, cockatiel's and the timer's, to one error. */
function asAborted(error: unknown): unknown {
  const early = error instanceof Error && (error.name === 'AbortError' || 'isTaskCancelledError' in error);
  return early ? new FetchError('aborted', 'no answer within the time of the request') : error;
}
