import type { CaseResult, CoveredMember, SuiteResult } from '../workbench/policy-tests.js';
import { isCovered } from '../workbench/policy-tests.js';
import { caseProblems, memberName, missingCases } from './policy-test-command.js';

/**
 * Writes policy tests as JUnit XML: a suite for each policy, a test case for each case, and a failed one for each member
 * without coverage. It has no times, so that equal results give equal reports.
 */
export function junitReport(results: readonly SuiteResult[]): string {
  const suites = results.map(({ policy, file, cases, coverage }) => ({
    name: policy.id,
    file,
    testCases: [...cases.map(ofCase), ...coverage.filter((member) => !isCovered(member)).map(ofMember)],
  }));
  const all = suites.flatMap(({ testCases }) => testCases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'veritee policy test', ...counts(all) })}>`,
    ...suites.flatMap(({ testCases, ...suite }) => [
      `  <testsuite${attributes({ ...suite, ...counts(testCases) })}>`,
      ...testCases.flatMap((each) => testCaseLines(each, suite.name)),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

/** Reports tests that could not run: one test case with an error, so that no reader counts the run as passed. */
export function junitErrorReport(problems: readonly string[]): string {
  const name = 'veritee policy test';
  const found = { tests: '1', failures: '0', errors: '1', skipped: '0' };
  const error = attributes({ message: problems.join('; '), type: 'malformed' });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name, ...found })}>`,
    `  <testsuite${attributes({ name, ...found })}>`,
    `    <testcase${attributes({ name: 'policies and tests are read', classname: name })}>`,
    `      <error${error}>${escaped(problems.join('\n'))}</error>`,
    '    </testcase>',
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

interface TestCase {
  readonly name: string;
  /** Null for a passed case. `type`: the kind of failure. */
  readonly failure: Failure | null;
}

interface Failure {
  readonly type: 'case' | 'coverage';
  /** The failure, then its reasons. */
  readonly lines: readonly string[];
  readonly causes: readonly string[];
}

function ofCase(result: CaseResult): TestCase {
  const { differences, causes } = caseProblems(result);
  return { name: result.name, failure: result.passed ? null : { type: 'case', lines: differences, causes } };
}

function ofMember(member: CoveredMember): TestCase {
  const failure: Failure = { type: 'coverage', lines: missingCases(member), causes: [] };
  return { name: `coverage of ${memberName(member)}`, failure };
}

function counts(testCases: readonly TestCase[]): { readonly [name: string]: string } {
  const failures = testCases.filter(({ failure }) => failure !== null).length;
  return { tests: String(testCases.length), failures: String(failures), errors: '0', skipped: '0' };
}

function testCaseLines({ name, failure }: TestCase, suite: string): readonly string[] {
  const opening = `    <testcase${attributes({ name, classname: suite })}`;
  if (failure === null) return [`${opening}/>`];
  const { type, lines, causes } = failure;
  const message = attributes({ message: lines.join('; '), type });
  const text = escaped([...lines, ...causes].join('\n'));
  return [`${opening}>`, `      <failure${message}>${text}</failure>`, '    </testcase>'];
}

function attributes(values: { readonly [name: string]: string }): string {
  return Object.entries(values)
    .map(
      ([name, value]) => ` ${name}="${escaped(value).replaceAll(/[\t\n\r]/g, (sign) => `&#${sign.charCodeAt(0)};`)}"`,
    )
    .join('');
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
]);

/** Characters forbidden in XML 1.0, even as references: controls, halves of pairs, and two more. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds these characters
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu;

function escaped(text: string): string {
  return text.replaceAll(NOT_IN_XML, '\ufffd').replaceAll(/[&<>"']/g, (sign) => ENTITIES.get(sign) ?? sign);
}
