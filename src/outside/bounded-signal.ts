import { outOfTime } from './fetch-error.js';

/**
 * Runs with a signal that aborts with another one, or after a time.
 *
 * Not with `AbortSignal.any` and `AbortSignal.timeout`: on Node 20 such a timeout can be garbage-collected,
 * and then never fires.
 */
export async function underBound<T>(
  outer: AbortSignal,
  milliseconds: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const bound = new AbortController();
  const stop = () => bound.abort(outer.reason);
  const timer = setTimeout(() => bound.abort(), milliseconds);
  outer.addEventListener('abort', stop, { once: true });
  if (outer.aborted) stop();
  try {
    return await run(bound.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', stop);
  }
}

/**
 * Waits for a promise that others may share, no longer than the caller's signal.
 *
 * @param late returns the result, or throws, if the signal ends first
 * @throws {unknown} the error of the promise or of `late`
 */
export async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  late: () => T = throwOutOfTime,
): Promise<T> {
  let leave = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
    signal.addEventListener('abort', leave, { once: true });
  });
  if (signal.aborted) leave();
  try {
    return await Promise.race([promise, left.then(late)]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

function throwOutOfTime(): never {
  throw outOfTime();
}
