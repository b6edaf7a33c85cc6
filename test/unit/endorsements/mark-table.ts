import type { SharedMarks } from '../../../src/core/shared-marks.js';

/** Marks that replicas share, in memory. */
export class MarkTable implements SharedMarks {
  readonly kept = new Map<string, string>();
  /** The names that were asked for. */
  readonly asked: string[] = [];
  changes = 0;
  isGone = false;

  async raise(name: string, text: string | null): Promise<string | null> {
    this.asked.push(name);
    if (this.isGone) return null;
    const kept = this.kept.get(name);
    if (text !== null && (kept === undefined || isLower(kept, text))) this.kept.set(name, text);
    return this.kept.get(name) ?? null;
  }
}

function isLower(one: string, other: string): boolean {
  const [[number = '0', date = ''], [otherNumber = '0', otherDate = '']] = [one, other].map((text) =>
    text.trimEnd().split(' '),
  ) as [string[], string[]];
  // As the database has it: what is no number is higher than any.
  if (number === 'NaN') return false;
  return number === otherNumber ? date < otherDate : BigInt(number) < BigInt(otherNumber);
}
