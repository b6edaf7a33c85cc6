/** Exit codes of a shell: 128 plus the number of the signal. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs work that must clean up at its end. A signal aborts the work instead of ending the process.
 *
 * @param told receives the name of the signal that ended the work
 * @returns the exit code of the work, or that of the signal
 */
export async function untilSignal(
  work: (signal: AbortSignal) => Promise<number>,
  told: (signal: string) => void,
): Promise<number> {
  const stop = new AbortController();
  const abort = (signal: string) => stop.abort(signal);
  for (const signal of Object.keys(EXIT_CODES)) process.on(signal, abort);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const signal: keyof typeof EXIT_CODES = stop.signal.reason;
    told(signal);
    return EXIT_CODES[signal];
  } finally {
    for (const signal of Object.keys(EXIT_CODES)) process.off(signal, abort);
  }
}
