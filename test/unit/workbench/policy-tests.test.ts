import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/core/check.js';
import type { Claims } from '../../../src/core/claims.js';
import type { Decision } from '../../../src/core/decision.js';
import type { JsonObject } from '../../../src/core/json.js';
import { appraiseClaims } from '../../../src/policy/appraise/appraise-claims.js';
import { Asserted } from '../../../src/policy/appraise/asserted.js';
import { type JudgeRequest, type PolicySuite, runSuite, type SuiteCase } from '../../../src/workbench/policy-tests.js';
import { azClaims, policy, snpClaims } from '../policy/fixture.js';

const CLOCK = { now: () => new Date('2026-06-01T12:00:00Z'), monotonicMs: () => 0 };
const TESTED = policy({ rules: [{ id: 'privileged', cel: 'snp.vmpl == 0' }] });
const OTHER = azClaims({ snp: snpClaims({ vmpl: 2 }) });

function claimsCase(name: string, claims: Claims, expect: Partial<SuiteCase['expect']>): SuiteCase {
  return {
    name,
    input: { kind: 'claims', type: 'az-snp-vtpm', claims },
    at: null,
    expect: { outcome: 'allow', unmatched: null, reasons: null, ...expect },
  };
}

const PASSING = claimsCase('passing', azClaims(), { unmatched: [], reasons: [] });
const FAILING = claimsCase('failing', OTHER, {
  outcome: 'deny',
  unmatched: ['privileged', 'rule_not_met'],
  reasons: ['rule_not_met'],
});
const REQUEST: SuiteCase = { ...FAILING, name: 'request', input: { kind: 'request', file: 'r.json' } };

const unasked: JudgeRequest = () => {
  throw new Error('there is no request');
};

function run(cases: readonly SuiteCase[], judge: JudgeRequest = unasked, tested: JsonObject | null = null) {
  const suite: PolicySuite = {
    policy: tested === null ? TESTED : policy(tested),
    file: 'p.yaml',
    testFile: 'p.test.yaml',
    cases,
  };
  return runSuite(suite, judge, CLOCK);
}

/** A decision on claims, of which only what tests look at is there. */
function decisionOn(claims: Claims): Decision {
  const { outcome, reasons, unmatched, checks } = appraiseClaims(TESTED, {
    type: 'az-snp-vtpm',
    asserted: Asserted.of(claims),
    at: CLOCK.now(),
  });
  const policies = [{ id: 'least', version: 1, sha256: '', outcome, matched: [], unmatched }];
  return { decision: outcome, reasons, policies, evidence: { type: 'az-snp-vtpm' }, claims, checks } as never;
}

describe('the test of a policy', () => {
  it('has of each case what failed and what was out of reach, each once, and nothing that the outcome does not rest on', async () => {
    const check = (rest: Partial<Check>) =>
      ({ about: '', policy: null, expected: null, actual: null, ...rest }) as Check;
    const missing = { id: 'vcek_unavailable', result: 'unavailable', detail: 'there is no VCEK' } as const;
    const failed = { id: 'snp_vmpl', result: 'fail', detail: 'the VMPL is 2' } as const;
    const others = [
      check({ ...missing, detail: 'there is no list', optional: true }),
      check({ ...failed, result: 'warn' }),
      check({ ...failed, result: 'skipped' }),
    ];
    const checks = [check(missing), check({ ...missing, about: '/evidence' }), check(failed), ...others];
    const { cases } = await run([REQUEST, PASSING], async () => ({ ...decisionOn(OTHER), checks }));
    expect(cases.map(({ against }) => against)).toEqual([[failed, missing], []]);
  });

  it('passes where each case is as expected, and each member has a passing and a failing case', async () => {
    expect(await run([PASSING, FAILING])).toMatchObject({
      policy: { id: 'least', version: 1, sha256: TESTED.sha256 },
      passed: true,
      cases: [
        { name: 'passing', passed: true, actual: { outcome: 'allow', unmatched: [], reasons: [] }, unmet: [] },
        { name: 'failing', passed: true, actual: { outcome: 'deny' }, unmet: [] },
      ],
      coverage: [{ pointer: '/rules/0', rule: 'privileged', passingCase: 'passing', failingCase: 'failing' }],
    });
  });

  it('fails where a member has no failing case, or there are no cases', async () => {
    expect((await run([PASSING])).passed).toBe(false);
    expect((await run([FAILING])).passed).toBe(false);
    expect((await run([])).passed).toBe(false);
  });

  it('passes without cases where nothing has to be covered', async () => {
    expect(await run([], unasked, {})).toMatchObject({ passed: true, cases: [], coverage: [] });
  });

  it.each<[string, Partial<SuiteCase['expect']>, readonly string[]]>([
    ['the outcome', { outcome: 'allow' }, ['outcome']],
    ['an unmatched id that is not expected', { unmatched: ['rule_not_met'] }, ['unmatched']],
    ['an expected id that is not unmatched', { unmatched: ['privileged', 'rule_not_met', 'x'] }, ['unmatched']],
    ['another reason', { reasons: ['snp_vmpl'] }, ['reasons']],
    ['a reason that is not expected', { reasons: [] }, ['reasons']],
    ['all of them', { outcome: 'indeterminate', unmatched: [], reasons: [] }, ['outcome', 'unmatched', 'reasons']],
  ])('fails where a case differs in %s', async (_title, expectation, unmet) => {
    const wrong = { ...FAILING, expect: { ...FAILING.expect, ...expectation } };
    const { passed, cases } = await run([PASSING, wrong]);
    expect([passed, cases[1]?.passed, cases[1]?.unmet]).toEqual([false, false, unmet]);
  });

  it('does not compare what a case does not expect', async () => {
    const { cases } = await run([PASSING, { ...FAILING, expect: { outcome: 'deny', unmatched: null, reasons: null } }]);
    expect(cases.every(({ passed }) => passed)).toBe(true);
  });

  it('judges requests as a whole, at the time of the case', async () => {
    const asked: unknown[] = [];
    const at = '2026-01-01T00:00:00.000Z';
    const judge: JudgeRequest = async (request, { testFile }) => {
      asked.push([request.file, request.at, testFile]);
      return decisionOn(OTHER);
    };
    const result = await run([PASSING, { ...REQUEST, at }], judge);
    expect(asked).toEqual([['r.json', at, 'p.test.yaml']]);
    expect(result.passed).toBe(true);
    expect(result.coverage).toMatchObject([{ failingCase: 'request' }]);
  });

  it('fails a request that cannot be judged, and goes on', async () => {
    const { passed, cases, coverage } = await run([REQUEST, PASSING, FAILING], async () => ({ problem: 'no file' }));
    expect(passed).toBe(false);
    expect(cases.map((each) => [each.passed, each.problem])).toEqual([
      [false, 'no file'],
      [true, null],
      [true, null],
    ]);
    expect(coverage).toMatchObject([{ failingCase: 'failing' }]);
  });
});
