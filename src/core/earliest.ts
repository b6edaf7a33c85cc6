/**
 * The earliest of several ends, such as those of what a verification relied on. Null is no end, so it is the earliest
 * only where nothing ends.
 */
export function earliest(end: Date, ...ends: readonly (Date | null)[]): Date;
export function earliest(...ends: readonly (Date | null)[]): Date | null;
export function earliest(...ends: readonly (Date | null)[]): Date | null {
  let first: number | null = null;
  for (const end of ends) {
    if (end !== null) first = Math.min(first ?? end.getTime(), end.getTime());
  }
  return first === null ? null : new Date(first);
}

/** The latest of several times, of which there has to be one. */
export function latest(instants: readonly Date[]): Date {
  return new Date(Math.max(...instants.map((instant) => instant.getTime())));
}
