import { RefusedError } from '../model/errors.js';

/**
 * Refuses a request because the event loop was found to be late.
 *
 * An infinite delay is one that could not be measured, as after a pause of the whole machine: no reason to refuse.
 *
 * @throws {RefusedError} `overloaded`
 */
export function refuseLate(delayMs: number | undefined): void {
  if (delayMs === Number.POSITIVE_INFINITY) return;
  throw new RefusedError('overloaded', 'the service is busy', { retryAfterSeconds: 1 });
}
