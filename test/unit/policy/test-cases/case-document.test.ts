import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { PolicyError } from '../../../../src/policy/document/policy-problem.js';
import { MAX_TEST_BYTES, parsePolicyTest } from '../../../../src/policy/test-cases/case-document.js';

const CASE = { name: 'one', type: 'snp', claims: { snp: { vmpl: 0 } }, expect: { outcome: 'allow' } };

function problemsOf(text: string, format: 'yaml' | 'json' = 'yaml'): readonly string[] {
  try {
    parsePolicyTest(text, { format });
  } catch (error) {
    if (!(error instanceof PolicyError) || error.policyProblems.length === 0) throw error;
    return error.policyProblems.map(({ pointer, message }) => `${pointer || 'document'}: ${message}`);
  }
  return [];
}

function problemsWith(members: JsonObject): readonly string[] {
  const whole = Object.entries({ ...CASE, ...members }).filter(([, value]) => value !== undefined);
  return problemsOf(JSON.stringify({ policy: 'p.yaml', cases: [Object.fromEntries(whole)] }));
}

/** A case without some of its members. */
function without(...names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, undefined])) as unknown as JsonObject;
}

describe('the test of a policy', () => {
  it('is read from YAML', () => {
    const read = parsePolicyTest(`
policy: payments.yaml
cases:
  - name: genuine
    request: requests/genuine.json
    at: 2026-06-01T12:00:00Z
    expect: { outcome: indeterminate }
  - name: other TCB
    type: az-snp-vtpm
    claims: claims.json
    at: 2026-06-01
    set: { snp.tcb.reported.snp: 1, 'maa.claims["x-ms-ver"]': null }
    expect: { outcome: deny, unmatched: [rule_not_met, tcb], reasons: [] }
`);
    expect(read).toEqual({
      policy: 'payments.yaml',
      cases: [
        {
          name: 'genuine',
          input: { kind: 'request', file: 'requests/genuine.json' },
          at: '2026-06-01T12:00:00.000Z',
          expect: { outcome: 'indeterminate', unmatched: null, reasons: null },
        },
        {
          name: 'other TCB',
          input: {
            kind: 'claims',
            type: 'az-snp-vtpm',
            claims: 'claims.json',
            changes: [
              { text: 'snp.tcb.reported.snp', path: ['snp', 'tcb', 'reported', 'snp'], value: 1 },
              { text: 'maa.claims["x-ms-ver"]', path: ['maa', 'claims', 'x-ms-ver'], value: null },
            ],
          },
          at: '2026-06-01T00:00:00.000Z',
          expect: { outcome: 'deny', unmatched: ['rule_not_met', 'tcb'], reasons: [] },
        },
      ],
    });
    expect(Object.isFrozen(read.cases[0])).toBe(true);
  });

  it('twin: the case that others here are made of has no problems', () => {
    expect(problemsWith({})).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    ['an unknown member', { from: 'one' }, '/cases/0/from: unknown key; '],
    ['no expectation', without('expect'), '/cases/0/expect: is missing'],
    ['an expectation without an outcome', { expect: {} }, '/cases/0/expect/outcome: is missing'],
    ['another outcome', { expect: { outcome: 'pass' } }, '/cases/0/expect/outcome: must be one of allow, deny, indete'],
    [
      'an expectation of an id twice',
      { expect: { outcome: 'deny', reasons: ['a', 'a'] } },
      '/cases/0/expect/reasons: repeats an item',
    ],
    ['neither request nor claims', without('claims', 'type'), '/cases/0: must have either request or claims'],
    ['both', { request: 'a.json' }, '/cases/0: must have either request or claims, not both'],
    ['claims without a type', without('type'), '/cases/0/type: is missing: claims do not say'],
    ['a type that there is not', { type: 'sev' }, '/cases/0/type: must be one of '],
    ['claims that are a list', { claims: [] }, '/cases/0/claims: must be an object with claims, or the name of a file'],
    ['claims that are null', { claims: null }, '/cases/0/claims: must be an object with claims, or the name of a file'],
    ['an empty set', { set: {} }, '/cases/0/set: must be an object: paths of claims with their values'],
    ['a path that is none', { set: { 'snp..vmpl': 1 } }, '/cases/0/set/snp..vmpl: is no path of a claim'],
    ['a time that is none', { at: 'yesterday' }, '/cases/0/at: must be a date such as'],
    ['a name of two lines', { name: 'a\nb' }, '/cases/0/name: must be a name, not empty'],
  ])('is refused with %s', (_title, members, problem) => {
    const problems = problemsWith(members);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(problem), problems[0]).toBe(true);
  });

  it('is refused with a type or changes beside a request', () => {
    expect(problemsWith({ ...without('claims'), request: 'a.json', set: { 'snp.vmpl': 1 } })).toEqual([
      '/cases/0/type: goes with claims alone: a request says its type itself',
      '/cases/0/set: goes with claims alone: evidence cannot be changed',
    ]);
  });

  it('is refused without cases, with two of one name, and with more than can be meant', () => {
    expect(problemsOf('policy: a\ncases: []')).toEqual(['/cases: must not be empty']);
    expect(problemsOf(JSON.stringify({ policy: 'a', cases: [CASE, CASE] }))).toEqual([
      '/cases/1/name: repeats the name of another case',
    ]);
    const many = Array.from({ length: 1001 }, (_, index) => ({ ...CASE, name: String(index) }));
    expect(problemsOf(JSON.stringify({ policy: 'a', cases: many }))).toEqual(['/cases: has more than 1000 cases']);
    expect(problemsOf(JSON.stringify({ policy: 'a', cases: many.slice(1) }))).toEqual([]);
  });

  it('is strict YAML of bounded size, or JSON', () => {
    expect(problemsOf('policy: &a x\ncases: []')).toEqual(['/policy: anchors are not allowed']);
    expect(problemsOf('policy: a\npolicy: b')).toEqual(['/policy: this key appears twice']);
    expect(problemsOf('policy: a', 'json')).toEqual(['document: is not JSON from column 1 on: a value is expected']);
    expect(problemsOf(`policy: ${'a'.repeat(MAX_TEST_BYTES)}`)).toEqual([
      `document: larger than ${MAX_TEST_BYTES} bytes`,
    ]);
  });
});
