import { describe, expect, it } from 'vitest';
import type { TdxTcbClaim } from '../../../src/core/claims.js';
import type { JsonObject } from '../../../src/core/json.js';
import { TDX_STATUSES } from '../../../src/core/tdx-status.js';
import { appraise } from '../../../src/policy/appraise/appraise.js';
import {
  appraisedTd,
  azTdxClaims,
  check,
  failed,
  LEAST_OF_TDS,
  only,
  policy,
  results,
  situation,
  tdxClaims,
  tdxTcb,
} from './fixture.js';

const UP_TO_DATE: JsonObject = { minimums: { tdx: { acceptedStatuses: ['UpToDate'] } } };

function accepting(...acceptedStatuses: readonly string[]): JsonObject {
  return { minimums: { tdx: { acceptedStatuses } } };
}

function judge(members: JsonObject, tcb: Partial<TdxTcbClaim>) {
  return appraisedTd(members, { claims: { tdx: tdxClaims({ tcb: tdxTcb(tcb) }) } });
}

describe('the status of a TCB', () => {
  it('TDX-12 passes UpToDate where that is what the policy accepts', () => {
    const appraisal = judge(UP_TO_DATE, {});
    expect(only(appraisal, 'tdx_tcb_status')).toMatchObject({
      result: 'pass',
      about: '/evidence/quote',
      expected: ['UpToDate'],
      actual: 'UpToDate',
      detail: 'the policy accepts the TCB status (platform UpToDate, module UpToDate, QE UpToDate)',
    });
    expect([appraisal.outcome, appraisal.matched.includes('tdx_tcb_status')]).toEqual(['allow', true]);
  });

  it.each([
    ...TDX_STATUSES.filter((status) => status !== 'UpToDate'),
    'Revoked',
    'uptodate',
    'UpToDate ',
    '',
    'Fine',
    'constructor',
  ])('TDX-12 denies %j where only UpToDate is accepted', (status) => {
    const appraisal = judge(UP_TO_DATE, { status });
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tdx_tcb_status']]);
    expect(only(appraisal, 'tdx_tcb_status').actual).toBe(status);
  });

  it.each(TDX_STATUSES)('TDX-12 passes %s where the policy accepts it, and then no other', (accepted) => {
    for (const status of TDX_STATUSES) {
      expect(results(judge(accepting(accepted), { status }), 'tdx_tcb_status')).toEqual([
        status === accepted ? 'pass' : 'fail',
      ]);
    }
  });

  it('TDX-12 denies Revoked and an unknown word under a policy that accepts all there is', () => {
    for (const status of ['Revoked', 'Fine']) {
      expect(failed(judge(accepting(...TDX_STATUSES), { status }))).toEqual(['tdx_tcb_status']);
    }
  });

  it.each(['any', { acceptedStatuses: [...TDX_STATUSES] }])(
    'TDX-12 leaves what the verifier refused denied under %j',
    (tdx) => {
      for (const actual of ['Revoked', 'Fine', 'SWHardeningNeeded']) {
        const findings = [check('tdx_tcb_status', 'fail', { actual })];
        const claims = { tdx: tdxClaims({ tcb: tdxTcb({ status: actual }) }) };
        expect(appraisedTd({ minimums: { tdx } }, { claims, findings }).outcome).toBe('deny');
      }
    },
  );

  it('TDX-13 is that of the three together, and each is named', () => {
    const parts = { platformStatus: 'UpToDate', moduleStatus: 'OutOfDate', qeStatus: 'UpToDate' };
    expect(only(judge(UP_TO_DATE, { ...parts, status: 'OutOfDate' }), 'tdx_tcb_status')).toMatchObject({
      result: 'fail',
      actual: 'OutOfDate',
      detail: 'the policy does not accept the TCB status (platform UpToDate, module OutOfDate, QE UpToDate)',
    });
    expect(only(judge(UP_TO_DATE, { moduleStatus: null }), 'tdx_tcb_status')).toMatchObject({
      result: 'pass',
      detail: 'the policy accepts the TCB status (platform UpToDate, module without levels, QE UpToDate)',
    });
  });

  it('says what is behind, component by component, and Intel’s advisories', () => {
    const tcb = { status: 'OutOfDate', platformStatus: 'OutOfDate', advisories: ['INTEL-SA-00001', 'INTEL-SA-00002'] };
    const tcbShortfalls = [
      { component: 'sgxtcbcomponents[0]', have: 6, need: 7, type: 'Early Microcode Update' },
      { component: 'TDX_01.isvsvn', have: 2, need: 4, type: null },
    ];
    const claims = { tdx: tdxClaims({ tcb: tdxTcb(tcb) }) };
    const lines =
      '; sgxtcbcomponents[0] (Early Microcode Update) has 6, needs 7; TDX_01.isvsvn has 2, needs 4; advisories: INTEL-SA-00001, INTEL-SA-00002';
    for (const members of [UP_TO_DATE, accepting('OutOfDate')]) {
      const { detail } = only(appraisedTd(members, { claims, tcbShortfalls }), 'tdx_tcb_status');
      expect(detail.endsWith(`)${lines}`)).toBe(true);
    }
  });

  it('TDX-12 is a warning where it is not UpToDate and the policy sets no minimum', () => {
    const appraisal = judge({ minimums: { tdx: 'any' } }, { status: 'OutOfDate', date: '2020-01-01T00:00:00Z' });
    expect(only(appraisal, 'tdx_tcb_status')).toMatchObject({
      result: 'warn',
      actual: 'OutOfDate',
      detail:
        'the policy sets no minimum for the TCB; its status is OutOfDate (platform UpToDate, module UpToDate, QE UpToDate)',
    });
    expect(results(appraisal, 'tdx_tcb_date')).toEqual([]);
    expect([appraisal.outcome, appraisal.matched.includes('tdx_tcb_status')]).toEqual(['allow', true]);
    expect(only(judge({ minimums: { tdx: 'any' } }, {}), 'tdx_tcb_status')).toMatchObject({
      result: 'pass',
      actual: 'UpToDate',
      detail:
        'the policy sets no minimum for the TCB; its status is UpToDate (platform UpToDate, module UpToDate, QE UpToDate)',
    });
  });

  it('fails each where a policy has no minimums at all, which the grammar refuses', () => {
    const without = { ...policy(LEAST_OF_TDS), minimums: { snp: null, tdx: null } };
    const appraisal = appraise(without, situation({ type: 'tdx' }));
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tdx_tcb_status']]);
    expect(only(appraisal, 'tdx_tcb_status')).toMatchObject({ expected: [], actual: 'UpToDate' });
  });

  it.each(['any', { acceptedStatuses: [...TDX_STATUSES], earliestTcbDate: '2020-01-01' }])(
    'TDX-11 is not judged where no level is for the platform, under %j',
    (tdx) => {
      const findings = [check('tdx_tcb_level_unsupported', 'fail')];
      const claims = { tdx: tdxClaims({ tcb: tdxTcb({ status: null, platformStatus: null, date: null }) }) };
      const appraisal = appraisedTd({ minimums: { tdx } }, { claims, findings });
      expect(results(appraisal, 'tdx_tcb_status')).toEqual(['skipped']);
      expect(results(appraisal, 'tdx_tcb_date')).toEqual(tdx === 'any' ? [] : ['skipped']);
      expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tdx_tcb_level_unsupported']]);
      // The verifier says that there is none; without its word nothing may be made of it either.
      expect(appraisedTd({ minimums: { tdx } }, { claims }).outcome).toBe('indeterminate');
    },
  );

  it('is judged of a TD behind a paravisor, at the place of its quote', () => {
    const given = (status: string) => ({
      type: 'az-tdx-vtpm' as const,
      claims: azTdxClaims({ tdx: tdxClaims({ tcb: tdxTcb({ status }) }) }),
    });
    const denied = appraisedTd(UP_TO_DATE, given('OutOfDate'));
    expect(failed(denied)).toEqual(['tdx_tcb_status']);
    expect(only(denied, 'tdx_tcb_status').about).toBe('/evidence/tdQuote');
    expect(appraisedTd(UP_TO_DATE, given('UpToDate')).outcome).toBe('allow');
  });

  it('does not look at minimums for SEV-SNP', () => {
    const both = { accepts: ['tdx', 'snp'], minimums: { snp: { Milan: { snp: 24 } }, tdx: 'any' } };
    const appraisal = appraisedTd(both);
    expect(appraisal.outcome).toBe('allow');
    for (const id of ['snp_product', 'snp_tcb_low', 'snp_tcb_floor_missing'] as const) {
      expect(results(appraisal, id)).toEqual([]);
    }
  });
});

describe('the date of a TCB', () => {
  const SINCE: JsonObject = {
    minimums: { tdx: { acceptedStatuses: ['UpToDate'], earliestTcbDate: '2024-03-13' } },
  };

  it.each(['2024-03-13T00:00:00Z', '2024-03-13T00:00:01Z', '2025-01-01T00:00:00Z'])('passes %s', (date) => {
    const appraisal = judge(SINCE, { date });
    expect(only(appraisal, 'tdx_tcb_date')).toMatchObject({
      result: 'pass',
      about: '/evidence/quote',
      expected: '2024-03-13',
      actual: date,
    });
    expect(appraisal.outcome).toBe('allow');
  });

  it('denies a date that is none, however early the policy begins', () => {
    const since = { minimums: { tdx: { acceptedStatuses: ['UpToDate'], earliestTcbDate: '1970-01-01' } } };
    expect(failed(judge(since, { date: null }))).toEqual(['tdx_tcb_date']);
  });

  it.each(['2024-03-12T23:59:59Z', '2018-01-04T00:00:00Z', 'soon', ''])('denies %j', (date) => {
    const appraisal = judge(SINCE, { date });
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tdx_tcb_date']]);
    expect(only(appraisal, 'tdx_tcb_date').actual).toBe(date);
  });

  it('is not asked for where the policy leaves it out', () => {
    const appraisal = judge(UP_TO_DATE, { date: '2018-01-04T00:00:00Z' });
    expect([appraisal.outcome, results(appraisal, 'tdx_tcb_date')]).toEqual(['allow', []]);
  });

  it('and the status are each a finding of their own', () => {
    expect(failed(judge(SINCE, { date: '2018-01-04T00:00:00Z', status: 'OutOfDate' }))).toEqual([
      'tdx_tcb_status',
      'tdx_tcb_date',
    ]);
  });

  it('and the status are skipped where the quote was not verified, and required', () => {
    const appraisal = appraisedTd(SINCE, { claims: {}, findings: [check('tdx_signature', 'fail')] });
    expect(failed(appraisal)).toEqual(['tdx_signature']);
    for (const id of ['tdx_tcb_status', 'tdx_tcb_date'] as const) {
      expect(only(appraisal, id)).toMatchObject({
        result: 'skipped',
        group: 'needs verified tdx claims, and there are none',
      });
    }
    const open = appraisedTd(SINCE, { claims: {}, findings: [check('collateral_unavailable', 'unavailable')] });
    expect(open.outcome).toBe('indeterminate');
  });
});

describe('the evaluation number of collateral', () => {
  const least = (minEvaluationDataNumber: number): JsonObject => ({
    minimums: { tdx: { acceptedStatuses: ['UpToDate'], minEvaluationDataNumber } },
  });

  it.each([
    [19, 19],
    [20, 19],
    [19, 20],
  ])('TDX-28 passes TCB info %i and QE identity %i where 19 is the least', (tcbInfo, qeIdentity) => {
    const appraisal = judge(least(19), { evaluationDataNumber: tcbInfo, qeEvaluationDataNumber: qeIdentity });
    expect(only(appraisal, 'tdx_tcb_date')).toMatchObject({
      result: 'pass',
      about: '/evidence/quote',
      expected: 19,
      actual: { evaluationDataNumber: tcbInfo, qeEvaluationDataNumber: qeIdentity },
    });
    expect(appraisal.outcome).toBe('allow');
  });

  it.each([
    [18, 19],
    [19, 18],
    [18, 18],
  ])('TDX-28 denies TCB info %i and QE identity %i where 19 is the least', (tcbInfo, qeIdentity) => {
    const appraisal = judge(least(19), { evaluationDataNumber: tcbInfo, qeEvaluationDataNumber: qeIdentity });
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['tdx_tcb_date']]);
    expect(only(appraisal, 'tdx_tcb_date').detail).toBe(
      'TCB info or QE identity has a lower evaluation data number than the policy requires',
    );
  });

  it('TDX-28 is a finding beside the date', () => {
    const both = {
      minimums: {
        tdx: { acceptedStatuses: ['UpToDate'], earliestTcbDate: '2024-03-13', minEvaluationDataNumber: 19 },
      },
    };
    expect(results(judge(both, { evaluationDataNumber: 18 }), 'tdx_tcb_date')).toEqual(['pass', 'fail']);
    const now = { evaluationDataNumber: 19, qeEvaluationDataNumber: 19 };
    expect(results(judge(both, { ...now, date: '2018-01-04T00:00:00Z' }), 'tdx_tcb_date')).toEqual(['fail', 'pass']);
    expect(judge(both, now).outcome).toBe('allow');
  });

  it('is not asked for where the policy leaves it out', () => {
    const appraisal = judge(UP_TO_DATE, { evaluationDataNumber: 1, qeEvaluationDataNumber: 1 });
    expect([appraisal.outcome, results(appraisal, 'tdx_tcb_date')]).toEqual(['allow', []]);
  });

  it('is required: without a verified quote nothing is allowed', () => {
    const appraisal = appraisedTd(least(19), { claims: {}, findings: [check('tdx_signature', 'fail')] });
    expect(only(appraisal, 'tdx_tcb_date').result).toBe('skipped');
  });
});

describe('the age of collateral', () => {
  const AT = new Date('2026-06-01T12:00:00Z');
  const ago = (days: number, seconds = 0) => new Date(AT.getTime() - days * 24 * 60 * 60_000 - seconds * 1000);
  const NEW = { tcbInfo: ago(1), qeIdentity: ago(1), pckCrl: ago(1) };
  const within: JsonObject = { minimums: { tdx: { acceptedStatuses: ['UpToDate'], maxCollateralAgeDays: 7 } } };
  const aged = (collateralIssued: Partial<typeof NEW>, members = within) =>
    appraisedTd(members, { at: AT, collateralIssued: { ...NEW, ...collateralIssued } });
  const own = (appraisal: ReturnType<typeof aged>) => only({ checks: appraisal.own }, 'collateral_stale');

  const parts = [
    ['tcbInfo', 'TCB info'],
    ['qeIdentity', 'QE identity'],
    ['pckCrl', 'PCK CRL'],
  ] as const;

  it.each(parts)('TDX-28 passes %s that was issued exactly so long ago', (part) => {
    const appraisal = aged({ [part]: ago(7) });
    expect(own(appraisal)).toMatchObject({ result: 'pass', about: '/evidence/quote', expected: ago(7).toISOString() });
    expect([appraisal.outcome, appraisal.matched.includes('collateral_stale')]).toEqual(['allow', true]);
  });

  it.each(parts)('TDX-28 leaves open %s that was issued a second longer ago', (part, name) => {
    const appraisal = aged({ [part]: ago(7, 1) });
    expect([appraisal.outcome, failed(appraisal)]).toEqual(['indeterminate', []]);
    expect(own(appraisal)).toMatchObject({
      result: 'unavailable',
      retryable: true,
      expected: ago(7).toISOString(),
      // Members of an answer keep their names.
      actual: { [name.toLowerCase()]: ago(7, 1).toISOString() },
      detail: `issued more than 7 days before the verification time: ${name}`,
    });
    expect(appraisal.unmatched).toContain('collateral_stale');
  });

  it('TDX-28 leaves open what does not say when it was issued', () => {
    const without = { ...NEW, pckCrl: null };
    expect(appraisedTd(within, { at: AT, collateralIssued: without }).outcome).toBe('indeterminate');
    expect(appraisedTd(within, { at: AT }).outcome).toBe('indeterminate');
  });

  it('is not asked for where the policy leaves it out, nor of what no minimum is set for', () => {
    for (const members of [UP_TO_DATE, { minimums: { tdx: 'any' } }]) {
      const appraisal = aged({ tcbInfo: ago(29) }, members);
      expect([appraisal.outcome, results({ checks: appraisal.own }, 'collateral_stale')]).toEqual(['allow', []]);
    }
  });

  it('is skipped where the quote was not verified', () => {
    const given = { at: AT, claims: {}, findings: [check('tdx_signature', 'fail')] };
    expect(results(appraisedTd(within, given), 'collateral_stale')).toEqual(['skipped']);
    expect(results(appraisedTd(UP_TO_DATE, given), 'collateral_stale')).toEqual([]);
  });

  it('is judged behind a paravisor, at the place of its quote', () => {
    const given = { type: 'az-tdx-vtpm' as const, at: AT, claims: azTdxClaims() };
    expect(appraisedTd(within, { ...given, collateralIssued: NEW }).outcome).toBe('allow');
    const old = appraisedTd(within, { ...given, collateralIssued: { ...NEW, qeIdentity: ago(8) } });
    expect([old.outcome, own(old).about]).toEqual(['indeterminate', '/evidence/tdQuote']);
  });
});
