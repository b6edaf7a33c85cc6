/**
 * Returns the earliest of several ends, such as those of the inputs of a verification. Null is no end, so the result is null
 * only if all are null.
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

/** Returns the latest of at least one time. */
export function latest(instants: readonly Date[]): Date {
  return new Date(Math.max(...instants.map((instant) => instant.getTime())));
}
