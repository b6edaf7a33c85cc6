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
