import { describe, expect, it } from 'vitest';
import { checkCommand } from '../../../src/cli/check-command.js';
import type { LintProblem } from '../../../src/core/lint-problem.js';

const ERROR: LintProblem = {
  code: 'config_file',
  pointer: '/listen/tls/cert',
  message: './tls.crt: there is no such file',
  remedy: 'Correct the path.',
  severity: 'error',
};
const WARNING: LintProblem = {
  code: 'expiry_near',
  pointer: '/waivers/0',
  message: 'payments.yaml: a waiver expires soon',
  remedy: 'Have it approved again.',
  severity: 'warning',
};

function run(problems: readonly LintProblem[], asTable: boolean): { exitCode: number; written: string } {
  let written = '';
  const write = (text: string) => {
    written += text;
  };
  const exitCode = checkCommand(problems, { asTable, inColour: false, write });
  return { exitCode, written };
}

describe('veritee check', () => {
  it.each([
    ['nothing', [], 0],
    ['warnings alone', [WARNING], 0],
    ['an error', [ERROR], 1],
    ['an error behind a warning', [WARNING, ERROR], 1],
  ])('ends, where there is %s, with its exit code', (_title, problems, exitCode) => {
    for (const asTable of [true, false]) expect(run(problems, asTable).exitCode).toBe(exitCode);
  });

  it('writes JSON in the shape of lint', () => {
    expect(JSON.parse(run([ERROR, WARNING], false).written)).toEqual({ problems: [ERROR, WARNING] });
    expect(JSON.parse(run([], false).written)).toEqual({ problems: [] });
  });

  it('writes a list on a terminal, with each remedy and the number of problems', () => {
    expect(run([ERROR, WARNING], true).written).toBe(
      [
        'error    config_file  /listen/tls/cert',
        '         ./tls.crt: there is no such file',
        '         Correct the path.',
        '',
        'warning  expiry_near  /waivers/0',
        '         payments.yaml: a waiver expires soon',
        '         Have it approved again.',
        '',
        '1 error, 1 warning',
        '',
      ].join('\n'),
    );
    expect(run([], true).written).toBe('no problems\n');
  });

  it('writes nothing that a terminal would obey: names of files come from whoever made the folder', () => {
    const { written } = run([{ ...ERROR, message: '\u001b[2J.pem: not a certificate' }], true);
    expect(written).toContain('\\u001b[2J.pem: not a certificate');
  });
});
