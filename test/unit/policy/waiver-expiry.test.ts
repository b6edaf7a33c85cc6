import { describe, expect, it } from 'vitest';
import { endingWaivers } from '../../../src/policy/appraise/waivers.js';
import { policy } from './fixture.js';

const waiver = (expires: string, check = 'snp_product_advisory') => ({
  check,
  reason: 'planned',
  approver: 'ops',
  expires,
});
const POLICY = policy({
  waivers: [waiver('2026-06-10'), waiver('2027-01-01', 'crl_unavailable'), waiver('2026-06-30', 'nonce_stale')],
});
const endingAt = (instant: string) => endingWaivers([POLICY], new Date(instant)).map(({ pointer }) => pointer);

describe('waivers that ended or end soon', () => {
  it('DEC-14 are listed with all that an operator needs', () => {
    expect(endingWaivers([POLICY], new Date('2026-06-15T12:00:00Z'))).toEqual([
      {
        policy: 'least',
        pointer: '/waivers/0',
        check: 'snp_product_advisory',
        approver: 'ops',
        expires: '2026-06-10',
        hasEnded: true,
        daysLeft: 0,
      },
      {
        policy: 'least',
        pointer: '/waivers/2',
        check: 'nonce_stale',
        approver: 'ops',
        expires: '2026-06-30',
        hasEnded: false,
        daysLeft: 14,
      },
    ]);
  });

  it('DEC-14 are those within 30 days, to the millisecond', () => {
    expect(endingAt('2026-05-10T23:59:59.999Z')).toEqual([]);
    expect(endingAt('2026-05-11T00:00:00.000Z')).toEqual(['/waivers/0']);
  });

  it('DEC-14 end at the start of their day', () => {
    const state = (instant: string) => endingWaivers([POLICY], new Date(instant))[0];
    expect(state('2026-06-09T23:59:59.999Z')).toMatchObject({ hasEnded: false, daysLeft: 0 });
    expect(state('2026-06-10T00:00:00.000Z')).toMatchObject({ hasEnded: true, daysLeft: 0 });
  });
});
