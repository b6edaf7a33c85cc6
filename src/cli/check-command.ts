import type { LintProblem } from '../core/lint-problem.js';
import { EXIT_CODE, type Output, printable, styledFor } from './output.js';

/**
 * Writes the problems of a configuration.
 * @returns the exit code: 1 if there is an error, else 0
 */
export function checkCommand(problems: readonly LintProblem[], output: Output): number {
  output.write(output.asTable ? problemList(problems, output) : `${JSON.stringify({ problems }, null, 2)}\n`);
  return problems.some(({ severity }) => severity === 'error') ? EXIT_CODE.usage : EXIT_CODE.allow;
}

const COLOUR = { error: 'red', warning: 'yellow' } as const;

/** Each problem with its remedy below it, and the number of problems. */
function problemList(problems: readonly LintProblem[], output: Pick<Output, 'inColour'>): string {
  const styled = styledFor(output);
  const width = Math.max(...problems.map(({ code }) => code.length), 0);
  const rows = problems.flatMap(({ code, pointer, message, remedy, severity }) => [
    `${styled(COLOUR[severity], severity.padEnd(8))} ${code.padEnd(width)}  ${printable(pointer)}`.trimEnd(),
    `         ${printable(message)}`,
    `         ${styled('gray', remedy)}`,
    '',
  ]);
  return `${[...rows, summary(problems)].join('\n')}\n`;
}

function summary(problems: readonly LintProblem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return problems.length === 0
    ? 'no problems'
    : `${counted(errors, 'error')}, ${counted(problems.length - errors, 'warning')}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
