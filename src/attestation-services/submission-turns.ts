import { type BulkheadPolicy, bulkhead, isBulkheadRejectedError } from 'cockatiel';
import { unlessAborted } from '../outgoing/bounded-signal.js';
import { FetchError } from '../outgoing/fetch-error.js';

/** Submissions at a time, and how many wait for their turn. */
export interface TurnLimits {
  readonly concurrent: number;
  readonly queued: number;
}

export const DEFAULT_TURNS: TurnLimits = { concurrent: 8, queued: 64 };

/** Lets submissions in, a few at a time; whoever finds no place to wait is told so at once. */
export class SubmissionTurns {
  readonly #bulkhead: BulkheadPolicy;

  constructor({ concurrent, queued }: TurnLimits) {
    this.#bulkhead = bulkhead(concurrent, queued);
  }

  /** @throws {FetchError} that of the submission; `busy` or `aborted` where its turn did not come */
  async run<T>(submit: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (signal.aborted) throw new FetchError('aborted', 'no time was left');
    try {
      // The bulkhead looks at the signal only when somebody's turn has come.
      return await unlessAborted(this.#bulkhead.execute(submit, signal), signal);
    } catch (error) {
      if (isBulkheadRejectedError(error)) throw new FetchError('busy', 'too many submissions at a time');
      throw error;
    }
  }
}
