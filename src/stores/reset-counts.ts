import type { ResetCounts } from '../core/vtpm-resets.js';

/** Most vTPMs of a tenant. */
export const RESET_CAPACITY = 100_000;

/** The log messages about a memory of vTPM resets, wherever it is. */
export const RESET_MEMORY_MESSAGES = {
  begun: 'memory of vTPM resets cannot be used: policies that track resets do not allow',
  over: 'memory of vTPM resets can be used again',
};
export const RESETS_FORGOTTEN = 'memory of vTPM resets is full, so the oldest counts were forgotten';

const CONTENT = /^(\d{1,10}) (\d{1,10})$/;
const MAXIMUM_COUNT = 2 ** 32 - 1;

/** How many more entries than needed a full memory forgets, so that it does not do so for each new vTPM. */
export function forgottenAhead(capacity: number): number {
  return Math.floor(capacity / 100);
}

export function countsText({ resetCount, restartCount }: ResetCounts): string {
  return `${resetCount} ${restartCount}`;
}

/** Returns null unless the text has two counts of 32 bits. */
export function parseCounts(text: string): ResetCounts | null {
  const [, resetCount, restartCount] = (CONTENT.exec(text) ?? []).map(Number);
  if (resetCount === undefined || restartCount === undefined) return null;
  return Math.max(resetCount, restartCount) > MAXIMUM_COUNT ? null : { resetCount, restartCount };
}
