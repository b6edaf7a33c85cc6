import type { LogProblem } from '../core/log-report.js';
import { type NotKnown, notKnownLines, problemLines } from './log-report.js';
import { EXIT_CODE, type Output, styledFor } from './output.js';

/** The result of an import. */
export interface ImportResult {
  /** Why nothing was imported; empty after a full import. */
  readonly problems: readonly LogProblem[];
  /** Questions that its verification cannot answer. */
  readonly notKnown: readonly NotKnown[];
  /** Number of imported records. */
  readonly records: number;
  readonly heads: number;
  /** Kept objects. */
  readonly objects: number;
  /** Number of records that were already there. */
  readonly known: number;
}

/**
 * Shows the result of an import.
 * @returns the exit code: 0 after an import, 2 after a problem with the file
 */
export function importResult(result: ImportResult, output: Output): number {
  const { problems } = result;
  output.write(output.asTable ? importTable(result, output) : `${JSON.stringify(result, null, 2)}\n`);
  return problems.length === 0 ? EXIT_CODE.allow : EXIT_CODE.deny;
}

function importTable(result: ImportResult, output: Output): string {
  const { problems, notKnown, records, heads, objects, known } = result;
  const styled = styledFor(output);
  const verdict =
    problems.length === 0
      ? `taken: ${records} records, ${heads} signed heads and ${objects} kept objects; ${known} records were there already`
      : `${styled(['bold', 'red'], `wrong: ${problems.length}`)}; nothing was taken`;
  return [
    ...problems.flatMap((problem) => problemLines(problem, styled)),
    ...notKnownLines(notKnown, styled),
    verdict,
    '',
  ].join('\n');
}
