/** Work that did not end in its time. */
export class LateError extends Error {
  override readonly name = 'LateError';
}

/**
 * The outcome of `work`, or an error once the time is up. The work itself is not cancelled: its late effects still happen.
 * An answer that has come while this process was busy with something else counts: it is read before the time is said to
 * be up.
 * @throws {LateError} once the time is up
 * @throws {Error} also what `work` rejects with
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
