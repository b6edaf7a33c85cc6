import { FetchError } from './fetch-error.js';

/**
 * Runs one attempt to get an answer, for no longer than its own time and the caller's signal.
 *
 * While it connects, undici keeps an aborted request until the connection is there or has failed, so what is awaited
 * is the end of the time as well as the end of the request.
 * @throws {FetchError} also for what the network throws
 */
export async function boundedAttempt<T>(
  caller: AbortSignal,
  timeoutMs: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (caller.aborted) throw new FetchError('aborted', 'no time was left');
  const attempt = new AbortController();
  const timer = setTimeout(() => attempt.abort(TIMED_OUT), timeoutMs);
  const stop = () => attempt.abort(STOPPED);
  caller.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([run(attempt.signal), rejection(attempt.signal)]);
  } catch (error) {
    throw asFetchError(error, attempt.signal);
  } finally {
    clearTimeout(timer);
    caller.removeEventListener('abort', stop);
  }
}

const TIMED_OUT = new FetchError('timeout', 'no answer in time');
const STOPPED = new FetchError('aborted', 'no answer within the time of the request');

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function asFetchError(error: unknown, signal: AbortSignal): FetchError {
  if (error instanceof FetchError) return error;
  if (signal.aborted && signal.reason instanceof FetchError) return signal.reason;
  return new FetchError('network', 'no connection or no complete answer', { cause: error });
}
