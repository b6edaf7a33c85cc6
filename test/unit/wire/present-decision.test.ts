import { describe, expect, it } from 'vitest';
import { presentDecision } from '../../../src/wire/present-decision.js';
import { BARE_DECISION, DECISION, TDX_DECISION } from './sample-decision.js';

const idsOf = (allChecks: boolean) => presentDecision(DECISION, { allChecks }).checks.map(({ id }) => id);

describe('presentDecision', () => {
  it('writes the members in the order of the contract, none left out', () => {
    expect(Object.keys(presentDecision(BARE_DECISION, { allChecks: false }))).toEqual([
      'decision',
      'decisionId',
      'decidedAt',
      'at',
      'validUntil',
      'historical',
      'retryable',
      'evidence',
      'trust',
      'policies',
      'checks',
      'reasons',
      'claims',
      'maaView',
      'crossCheck',
      'endorsements',
      'freshness',
      'binding',
      'shadow',
      'receipt',
    ]);
  });

  it('writes instants in UTC', () => {
    const answer = presentDecision(DECISION, { allChecks: false });
    expect(answer.decidedAt).toBe('2026-01-15T12:00:00.000Z');
    expect(answer.validUntil).toBe('2026-01-15T12:05:00.500Z');
    expect(answer.endorsements[0]?.notAfter).toBe('2030-01-01T00:00:00.000Z');
    expect(answer.endorsements.map(({ fetchedAt }) => fetchedAt)).toEqual([null, '2026-01-14T00:00:00.000Z']);
  });

  it('writes null for what does not exist yet, was not compared, or is not known', () => {
    const answer = presentDecision(BARE_DECISION, { allChecks: false });
    const { maaView, crossCheck, shadow, receipt, binding, claims } = answer;
    expect([maaView, crossCheck, receipt, binding]).toEqual([null, null, null, null]);
    expect(shadow).toEqual([]);
    expect(claims).toEqual({ snp: null, tdx: null, hcl: null, tpm: null, maa: null, ita: null });
  });

  it('writes what would have been decided otherwise beside the decision, with its collateral and from about when', () => {
    const { shadow, decision } = presentDecision({ ...DECISION, decision: 'allow' }, { allChecks: false });
    expect(shadow).toEqual(DECISION.shadow);
    expect([decision, shadow[0]?.outcome]).toEqual(['allow', 'deny']);
  });

  it('writes claims as they are', () => {
    const { claims } = presentDecision(DECISION, { allChecks: false });
    expect(claims).toEqual({ ...DECISION.claims, tdx: null, maa: null, ita: null });
  });

  it('writes claims of a TD as they are', () => {
    const { claims } = presentDecision(TDX_DECISION, { allChecks: false });
    expect(claims).toEqual({ snp: null, ...TDX_DECISION.claims, hcl: null, tpm: null, maa: null, ita: null });
  });

  it('lists one skipped check for each reason, and every check that was not skipped', () => {
    expect(idsOf(false)).toEqual([
      'snp_signature',
      'tpm_signature',
      'tpm_magic',
      'hcl_claims',
      'tpm_pcr',
      'tpm_reset',
      'snp_tcb_low',
      'crl_unavailable',
      'secure_boot',
    ]);
  });

  it('lists every check where all are asked for', () => {
    expect(idsOf(true)).toEqual(DECISION.checks.map(({ id }) => id));
  });

  it('keeps what only derives the decision to itself', () => {
    for (const check of presentDecision(DECISION, { allChecks: true }).checks) {
      expect(Object.keys(check)).toEqual([
        'id',
        'result',
        'about',
        'expected',
        'actual',
        'detail',
        'remedy',
        'waived',
        'policy',
      ]);
    }
  });

  it('says the instant judged, which is not that of the decision where the request names one', () => {
    const at = new Date('2024-02-29T00:00:00Z');
    expect(presentDecision({ ...DECISION, at, historical: true }, { allChecks: false })).toMatchObject({
      at: '2024-02-29T00:00:00.000Z',
      decidedAt: '2026-01-15T12:00:00.000Z',
      historical: true,
    });
  });

  it('says on each line whether it was waived, and what can be done about it', () => {
    const { checks } = presentDecision(DECISION, { allChecks: true });
    const told = checks.map(({ id, waived, remedy }) => [id, waived, remedy === null ? 'nothing' : 'something']);
    expect(told).toEqual(
      DECISION.checks.map(({ id, result, waived = false }) => [
        id,
        waived,
        ['fail', 'warn', 'unavailable'].includes(result) ? 'something' : 'nothing',
      ]),
    );
    expect(told.filter(([, waived]) => waived)).toEqual([['snp_tcb_low', true, 'something']]);
  });

  it('shows lists of more than 8 as their number, wherever they stand', () => {
    const list = (length: number) => Array.from({ length }, (_, index) => index);
    const [check] = DECISION.checks;
    if (check === undefined) throw new Error('no check');
    const compared = { ...check, expected: list(9), actual: { short: list(8), long: [list(10)], text: 'x' } };
    const [shown] = presentDecision({ ...DECISION, checks: [compared] }, { allChecks: true }).checks;
    expect(shown).toMatchObject({ expected: 9, actual: { short: list(8), long: [10], text: 'x' } });
  });

  it('throws for an instant that is none, and so answers nothing', () => {
    const broken = { ...DECISION, validUntil: new Date(Number.NaN) };
    expect(() => presentDecision(broken, { allChecks: false })).toThrow(RangeError);
  });
});
