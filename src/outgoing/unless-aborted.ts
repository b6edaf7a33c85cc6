import { FetchError } from './fetch-error.js';

/**
 * Waits for something that others may be waiting for too, no longer than the caller's signal.
 * @throws {unknown} what the promise throws, or {@link FetchError} `aborted`
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave = () => {};
  const left = new Promise<never>((_resolve, reject) => {
    leave = () => reject(new FetchError('aborted', 'no answer within the time of the request'));
    signal.addEventListener('abort', leave, { once: true });
  });
  if (signal.aborted) leave();
  try {
    return await Promise.race([promise, left]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
