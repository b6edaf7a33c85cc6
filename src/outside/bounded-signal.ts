import { outOfTime } from './fetch-error.js';

/**
 * Runs with a signal that aborts with another one, or after a time.
 *
 * Not by `AbortSignal.any` and `AbortSignal.timeout`: on Node 20 nothing keeps such a timeout from being collected as
 * garbage, and the time then never ends.
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
 * Waits for something that others may be waiting for too, no longer than the caller's signal.
 *
 * @param late gives the result, or throws, where the signal ends first
 * @throws {unknown} what the promise or `late` throws
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
