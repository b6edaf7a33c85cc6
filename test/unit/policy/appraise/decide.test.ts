import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Check, CheckResult } from '../../../../src/core/check.js';
import type { CheckId } from '../../../../src/core/codes.js';
import type { Outcome } from '../../../../src/core/decision.js';
import type { Verification } from '../../../../src/core/verification.js';
import type { AppraisalInput } from '../../../../src/policy/appraise/appraisal-topic.js';
import type { PolicyAppraisal } from '../../../../src/policy/appraise/appraise.js';
import { appraiseClaims } from '../../../../src/policy/appraise/appraise-claims.js';
import { Asserted } from '../../../../src/policy/appraise/asserted.js';
import { decide } from '../../../../src/policy/appraise/decide.js';
import { outcomeOf } from '../../../../src/policy/appraise/outcome.js';
import { byImportance, CHECK_IDS } from '../../../../src/tee/catalogue.js';
import { appraised, check, policy, situation } from '../fixture.js';

const RESULTS = [
  'pass',
  'fail',
  'warn',
  'skipped',
  'not_configured',
  'unavailable',
] as const satisfies readonly CheckResult[];

const anyId = fc.constantFrom<CheckId>(
  'snp_signature',
  'snp_debug',
  'tpm_signature',
  'nonce_mismatch',
  'crl_unavailable',
);
const anyCheck = fc.tuple(anyId, fc.constantFrom(...RESULTS)).map(([id, result]) => check(id, result));
const anyChecks = fc.array(anyCheck, { maxLength: 8 });
const anyRequired = fc.array(anyId, { maxLength: 4 });

const OF_APPRAISALS = Object.getPrototypeOf(appraised({}));

/** Stands for the appraisal of one policy, with any checks: only `appraise` makes one. */
function finding(checks: readonly Check[], required: readonly CheckId[] = []): PolicyAppraisal {
  return Object.assign(Object.create(OF_APPRAISALS), { ...outcomeOf({ checks, required }), checks });
}

describe('the outcome of one policy', () => {
  it.each<[readonly CheckResult[], Outcome]>([
    [['pass'], 'allow'],
    [['warn'], 'allow'],
    [['pass', 'not_configured'], 'allow'],
    [['pass', 'fail'], 'deny'],
    [['fail', 'unavailable'], 'deny'],
    [['fail', 'skipped'], 'deny'],
    [['pass', 'unavailable'], 'indeterminate'],
    [['unavailable', 'skipped'], 'indeterminate'],
    [['pass', 'skipped'], 'indeterminate'],
  ])('of %j is %s', (given, expected) => {
    const checks = given.map((result, index) => check(index === 0 ? 'snp_signature' : 'snp_debug', result));
    expect(outcomeOf({ checks, required: [] }).outcome).toBe(expected);
  });

  it('DEC-01 of no checks is an allow only where none is required, and no policy requires none', () => {
    expect(outcomeOf({ checks: [], required: ['policy_evidence_type'] })).toEqual({
      outcome: 'indeterminate',
      fault: 'without an outcome: policy_evidence_type',
    });
  });

  it('DEC-01 does not let a verifier answer for what a policy requires, where both have a check of one id', () => {
    const ofVerifier = { checks: [check('snp_chip_id')], required: [] };
    const ofPolicy = { checks: [check('snp_debug')], required: ['snp_chip_id'] as const };
    const missing = { outcome: 'indeterminate', fault: 'without an outcome: snp_chip_id' };
    expect(outcomeOf(ofVerifier, ofPolicy)).toEqual(missing);
    const wanting = { checks: [check('snp_debug')], required: ['snp_chip_id'] as const };
    expect(outcomeOf(wanting, { checks: [check('snp_chip_id')], required: [] })).toEqual(missing);
    expect(outcomeOf(ofVerifier, { ...ofPolicy, checks: [check('snp_chip_id')] }).outcome).toBe('allow');
  });

  it.each<CheckResult>(['skipped', 'not_configured', 'unavailable', 'fail'])(
    'does not take a required check that is %s for one that passed',
    (result) => {
      expect(outcomeOf({ checks: [check('snp_signature', result)], required: ['snp_signature'] }).outcome).not.toBe(
        'allow',
      );
    },
  );

  it('does not rest on what is optional and out of reach, and does not take it for a pass', () => {
    const aside = check('route_unavailable', 'unavailable', { optional: true });
    expect(outcomeOf({ checks: [check('snp_signature'), aside], required: ['snp_signature'] })).toEqual({
      outcome: 'allow',
      fault: null,
    });
    expect(outcomeOf({ checks: [check('snp_signature', 'fail'), aside], required: [] }).outcome).toBe('deny');
    expect(outcomeOf({ checks: [check('snp_signature', 'unavailable'), aside], required: [] }).outcome).toBe(
      'indeterminate',
    );
    expect(outcomeOf({ checks: [check('snp_signature'), aside], required: ['route_unavailable'] })).toEqual({
      outcome: 'indeterminate',
      fault: 'without an outcome: route_unavailable',
    });
  });

  it('does not take one pass of a required check for all of them', () => {
    const checks = [check('snp_signature'), check('snp_signature', 'not_configured')];
    expect(outcomeOf({ checks, required: ['snp_signature'] })).toEqual({
      outcome: 'indeterminate',
      fault: 'without an outcome: snp_signature',
    });
  });

  it('names no fault where something failed or was out of reach', () => {
    expect(outcomeOf({ checks: [check('snp_signature', 'fail')], required: ['tpm_signature'] }).fault).toBeNull();
    expect(
      outcomeOf({ checks: [check('snp_signature', 'unavailable')], required: ['tpm_signature'] }).fault,
    ).toBeNull();
  });

  it('never becomes better by another failed check', () => {
    fc.assert(
      fc.property(anyChecks, anyRequired, anyId, fc.nat(), (checks, required, id, at) => {
        const more = checks.toSpliced(at % (checks.length + 1), 0, check(id, 'fail'));
        expect(outcomeOf({ checks: more, required }).outcome).toBe('deny');
      }),
    );
  });

  it('never becomes an allow by another check, unless that is one that was required', () => {
    fc.assert(
      fc.property(anyChecks, anyRequired, anyCheck, (checks, required, added) => {
        fc.pre(outcomeOf({ checks, required }).outcome !== 'allow' && !required.includes(added.id));
        expect(outcomeOf({ checks: [...checks, added], required }).outcome).not.toBe('allow');
      }),
    );
  });

  it('is an allow only where every required check has passed each time, and nothing was skipped, failed or missing', () => {
    fc.assert(
      fc.property(anyChecks, anyRequired, (checks, required) => {
        const allowed = outcomeOf({ checks, required }).outcome === 'allow';
        const holds = (id: CheckId) => {
          const found = checks.filter((candidate) => candidate.id === id);
          return found.length > 0 && found.every(({ result }) => ['pass', 'warn'].includes(result));
        };
        const clean = checks.every(({ result }) => ['pass', 'warn', 'not_configured'].includes(result));
        expect(allowed).toBe(clean && required.every(holds));
      }),
    );
  });
});

describe('the decision over all policies', () => {
  const allow = finding([check('snp_signature')]);
  const deny = finding([check('snp_debug', 'fail')]);
  const open = finding([check('crl_unavailable', 'unavailable')]);

  it('DEC-01 denies where there is no policy', () => {
    expect(decide([])).toEqual({ decision: 'deny', reasons: ['no_policy'] });
  });

  it.each([
    ['allow', [allow, allow]],
    ['deny', [allow, deny]],
    ['deny', [open, deny, allow]],
    ['indeterminate', [allow, open]],
  ] as const)('is %s', (decision, findings) => {
    expect(decide(findings).decision).toBe(decision);
  });

  it('gives what is out of reach as a reason where one policy requires it, and not where it is optional', () => {
    const aside = finding([check('route_unavailable', 'unavailable', { optional: true })]);
    const needed = finding([check('route_unavailable', 'unavailable', { retryable: true })]);
    expect(decide([aside])).toEqual({ decision: 'allow', reasons: [] });
    expect(decide([aside, needed])).toEqual({ decision: 'indeterminate', reasons: ['route_unavailable'] });
  });

  it('gives no reasons for an allow, warnings included', () => {
    expect(decide([finding([check('snp_product_advisory', 'warn')])])).toEqual({ decision: 'allow', reasons: [] });
  });

  it('lists what failed before what was out of reach, each most important first and once', () => {
    const checks = [
      check('nonce_missing', 'fail'),
      check('vcek_unavailable', 'unavailable'),
      check('snp_tcb_low', 'fail'),
      check('snp_tcb_low', 'fail'),
      check('internal_error', 'unavailable'),
      check('snp_product_advisory', 'warn'),
      check('tpm_signature', 'skipped'),
    ];
    expect(decide([finding(checks), finding([check('snp_debug', 'fail')])]).reasons).toEqual([
      'snp_debug',
      'snp_tcb_low',
      'nonce_missing',
      'internal_error',
      'vcek_unavailable',
    ]);
  });

  it('lists a code that failed here and was out of reach there among what failed', () => {
    const both = [finding([check('crl_unavailable', 'unavailable')]), finding([check('crl_unavailable', 'fail')])];
    expect(decide(both).reasons).toEqual(['crl_unavailable']);
  });

  it('never turns from deny to allow by another failed check under any policy', () => {
    fc.assert(
      fc.property(fc.array(anyChecks, { minLength: 1, maxLength: 4 }), anyId, fc.nat(), (lists, id, at) => {
        const more = lists.with(at % lists.length, [...(lists[at % lists.length] ?? []), check(id, 'fail')]);
        expect(decide(more.map((checks) => finding(checks)))).toMatchObject({ decision: 'deny' });
        expect(decide(more.map((checks) => finding(checks))).reasons).toContain(id);
      }),
    );
  });

  it('allows only where every policy does, and denies where any does', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyChecks, anyRequired), { minLength: 1, maxLength: 4 }), (lists) => {
        const findings = lists.map(([checks, required]) => finding(checks, required));
        const outcomes = findings.map(({ outcome }) => outcome);
        const { decision } = decide(findings);
        expect(decision === 'allow').toBe(outcomes.every((outcome) => outcome === 'allow'));
        expect(decision === 'deny').toBe(outcomes.includes('deny'));
      }),
    );
  });

  it('orders the whole list of codes as the list is', () => {
    const checks = CHECK_IDS.toReversed().map((id) => check(id, 'fail'));
    expect(decide([finding(checks)]).reasons).toEqual([...CHECK_IDS].sort(byImportance));
  });
});

describe('the wall between verified and asserted claims, by its types', () => {
  it('lets no decision rest on claims that somebody states, and on no copy of an appraisal', () => {
    const asserted = Asserted.of({});
    const appraisal = appraised({});
    const allowing = { ...appraisal, outcome: 'allow' } as const;
    const input = situation({});
    const { claims } = asserted;
    const stated = appraiseClaims(policy(), { type: 'snp', asserted, at: new Date() });
    // @ts-expect-error: asserted claims are no verification
    const asVerification: AppraisalInput = { ...input, verification: asserted };
    // @ts-expect-error: asserted claims are not verified
    const asClaims: Verification = { ...input.verification, claims };
    const planted = [
      asVerification,
      asClaims,
      // @ts-expect-error: a result on asserted claims is no appraisal
      () => decide([stated]),
      // @ts-expect-error: a copy is no appraisal
      () => decide([allowing]),
      // @ts-expect-error: nobody else makes one
      () => new Asserted({}),
    ];
    expect([planted.length, decide([appraisal]).decision]).toEqual([5, appraisal.outcome]);
  });

  it.each([
    ['a copy', (appraisal: PolicyAppraisal) => ({ ...appraisal, outcome: 'allow' })],
    ['what looks like one', () => ({ outcome: 'allow', checks: [] })],
    [
      'a result on asserted claims',
      () => appraiseClaims(policy(), { type: 'snp', asserted: Asserted.of({}), at: new Date() }),
    ],
    ['nothing', () => null],
  ])('decides by no appraisal that is %s, where there are no types', (_, made) => {
    const planted = made(appraised({})) as PolicyAppraisal;
    expect(() => decide([appraised({}), planted])).toThrow(new TypeError('decide takes results of appraise alone'));
  });

  it.each([
    ['alone', () => new Array<PolicyAppraisal>(2)],
    ['beside an appraisal', () => Object.assign(new Array<PolicyAppraisal>(2), { 1: appraised({}) })],
  ])('decides by no list with places that were never filled, %s', (_, listed) => {
    expect(() => decide(listed())).toThrow(new TypeError('decide takes results of appraise alone'));
  });
});
