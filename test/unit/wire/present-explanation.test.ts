import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/core/check.js';
import type { Decision } from '../../../src/core/decision.js';
import { CHECK_FAMILIES, CHECKS } from '../../../src/tee/catalogue.js';
import { presentExplanation } from '../../../src/wire/present-explanation.js';
import { DECISION } from './sample-decision.js';

const check = (id: Check['id'], more: Partial<Check> = {}): Check => ({
  id,
  result: 'pass',
  about: '/evidence',
  expected: null,
  actual: null,
  detail: `${id} of the test`,
  policy: null,
  ...more,
});

const explained = (checks: readonly Check[], more: Partial<Decision> = {}) =>
  presentExplanation({ ...DECISION, decision: 'allow', reasons: [], endorsements: [], policies: [], ...more, checks });

describe('an explanation as an answer has it', () => {
  it('has members only for what they say', () => {
    expect(explained([check('snp_signature')])).toStrictEqual({
      text: 'allow',
      result: 'pass',
      parts: [
        {
          text: 'AMD SEV-SNP',
          result: 'pass',
          parts: [{ text: 'snp_signature', result: 'pass', about: '/evidence', note: 'snp_signature of the test' }],
        },
      ],
    });
  });

  it('says that there is nothing where something was expected', () => {
    const [group] = explained([check('snp_vmpl', { expected: [0] })]).parts ?? [];
    expect(group?.parts?.[0]).toMatchObject({ expected: [0], actual: null });
  });

  it('has compared values of falsehood and zero', () => {
    const [group] = explained([check('snp_vmpl', { actual: 0 }), check('snp_debug', { actual: false })]).parts ?? [];
    expect(group?.parts?.map(({ actual }) => actual)).toEqual([0, false]);
  });

  it('has the parts of a rule, and the value of each that has one', () => {
    const parts = [
      { text: 'a', state: 'value', value: false, note: null, parts: [] },
      { text: 'b', state: 'undefined', value: null, note: 'is absent', parts: [] },
      { text: 'c', state: 'not reached', value: null, note: null, parts: [] },
    ] as const;
    const rule = check('rule_not_met', {
      policy: 'own',
      explain: () => ({ text: 'a && b', state: 'undefined', value: null, note: null, parts }),
    });
    const own = { ...DECISION.policies[0], id: 'own', version: 3, outcome: 'deny' } as Decision['policies'][number];
    const [policy] = explained([rule], { policies: [own] }).parts ?? [];
    expect(policy).toMatchObject({ text: 'policy own version 3', result: 'fail' });
    expect(policy?.parts?.[0]?.parts).toStrictEqual([
      {
        text: 'a && b',
        state: 'undefined',
        parts: [
          { text: 'a', state: 'value', value: false },
          { text: 'b', state: 'undefined', note: 'is absent' },
          { text: 'c', state: 'not reached' },
        ],
      },
    ]);
  });

  it('lists every check, by subject in the order of the codes', () => {
    const ids = Object.keys(CHECKS) as Check['id'][];
    const groups = explained(ids.toReversed().map((id) => check(id))).parts ?? [];
    const families = CHECK_FAMILIES.map(({ rows }) => Object.keys(rows).filter((id) => Object.hasOwn(CHECKS, id)));
    expect(groups.map(({ parts = [] }) => parts.map(({ text }) => text).toReversed())).toEqual(
      families.filter((those) => those.length > 0),
    );
  });

  it('has each policy with its own checks, and none without', () => {
    const policyOf = (id: string) =>
      ({ ...DECISION.policies[0], id, version: 1, outcome: 'allow' }) as Decision['policies'][number];
    const checks = [check('rule_not_met', { policy: 'one' }), check('tpm_pcr', { policy: 'two' })];
    const policies = ['one', 'two', 'three'].map(policyOf);
    expect(
      explained(checks, { policies }).parts?.map(({ text, parts }) => [text, parts?.map((part) => part.text)]),
    ).toEqual([
      ['policy one version 1', ['rule_not_met']],
      ['policy two version 1', ['tpm_pcr']],
    ]);
  });

  it.each([
    [['pass', 'not_configured'], 'pass'],
    [['pass', 'skipped'], 'skipped'],
    [['skipped', 'warn'], 'warn'],
    [['warn', 'unavailable'], 'unavailable'],
    [['unavailable', 'fail'], 'fail'],
  ] as const)('shows of %s that a group has %s', (results, worst) => {
    const [one, other] = results;
    const both = [check('snp_vmpl', { result: one }), check('snp_debug', { result: other })];
    for (const checks of [both, both.toReversed()]) expect(explained(checks).parts?.[0]?.result).toBe(worst);
  });

  it('shows the worst result of a group', () => {
    const checks = [check('snp_signature'), check('snp_vmpl', { result: 'fail' }), check('snp_debug')];
    expect(explained(checks, { decision: 'deny' }).parts?.[0]?.result).toBe('fail');
  });
});
