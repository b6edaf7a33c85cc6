import { describe, expect, it } from 'vitest';
import { asAnswer } from '../../../src/inspector/recorded-decision.js';
import type { RecordedDecision } from '../../../src/inspector/service.js';
import { reasonsOf, verdictOf, warningsOf } from '../../../src/inspector/verdict.js';

const RECORDED = {
  decision: 'deny',
  decisionId: '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11',
  evidence: { type: 'snp', sha256: 'ab'.repeat(32) },
  historical: true,
  policies: [{ id: 'payments' }],
  checks: [
    { id: 'snp_debug', result: 'fail', about: '/evidence/report', detail: 'debug is on', waived: false, policy: null },
    { id: 'snp_vmpl', result: 'warn' },
  ],
  reasons: ['snp_debug'],
  claims: {},
  endorsements: [{ kind: 'vcek', sha256: 'cd'.repeat(32), source: 'network' }],
  release: null,
  record: { seq: 1 },
} as unknown as RecordedDecision;

describe('a recorded decision', () => {
  it('has the form of an answer, without what the log does not have', () => {
    const answer = asAnswer(RECORDED);
    expect(answer).toMatchObject({ receipt: null, maaView: null, binding: null, shadow: [], retryable: false });
    expect(answer).not.toHaveProperty('record');
    expect(answer).not.toHaveProperty('release');
    expect(answer.endorsements).toEqual([{ kind: 'vcek', sha256: 'cd'.repeat(32), source: 'network', notAfter: null }]);
    expect(answer.checks.map(({ remedy }) => remedy)).toEqual([null, null]);
    expect(answer.checks[1]).toMatchObject({ about: '', detail: '', expected: null, actual: null, waived: false });
  });

  it('has no remedy, whatever a check of the log says', () => {
    const checks = [
      { id: 'snp_debug', result: 'fail', remedy: 'Allow it.', detail: 'debug is on', policy: 'payments' },
    ];
    const answer = asAnswer({ ...RECORDED, checks } as unknown as RecordedDecision);
    expect(answer.checks).toEqual([
      {
        id: 'snp_debug',
        result: 'fail',
        about: '',
        expected: null,
        actual: null,
        detail: 'debug is on',
        waived: false,
        policy: 'payments',
        remedy: null,
      },
    ]);
  });

  it('keeps what the log has', () => {
    const answer = asAnswer(RECORDED);
    expect(verdictOf(answer)).toBe(
      'Deny: policy payments refuses SEV-SNP evidence, for one reason at a past instant, which releases nothing.',
    );
    expect(reasonsOf(answer)).toMatchObject([{ code: 'snp_debug', check: { detail: 'debug is on' } }]);
    expect(warningsOf(answer).map(({ id }) => id)).toEqual(['snp_vmpl']);
  });

  it('is shown also where an earlier record has no endorsements', () => {
    const { endorsements: _, ...rest } = RECORDED as RecordedDecision & { readonly endorsements: unknown };
    expect(asAnswer(rest as RecordedDecision).endorsements).toEqual([]);
  });
});
