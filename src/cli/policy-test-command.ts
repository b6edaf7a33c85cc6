import { type CaseResult, type CoveredMember, isCovered, type SuiteResult } from '../workbench/policy-tests.js';
import { EXIT_CODE, type Output, printable, styledFor } from './output.js';
import { wrappedLines } from './wrapped-lines.js';

/** Longer names of cases are cut in the table of coverage. */
const SHOWN_CHARACTERS = 48;

/** Lines about a case that differs from its expectation. */
export interface CaseProblems {
  /** The differences from the expectation, or the reason why no appraisal happened. */
  readonly differences: readonly string[];
  /** The reasons of the outcome: reasons, unmatched ids, and the checks against it. */
  readonly causes: readonly string[];
}

/** Omits cases that match their expectation. A cause repeats no difference. */
export function caseProblems(result: CaseResult): CaseProblems {
  const { passed, problem, unmet, expected, actual, against } = result;
  if (passed) return { differences: [], causes: [] };
  if (actual === null) return { differences: [problem ?? 'was not judged'], causes: [] };
  const unexpected = (['reasons', 'unmatched'] as const)
    .filter((member) => !unmet.includes(member))
    .map((member) => [member, actual[member].filter((id) => !expected[member]?.includes(id))] as const);
  return {
    differences: unmet.map(
      (member) => `${member}: expected ${expectationText(expected[member])}, actual ${expectationText(actual[member])}`,
    ),
    causes: [
      ...unexpected.flatMap(([member, ids]) => (ids.length === 0 ? [] : [`${member}: ${ids.join(', ')}`])),
      ...against.map(({ id, result: came, detail }) => `${came} ${id}: ${detail}`),
    ],
  };
}

/** The missing cases of a member, in words; empty if it is covered. */
export function missingCases({ passingCase, failingCase }: CoveredMember): readonly string[] {
  return [...(passingCase === null ? ['no passing case'] : []), ...(failingCase === null ? ['no failing case'] : [])];
}

/** The place of a member in its policy, with the id of a rule. */
export function memberName({ pointer, rule }: CoveredMember): string {
  return rule === null ? pointer : `${pointer} (${rule})`;
}

/**
 * Shows the results of tests of policies.
 * @returns the exit code: 0 if every case matches and every member is covered, else 1
 */
export function policyTestCommand(results: readonly SuiteResult[], output: Output): number {
  const passed = results.every((suite) => suite.passed);
  output.write(output.asTable ? testTable(results, output) : `${JSON.stringify(asJson(results, passed), null, 2)}\n`);
  return passed ? EXIT_CODE.allow : EXIT_CODE.usage;
}

function asJson(results: readonly SuiteResult[], passed: boolean): object {
  return {
    passed,
    policies: results.map(({ policy, file, testFile, cases, coverage, ...suite }) => ({
      ...policy,
      file,
      testFile,
      passed: suite.passed,
      cases: cases.map(({ name, passed: isAsExpected, expected, actual, against, problem }) => ({
        name,
        passed: isAsExpected,
        expected,
        actual,
        against,
        problem,
      })),
      coverage: coverage.map((member) => ({ ...member, covered: isCovered(member) })),
    })),
  };
}

function testTable(results: readonly SuiteResult[], output: Pick<Output, 'inColour'>): string {
  const styled = styledFor(output);
  const label = (passed: boolean) => styled(passed ? 'green' : 'red', passed ? 'pass' : 'fail');
  const cases = results.flatMap((suite) => suite.cases);
  const members = results.flatMap((suite) => suite.coverage);
  const tests = results.flatMap(({ policy, file, testFile, cases: ofSuite }) => [
    styled('bold', printable(`${policy.id}  ${testFile ?? `${file} has no test`}`)),
    ...ofSuite.flatMap((each) => [`${label(each.passed)}  ${printable(each.name)}`, ...problemLines(each)]),
    '',
  ]);
  const passing = `${cases.filter((each) => each.passed).length} of ${cases.length} cases pass`;
  const covered = `${members.filter(isCovered).length} of ${members.length} members are covered`;
  return [...tests, ...coverageTable(results, styled), `${passing}, ${covered}`, ''].join('\n');
}

/** Indentation below the name of the case. */
const INSIDE = 6;

function problemLines(result: CaseResult): readonly string[] {
  const { differences, causes } = caseProblems(result);
  return [
    ...differences.map((line) => `${' '.repeat(INSIDE)}${printable(line)}`),
    ...causes.flatMap((line) => wrappedLines(printable(line), INSIDE)),
  ];
}

const HEADINGS = ['policy', 'member', 'passing case', 'failing case'] as const;

function coverageTable(results: readonly SuiteResult[], styled: ReturnType<typeof styledFor>): readonly string[] {
  const rows = results.flatMap(({ policy, coverage }) =>
    coverage.map((member) => ({
      isCovered: isCovered(member),
      cells: [
        policy.id,
        memberName(member),
        member.passingCase ?? 'no passing case',
        member.failingCase ?? 'no failing case',
      ].map((cell) => cut(printable(cell))),
    })),
  );
  if (rows.length === 0) return [];
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    styled('bold', line(HEADINGS)),
    ...rows.map((row) => (row.isCovered ? line(row.cells) : styled('red', line(row.cells)))),
    '',
  ];
}

function cut(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 1)}…` : text;
}

/** Sorts a list: answers have an order, which tests ignore. */
function expectationText(value: string | readonly string[] | null): string {
  if (typeof value === 'string') return value;
  return value === null || value.length === 0 ? 'none' : [...value].sort().join(', ');
}
