/** Share of their full duration for which these tests run, more than 0 and at most 1: `VERITEE_LONG_SHARE`. */
const SHARE = shareOf(process.env['VERITEE_LONG_SHARE'] ?? '1');

/** Whether they run in full. */
export const IS_FULL = SHARE === 1;

/** A duration at the share that was chosen, in whole seconds and at least `least`. */
export function scaledSeconds(full: number, least: number): number {
  return Math.max(least, Math.round(full * SHARE));
}

/** Prints a report, which says where it is not of a full run. */
export function report(title: string, lines: readonly string[]): void {
  const share = IS_FULL ? '' : `, at a share of ${SHARE} of the full duration`;
  process.stdout.write(`\n${title}${share}\n\n${lines.join('\n')}\n\n`);
}

/** Prints a line at once, so that whoever waits sees that something goes on. */
export function progress(line: string): void {
  process.stdout.write(`${line}\n`);
}

function shareOf(text: string): number {
  const share = Number(text);
  if (share > 0 && share <= 1) return share;
  throw new Error('VERITEE_LONG_SHARE has to be more than 0 and at most 1');
}
