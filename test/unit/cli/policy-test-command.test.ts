import { describe, expect, it } from 'vitest';
import { junitErrorReport, junitReport } from '../../../src/cli/junit-report.js';
import { policyTestCommand } from '../../../src/cli/policy-test-command.js';
import type { CaseResult, SuiteResult } from '../../../src/workbench/policy-tests.js';

const EXPECTED = { outcome: 'allow', unmatched: null, reasons: null } as const;
const ACTUAL = { outcome: 'allow', unmatched: [], reasons: [] } as const;

const PASSED: CaseResult = {
  name: 'as it is',
  passed: true,
  expected: EXPECTED,
  actual: ACTUAL,
  unmet: [],
  against: [],
  problem: null,
};
const DIFFERENT: CaseResult = {
  name: 'other <VMPL> & "more"',
  passed: false,
  expected: { outcome: 'deny', unmatched: ['vmpl', 'rule_not_met'], reasons: null },
  actual: { outcome: 'allow', unmatched: [], reasons: [] },
  unmet: ['outcome', 'unmatched'],
  against: [],
  problem: null,
};
const DENIED: CaseResult = {
  name: 'a request',
  passed: false,
  expected: { outcome: 'allow', unmatched: ['rule_not_met'], reasons: null },
  actual: {
    outcome: 'indeterminate',
    unmatched: ['rule_not_met', 'vmpl'],
    reasons: ['rule_not_met', 'vcek_unavailable'],
  },
  unmet: ['outcome'],
  against: [
    { id: 'rule_not_met', result: 'fail', detail: 'rule vmpl is not met: snp.vmpl == 0, and it is 2' },
    {
      id: 'vcek_unavailable',
      result: 'unavailable',
      detail: 'no certificate chain for the chip was given, and there is none in the folders of the configuration',
    },
  ],
  problem: null,
};
const NOT_JUDGED: CaseResult = {
  ...PASSED,
  name: 'gone',
  passed: false,
  actual: null,
  problem: 'there is no such file',
};

const COVERED = { pointer: '/rules/0', rule: 'vmpl', passingCase: 'as it is', failingCase: 'other' };
const UNCOVERED = { pointer: '/referenceValues/0/snp/measurement', rule: null, passingCase: null, failingCase: null };

function suite(overrides: Partial<SuiteResult> = {}): SuiteResult {
  return {
    policy: { id: 'payments', version: 2, sha256: 'ab'.repeat(32) },
    file: 'payments.yaml',
    testFile: 'payments.test.yaml',
    passed: true,
    cases: [PASSED],
    coverage: [COVERED],
    ...overrides,
  };
}

const FAILED = suite({
  passed: false,
  cases: [PASSED, DIFFERENT, NOT_JUDGED],
  coverage: [COVERED, UNCOVERED, { ...COVERED, pointer: '/rules/1', failingCase: null }],
});

function shown(results: readonly SuiteResult[], asTable: boolean): { readonly code: number; readonly text: string } {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  return { code: policyTestCommand(results, { asTable, inColour: false, write }), text };
}

describe('veritee policy test', () => {
  it('shows cases, with what differs, and a table of coverage', () => {
    const { code, text } = shown([FAILED], true);
    expect(code).toBe(1);
    expect(text.split('\n')).toEqual([
      'payments  payments.test.yaml',
      'pass  as it is',
      'fail  other <VMPL> & "more"',
      '      outcome: expected deny, actual allow',
      '      unmatched: expected rule_not_met, vmpl, actual none',
      'fail  gone',
      '      there is no such file',
      '',
      'policy    member                              passing case     failing case',
      'payments  /rules/0 (vmpl)                     as it is         other',
      'payments  /referenceValues/0/snp/measurement  no passing case  no failing case',
      'payments  /rules/1 (vmpl)                     as it is         no failing case',
      '',
      '1 of 3 cases pass, 1 of 3 members are covered',
      '',
    ]);
  });

  it('shows why a case came to what it did: reasons, what is unmatched and not expected, and each failing check', () => {
    const { text } = shown([suite({ passed: false, cases: [DENIED], coverage: [] })], true);
    expect(text.split('\n')).toEqual([
      'payments  payments.test.yaml',
      'fail  a request',
      '      outcome: expected allow, actual indeterminate',
      '      reasons: rule_not_met, vcek_unavailable',
      '      unmatched: vmpl',
      '      fail rule_not_met: rule vmpl is not met: snp.vmpl == 0, and it is 2',
      '      unavailable vcek_unavailable: no certificate chain for the chip was given,',
      '        and there is none in the folders of the configuration',
      '',
      '0 of 1 cases pass, 0 of 0 members are covered',
      '',
    ]);
  });

  it('says of a case that passes nothing of what failed in it', () => {
    const { text } = shown([suite({ cases: [{ ...DENIED, passed: true, unmet: [] }], coverage: [] })], true);
    expect(text).toContain('pass  a request\n\n');
  });

  it('ends with 0 where all tests pass, also where there is nothing to cover', () => {
    expect(shown([suite()], true).code).toBe(0);
    const untested = suite({ testFile: null, cases: [], coverage: [] });
    expect(shown([suite(), untested], true)).toMatchObject({
      code: 0,
      text: expect.stringContaining('payments  payments.yaml has no test\n\n'),
    });
    expect(shown([suite(), FAILED], true).code).toBe(1);
  });

  it('writes what could move the cursor as escapes', () => {
    const { text } = shown([suite({ cases: [{ ...PASSED, name: 'a\u001b[2Jb' }] })], true);
    expect(text).not.toContain('\u001b');
    expect(text).toContain('pass  a\\u001b[2Jb');
  });

  it('writes the same as JSON', () => {
    const { code, text } = shown([FAILED], false);
    expect(code).toBe(1);
    const { passed, policies } = JSON.parse(text);
    expect(passed).toBe(false);
    expect(policies[0]).toMatchObject({
      id: 'payments',
      version: 2,
      file: 'payments.yaml',
      testFile: 'payments.test.yaml',
      passed: false,
      cases: [
        { name: 'as it is', passed: true, problem: null },
        { passed: false, expected: { outcome: 'deny' }, actual: { outcome: 'allow' } },
        { name: 'gone', actual: null, problem: 'there is no such file' },
      ],
      coverage: [{ ...COVERED, covered: true }, { covered: false }, { covered: false }],
    });
  });
});

describe('the JUnit report', () => {
  it('has a suite for each policy, a test case for each case, and a failing one for each member without', () => {
    expect(junitReport([FAILED, suite()])).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="veritee policy test" tests="6" failures="4" errors="0" skipped="0">
  <testsuite name="payments" file="payments.yaml" tests="5" failures="4" errors="0" skipped="0">
    <testcase name="as it is" classname="payments"/>
    <testcase name="other &lt;VMPL&gt; &amp; &quot;more&quot;" classname="payments">
      <failure message="outcome: expected deny, actual allow; unmatched: expected rule_not_met, vmpl, actual none" type="case">outcome: expected deny, actual allow
unmatched: expected rule_not_met, vmpl, actual none</failure>
    </testcase>
    <testcase name="gone" classname="payments">
      <failure message="there is no such file" type="case">there is no such file</failure>
    </testcase>
    <testcase name="coverage of /referenceValues/0/snp/measurement" classname="payments">
      <failure message="no passing case; no failing case" type="coverage">no passing case
no failing case</failure>
    </testcase>
    <testcase name="coverage of /rules/1 (vmpl)" classname="payments">
      <failure message="no failing case" type="coverage">no failing case</failure>
    </testcase>
  </testsuite>
  <testsuite name="payments" file="payments.yaml" tests="1" failures="0" errors="0" skipped="0">
    <testcase name="as it is" classname="payments"/>
  </testsuite>
</testsuites>
`);
  });

  it('has in the text of a failure why the case came to what it did', () => {
    expect(junitReport([suite({ cases: [DENIED], coverage: [] })])).toContain(
      `      <failure message="outcome: expected allow, actual indeterminate" type="case">outcome: expected allow, actual indeterminate
reasons: rule_not_met, vcek_unavailable
unmatched: vmpl
fail rule_not_met: rule vmpl is not met: snp.vmpl == 0, and it is 2
unavailable vcek_unavailable: no certificate chain for the chip was given, and there is none in the folders of the configuration</failure>`,
    );
  });

  it('has an error where the tests could not be run', () => {
    expect(junitErrorReport(['a.yaml: is not UTF-8', 'b.yaml: <x>'])).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="veritee policy test" tests="1" failures="0" errors="1" skipped="0">
  <testsuite name="veritee policy test" tests="1" failures="0" errors="1" skipped="0">
    <testcase name="policies and tests are read" classname="veritee policy test">
      <error message="a.yaml: is not UTF-8; b.yaml: &lt;x&gt;" type="malformed">a.yaml: is not UTF-8
b.yaml: &lt;x&gt;</error>
    </testcase>
  </testsuite>
</testsuites>
`);
  });

  it('has nothing that XML does not have, and keeps what it does', () => {
    const name = 'a\u0000\u001b\ufffe\ud800b\tc\nd 😀 ]]>';
    const report = junitReport([suite({ cases: [{ ...PASSED, name }] })]);
    expect(report).toContain('name="a\ufffd\ufffd\ufffd\ufffdb&#9;c&#10;d 😀 ]]&gt;"');
  });
});
