/** How long after a fetch material counts as confirmed to be the newest. */
export const CONFIRMED_MS = 48 * 60 * 60_000;

/** The clock may have been set back since: a fetch in the future does not count as recent. */
export function isConfirmed(confirmedAt: Date | null, at: Date): boolean {
  return confirmedAt !== null && Math.abs(at.getTime() - confirmedAt.getTime()) <= CONFIRMED_MS;
}
