import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/core/check.js';
import type { PolicyResult } from '../../../src/core/decision.js';
import { policyReasons } from '../../../src/judge/policy-reasons.js';

const policy = (id: string, outcome: PolicyResult['outcome']): PolicyResult => ({
  id,
  version: 1,
  sha256: 'ab'.repeat(32),
  outcome,
  matched: [],
  unmatched: [],
});

const failed = (id: Check['id'], ofPolicy: string | null): Check => ({
  id,
  result: 'fail',
  about: '/evidence/report',
  expected: null,
  actual: null,
  detail: 'x',
  policy: ofPolicy,
});

describe('the reason of a policy', () => {
  it('is the first of the reasons that is its own, or of no policy', () => {
    const reasons = ['nonce_missing', 'snp_tcb_low', 'snp_debug'] as const;
    const checks = [failed('nonce_missing', 'a'), failed('snp_tcb_low', 'b'), failed('snp_debug', null)];
    const policies = [policy('a', 'deny'), policy('b', 'deny'), policy('c', 'deny')];
    expect(policyReasons({ policies, reasons, checks })).toEqual([
      { policy: 'a', outcome: 'deny', reason: 'nonce_missing' },
      { policy: 'b', outcome: 'deny', reason: 'snp_tcb_low' },
      { policy: 'c', outcome: 'deny', reason: 'snp_debug' },
    ]);
  });

  it('is none where it allows, whatever another finds', () => {
    const checks = [failed('snp_debug', null)];
    expect(policyReasons({ policies: [policy('a', 'allow')], reasons: ['snp_debug'], checks })).toEqual([
      { policy: 'a', outcome: 'allow', reason: null },
    ]);
  });

  it('is none where all reasons are of others', () => {
    const checks = [failed('snp_tcb_low', 'b')];
    expect(policyReasons({ policies: [policy('a', 'deny')], reasons: ['snp_tcb_low'], checks })).toEqual([
      { policy: 'a', outcome: 'deny', reason: null },
    ]);
  });
});
