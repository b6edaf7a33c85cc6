import { describe, expect, it } from 'vitest';
import type { SnpPart, SnpTcb } from '../../../../src/core/claims.js';
import type { CheckId } from '../../../../src/core/codes.js';
import type { JsonObject } from '../../../../src/core/json.js';
import { TDX_STATUSES } from '../../../../src/core/tdx-status.js';
import {
  appraised,
  appraisedTd,
  azClaims,
  azTdxClaims,
  check,
  failed,
  hclClaims,
  LEAST_OF_TDS,
  only,
  results,
  type Situation,
  snpClaims,
  TCB,
  tdxClaims,
  tdxTcb,
  tokenClaims,
} from '../fixture.js';

const TERMS = { reason: 'new firmware in march', approver: 'security@example', expires: '2026-06-02' };

function waiving(waiver: JsonObject, members: JsonObject, given: Situation = {}) {
  return appraised({ ...members, waivers: [{ ...TERMS, ...waiver }] }, given);
}

describe('a waiver', () => {
  const SMT: JsonObject = { require: { snp: { platformInfo: { smtEnabled: false } } } };

  it('turns a finding into a warning that names reason, approver and expiry', () => {
    const appraisal = waiving({ check: 'snp_platform_smt_enabled' }, SMT);
    expect(only(appraisal, 'snp_platform_smt_enabled')).toMatchObject({
      result: 'warn',
      waived: true,
      policy: 'least',
      expected: false,
      actual: true,
      detail:
        'smtEnabled is set in the platform info; waived by security@example until 2026-06-02 (less than a day left): new firmware in march',
    });
    expect(appraisal.outcome).toBe('allow');
    expect(appraisal.matched).toContain('snp_platform_smt_enabled');
  });

  it('ends at the start of its day, UTC', () => {
    const at = (instant: string) => waiving({ check: 'snp_platform_smt_enabled' }, SMT, { at: new Date(instant) });
    expect(at('2026-06-01T23:59:59.999Z').outcome).toBe('allow');
    expect(failed(at('2026-06-02T00:00:00.000Z'))).toEqual(['snp_platform_smt_enabled']);
  });

  it('covers the check that it names, and no other', () => {
    const members: JsonObject = { require: { snp: { platformInfo: { smtEnabled: false, eccEnabled: false } } } };
    expect(failed(waiving({ check: 'snp_platform_smt_enabled' }, members))).toEqual(['snp_platform_ecc_enabled']);
  });

  it('leaves a check that passes as it is', () => {
    const appraisal = waiving(
      { check: 'snp_platform_smt_enabled' },
      { require: { snp: { platformInfo: { smtEnabled: true } } } },
    );
    expect(only(appraisal, 'snp_platform_smt_enabled')).not.toHaveProperty('waived');
    expect(only(appraisal, 'snp_platform_smt_enabled').result).toBe('pass');
  });

  it('does not make a skipped check one that ran', () => {
    const given = { claims: {}, findings: [check('snp_signature', 'fail')] };
    expect(results(waiving({ check: 'snp_platform_smt_enabled' }, SMT, given), 'snp_platform_smt_enabled')).toEqual([
      'skipped',
    ]);
  });

  it('does nothing for a policy that does not accept the evidence', () => {
    const appraisal = waiving({ check: 'snp_product_advisory' }, { accepts: ['snp'] });
    expect(only(appraisal, 'snp_product_advisory')).not.toHaveProperty('waived');
  });

  it('covers a missing CRL, by name', () => {
    const given = { findings: [check('crl_unavailable', 'unavailable', { retryable: true })] };
    const appraisal = waiving({ check: 'crl_unavailable' }, {}, given);
    expect(only(appraisal, 'crl_unavailable')).toMatchObject({ result: 'warn', waived: true });
    expect(only(appraisal, 'crl_unavailable')).not.toHaveProperty('retryable');
    expect(appraisal.outcome).toBe('allow');
    expect(waiving({ check: 'crl_unavailable' }, {}, { findings: [check('crl_stale', 'unavailable')] }).outcome).toBe(
      'indeterminate',
    );
  });

  it.each(['/evidence/token', '/attestationResults/0'])('leaves a missing CRL of the issuer of %s', (about) => {
    const given = { findings: [check('crl_unavailable', 'unavailable', { about })] };
    const appraisal = waiving({ check: 'crl_unavailable' }, {}, given);
    expect(only(appraisal, 'crl_unavailable')).toMatchObject({ result: 'unavailable' });
    expect(only(appraisal, 'crl_unavailable')).not.toHaveProperty('waived');
    expect(appraisal.outcome).toBe('indeterminate');
  });

  it('marks what best effort tolerates already', () => {
    const given = { findings: [check('crl_unavailable', 'unavailable')] };
    expect(
      only(waiving({ check: 'crl_unavailable' }, { revocation: 'best-effort' }, given), 'crl_unavailable').waived,
    ).toBe(true);
  });

  it.each<[CheckId, JsonObject, Situation]>([
    ['snp_product_advisory', {}, {}],
    ['snp_tcb_floor_missing', { minimums: { snp: 'any' } }, {}],
    ['nonce_stale', {}, { bound: ['tpm.extraData'] }],
    [
      'hcl_paravisor_unknown',
      { paravisor: 'any' },
      { claims: azClaims({ hcl: hclClaims({ paravisor: { known: false, by: null } }) }) },
    ],
    [
      'snp_platform_unknown',
      {},
      { claims: azClaims({ snp: snpClaims({ platformInfo: { ...snpClaims().platformInfo, unknownBits: [6] } }) }) },
    ],
  ])('marks the warning %s', (id, members, given) => {
    const unwaived = appraised(members, given);
    expect(only(unwaived, id)).toMatchObject({ result: 'warn' });
    expect(only(unwaived, id)).not.toHaveProperty('waived');
    expect(only(waiving({ check: id }, members, given), id)).toMatchObject({
      result: 'warn',
      waived: true,
      policy: 'least',
    });
  });

  it('covers nonce_stale under strict', () => {
    const appraisal = waiving({ check: 'nonce_stale' }, { freshness: 'strict' }, { bound: ['tpm.extraData'] });
    expect([appraisal.outcome, only(appraisal, 'nonce_stale').waived]).toEqual(['allow', true]);
  });
});

describe('a waiver that ended', () => {
  const SMT: JsonObject = { require: { snp: { platformInfo: { smtEnabled: false } } } };
  const at = (day: string): Situation => ({ at: new Date(`${day}T00:00:00Z`) });

  it('DEC-14 is said in the check that it no longer covers', () => {
    const found = only(
      waiving({ check: 'snp_platform_smt_enabled' }, SMT, at('2026-06-02')),
      'snp_platform_smt_enabled',
    );
    expect(found).toMatchObject({
      result: 'fail',
      detail: 'smtEnabled is set in the platform info; the waiver by security@example ended on 2026-06-02',
    });
    expect(found).not.toHaveProperty('waived');
  });

  it('DEC-14 is said in a base check too, as the policy sees it', () => {
    const given = { ...at('2026-06-03'), findings: [check('crl_unavailable', 'unavailable', { retryable: true })] };
    const appraisal = waiving({ check: 'crl_unavailable' }, {}, given);
    expect(only(appraisal, 'crl_unavailable')).toMatchObject({
      result: 'unavailable',
      retryable: true,
      policy: 'least',
      detail: 'as it is; the waiver by security@example ended on 2026-06-02',
    });
    expect(appraisal.outcome).toBe('indeterminate');
  });

  it('DEC-14 is not said where another covers the finding, and the latest is said where none does', () => {
    const waiver = (expires: string, approver: string) => ({
      ...TERMS,
      check: 'snp_platform_smt_enabled',
      expires,
      approver,
    });
    const waivers = [waiver('2026-05-01', 'first'), waiver('2026-05-03', 'third'), waiver('2026-05-02', 'second')];
    const judge = (...more: readonly JsonObject[]) =>
      only(appraised({ ...SMT, waivers: [...waivers, ...more] }), 'snp_platform_smt_enabled');
    expect(judge().detail).toBe('smtEnabled is set in the platform info; the waiver by third ended on 2026-05-03');
    expect(judge(waiver('2027-01-01', 'new'))).toMatchObject({ result: 'warn', waived: true });
    expect(judge(waiver('2027-01-01', 'new')).detail).not.toContain('ended');
  });

  it('DEC-14 is not said of a finding that it never covered', () => {
    const members = { ...LEAST_OF_TDS, minimums: { tdx: { acceptedStatuses: ['UpToDate'] } } };
    const claims = { tdx: tdxClaims({ tcb: tdxTcb({ status: 'OutOfDate' }) }) };
    const waiver = { check: 'tdx_tcb_status', value: 'SWHardeningNeeded' };
    const appraisal = waiving(waiver, members, { type: 'tdx', claims, ...at('2026-06-03') });
    expect(only(appraisal, 'tdx_tcb_status').detail).not.toContain('ended');
  });

  it.each([
    ['2026-06-01', '1 day left'],
    ['2026-05-30', '3 days left'],
    ['2026-05-03', '30 days left'],
  ])('DEC-14 says on %s how long it still holds: %s', (day, left) => {
    const found = only(waiving({ check: 'snp_platform_smt_enabled' }, SMT, at(day)), 'snp_platform_smt_enabled');
    expect(found.detail).toContain(`until 2026-06-02 (${left})`);
  });

  it('DEC-14 twin: says nothing of its end before that', () => {
    const found = only(
      waiving({ check: 'snp_platform_smt_enabled' }, SMT, at('2026-05-02')),
      'snp_platform_smt_enabled',
    );
    expect(found.detail).toMatch(/until 2026-06-02: new firmware in march$/);
  });
});

describe('a waiver of the TCB status of a TD', () => {
  const MEMBERS = { ...LEAST_OF_TDS, minimums: { tdx: { acceptedStatuses: ['UpToDate'] } } };

  function judge(value: string, status: string, given: Situation = {}, members: JsonObject = MEMBERS) {
    const claims = { tdx: tdxClaims({ tcb: tdxTcb({ status }) }) };
    return waiving({ check: 'tdx_tcb_status', value }, members, { type: 'tdx', claims, ...given });
  }

  it.each(TDX_STATUSES.filter((status) => status !== 'UpToDate'))('TDX-12 covers %s where it names it', (status) => {
    const appraisal = judge(status, status);
    expect(only(appraisal, 'tdx_tcb_status')).toMatchObject({
      result: 'warn',
      waived: true,
      policy: 'least',
      actual: status,
    });
    expect(only(appraisal, 'tdx_tcb_status').detail).toContain('waived by security@example until 2026-06-02');
    expect([appraisal.outcome, appraisal.matched.includes('tdx_tcb_status')]).toEqual(['allow', true]);
  });

  it.each(['OutOfDate', 'ConfigurationAndSWHardeningNeeded', 'Revoked', 'swhardeningneeded', 'Fine'])(
    'TDX-12 of another status does not cover %s',
    (status) => {
      expect(failed(judge('SWHardeningNeeded', status))).toEqual(['tdx_tcb_status']);
    },
  );

  it('covers the warning of a policy that sets no minimum, where it names the status', () => {
    const any = { ...MEMBERS, minimums: { tdx: 'any' } };
    const named = only(judge('OutOfDate', 'OutOfDate', {}, any), 'tdx_tcb_status');
    expect(named).toMatchObject({ result: 'warn', waived: true });
    const other = only(judge('SWHardeningNeeded', 'OutOfDate', {}, any), 'tdx_tcb_status');
    expect([other.result, other.waived]).toEqual(['warn', undefined]);
  });

  it('leaves a status that is accepted as it is', () => {
    expect(only(judge('SWHardeningNeeded', 'UpToDate'), 'tdx_tcb_status')).not.toHaveProperty('waived');
  });

  it('ends at the start of its day', () => {
    const at = new Date('2026-06-02T00:00:00Z');
    expect(failed(judge('OutOfDate', 'OutOfDate', { at }))).toEqual(['tdx_tcb_status']);
  });

  it.each(TDX_STATUSES.filter((status) => status !== 'UpToDate'))(
    'TDX-12 never covers what the verifier refused, such as %s where it means nothing',
    (word) => {
      const findings = [check('tdx_tcb_status', 'fail', { actual: word })];
      for (const minimums of [MEMBERS.minimums, { tdx: 'any' }]) {
        const appraisal = judge(word, word, { findings }, { ...MEMBERS, minimums });
        expect([appraisal.outcome, appraisal.base.filter(({ result }) => result === 'fail')]).toEqual([
          'deny',
          findings,
        ]);
      }
    },
  );

  it('does not cover a date that is too early', () => {
    const minimums = { tdx: { acceptedStatuses: ['UpToDate'], earliestTcbDate: '2024-03-14' } };
    expect(failed(judge('OutOfDate', 'OutOfDate', {}, { ...MEMBERS, minimums }))).toEqual(['tdx_tcb_date']);
  });
});

describe('a waiver of a low TCB', () => {
  const MINIMUMS: JsonObject = { minimums: { snp: { Milan: { snp: 24, microcode: 219 }, Genoa: { snp: 23 } } } };

  function judge(floor: JsonObject, reported: Partial<SnpTcb>, launch: Partial<SnpTcb> = {}, part: SnpPart = 'Milan') {
    const tcb = { current: TCB, committed: TCB, reported: { ...TCB, ...reported }, launch: { ...TCB, ...launch } };
    const claims = azClaims({ snp: snpClaims({ tcb, part }) });
    return waiving({ check: 'snp_tcb_low', value: { part: 'Milan', floor } }, MINIMUMS, { claims });
  }

  it('covers components that are short, named, and at its floor or above', () => {
    const appraisal = judge({ snp: 20, microcode: 200 }, { snp: 20, microcode: 218 });
    expect(appraisal.checks.filter(({ id }) => id === 'snp_tcb_low')).toMatchObject([
      { result: 'warn', waived: true },
      { result: 'pass' },
    ]);
    expect(appraisal.outcome).toBe('allow');
  });

  it('does not cover a component below its floor', () => {
    expect(failed(judge({ snp: 20, microcode: 200 }, { snp: 19 }))).toEqual(['snp_tcb_low']);
  });

  it('does not cover a component that it does not name', () => {
    expect(failed(judge({ snp: 20 }, { snp: 20, microcode: 218 }))).toEqual(['snp_tcb_low']);
  });

  it('covers the TCB of the launch under the same floor', () => {
    expect(judge({ snp: 20 }, { snp: 20 }, { snp: 21 }).outcome).toBe('allow');
    expect(judge({ snp: 20 }, { snp: 20 }, { snp: 19 }).outcome).toBe('deny');
  });

  it('does not ask of a component that is not short', () => {
    expect(judge({ snp: 20, bootloader: 200 }, { snp: 20 }).outcome).toBe('allow');
  });

  it('does not cover another part', () => {
    expect(failed(judge({ snp: 20 }, { snp: 22 }, {}, 'Genoa'))).toEqual(['snp_tcb_low']);
  });

  it('covers nothing where the report was not verified', () => {
    const given = { claims: {}, findings: [check('snp_tcb_low', 'fail')] };
    const value = { part: 'Milan', floor: { snp: 0 } };
    expect(failed(waiving({ check: 'snp_tcb_low', value }, MINIMUMS, given))).toEqual(['snp_tcb_low']);
  });

  it('does not cover a component that the TCB does not have', () => {
    const claims = azClaims({ snp: snpClaims({ product: 'Turin', part: 'Turin' }) });
    const value = { part: 'Turin', floor: { fmc: 0 } };
    const members = { minimums: { snp: { Turin: { fmc: 1 } } } };
    expect(failed(waiving({ check: 'snp_tcb_low', value }, members, { claims }))).toEqual([
      'snp_tcb_low',
      'snp_tcb_low',
    ]);
  });

  it('does not cover a part without minimum', () => {
    expect(failed(judge({ snp: 0, microcode: 0 }, {}, {}, 'Milan-X'))).toEqual(['snp_product']);
  });
});

describe.each(['maa', 'ita'] as const)('a waiver of the TCB status that a token for the route %s states', (route) => {
  const id = `${route}_tcb_status` as const;
  const said = (tcbStatus: string): Situation => ({
    claims: azTdxClaims({ [route]: tokenClaims({ tcbStatus }) }),
    results: new Map([[route, { state: 'verified' }]]),
  });
  const waivingTd = (value: string, members: JsonObject, given: Situation) =>
    appraisedTd({ ...members, waivers: [{ ...TERMS, check: id, value }] }, given);

  const DEMANDING = { require: { [route]: { tcbStatus: ['UpToDate'] } }, routes: { [route]: 'optional' } };

  it.each([{}, DEMANDING])('TOK-23 covers the status that it names: %j', (members) => {
    const appraisal = waivingTd('OutOfDate', members, said('OutOfDate'));
    expect(appraisal.outcome).toBe('allow');
    expect(only(appraisal, id)).toMatchObject({ result: 'warn', waived: true });
  });

  it('TOK-23 covers no other status', () => {
    expect(failed(waivingTd('OutOfDate', DEMANDING, said('SWHardeningNeeded')))).toEqual([id]);
    const warned = only(waivingTd('OutOfDate', {}, said('SWHardeningNeeded')), id);
    expect(warned).not.toHaveProperty('waived');
  });

  it('TOK-23 never covers what the verifier refused', () => {
    const findings = [check(id, 'fail', { actual: 'OutOfDate' })];
    expect(failed(waivingTd('OutOfDate', {}, { ...said('Revoked'), findings }))).toEqual([id]);
  });
});
