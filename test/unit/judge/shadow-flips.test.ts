import { describe, expect, it } from 'vitest';
import type { ShadowResult } from '../../../src/core/decision.js';
import { shadowFlips } from '../../../src/judge/shadow-flips.js';

const ALLOWING: ShadowResult = {
  id: 'next',
  version: 1,
  sha256: 'ab'.repeat(32),
  outcome: 'allow',
  matched: [],
  unmatched: [],
  reasons: [],
  collateral: 'standard',
  expectedFrom: null,
};
const DENYING: ShadowResult = {
  ...ALLOWING,
  outcome: 'deny',
  unmatched: ['rule_not_met', 'boot'],
  reasons: ['rule_not_met'],
};

const flips = (decision: 'allow' | 'deny', ...shadow: readonly ShadowResult[]) =>
  shadowFlips({ decision, reasons: decision === 'deny' ? ['snp_tcb_low'] : [], shadow });

describe('what a shadow policy would have decided otherwise', () => {
  it('names the rules that a denial rests on, by their own ids', () => {
    expect(flips('allow', DENYING)).toEqual([{ policy: 'next', outcome: 'deny', ids: ['boot'] }]);
  });

  it('names the reasons where the policy has no check of its own that fails', () => {
    const unmatched = { ...DENYING, unmatched: [], reasons: ['crl_stale'] } as const;
    expect(flips('allow', unmatched)).toEqual([{ policy: 'next', outcome: 'deny', ids: ['crl_stale'] }]);
  });

  it('names what the decision rests on where the policy would allow', () => {
    expect(flips('deny', ALLOWING)).toEqual([{ policy: 'next', outcome: 'allow', ids: ['snp_tcb_low'] }]);
  });

  it('is nothing where the outcome is the same, for evidence that it does not accept, or by early collateral', () => {
    expect(flips('allow', ALLOWING)).toEqual([]);
    expect(flips('deny', DENYING)).toEqual([]);
    expect(flips('allow', { ...DENYING, reasons: ['policy_evidence_type'] })).toEqual([]);
    expect(flips('allow', { ...DENYING, collateral: 'early' })).toEqual([]);
  });
});
