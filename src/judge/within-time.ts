/** The error for work that exceeded its time. */
export class LateError extends Error {
  override readonly name = 'LateError';
}

/**
 * Returns the outcome of `work`, or rejects after the time. The work continues, and its late effects still happen. An
 * answer that arrives while the process is busy counts: it is read before the timeout is reported.
 * @throws {LateError} after the time
 * @throws {Error} the rejection of `work`
 */
export async function withinTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const expire = () => reject(new LateError(`no answer within ${milliseconds} ms`));
    timer = setTimeout(() => setImmediate(expire), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
