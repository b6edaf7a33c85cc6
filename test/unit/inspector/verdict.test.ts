import { describe, expect, it } from 'vitest';
import { reasonsOf, verdictOf, warningsOf } from '../../../src/inspector/verdict.js';

const finding = (id: string, result: string) => ({
  id,
  result,
  detail: 'd',
  expected: null,
  actual: null,
  remedy: null,
  about: '/evidence',
  waived: false,
});
const decided = (change: Partial<Parameters<typeof verdictOf>[0]> = {}) => ({
  decision: 'allow',
  historical: false,
  retryable: false,
  reasons: [],
  policies: [{ id: 'one' }],
  evidence: { type: 'snp' },
  checks: [],
  ...change,
});

describe('the decision in one sentence', () => {
  it.each([
    [{}, 'Allow: policy one accepts SEV-SNP evidence.'],
    [
      { policies: [{ id: 'one' }, { id: 'two' }], evidence: { type: 'az-tdx-vtpm' } },
      'Allow: policy one and two accepts evidence of an Azure confidential VM on TDX.',
    ],
    [{ historical: true }, 'Allow: policy one accepts SEV-SNP evidence at a past instant, which releases nothing.'],
    [{ decision: 'deny', reasons: ['a'] }, 'Deny: policy one refuses SEV-SNP evidence, for one reason.'],
    [{ decision: 'deny', reasons: ['a', 'b'] }, 'Deny: policy one refuses SEV-SNP evidence, for 2 reasons.'],
    [
      { decision: 'indeterminate', reasons: ['a'], retryable: true },
      'Indeterminate: policy one could not be applied to SEV-SNP evidence, for one reason. The same request may be decided later.',
    ],
    [
      { decision: 'deny', reasons: ['a'], historical: true },
      'Deny: policy one refuses SEV-SNP evidence, for one reason at a past instant, which releases nothing.',
    ],
    [
      { decision: 'indeterminate', reasons: ['a', 'b'], historical: true },
      'Indeterminate: policy one could not be applied to SEV-SNP evidence, for 2 reasons at a past instant, which releases nothing.',
    ],
    [
      { decision: 'of tomorrow', reasons: ['a'] },
      'Indeterminate: policy one could not be applied to SEV-SNP evidence, for one reason.',
    ],
    [{ policies: [], evidence: { type: 'of tomorrow' } }, 'Allow: policy (none) accepts this evidence.'],
  ])('of %j is: %s', (change, sentence) => {
    expect(verdictOf(decided(change))).toBe(sentence);
  });

  it.each([
    ['snp', 'SEV-SNP evidence'],
    ['tdx', 'TDX evidence'],
    ['az-snp-vtpm', 'evidence of an Azure confidential VM on SEV-SNP'],
    ['az-tdx-vtpm', 'evidence of an Azure confidential VM on TDX'],
    ['tpm', 'evidence of a vTPM, which shows no confidential VM'],
    ['maa-token', 'a token of Azure Attestation'],
    ['ita-token', 'a token of Intel Trust Authority'],
  ])('calls %s %s', (type, name) => {
    expect(verdictOf(decided({ evidence: { type } }))).toBe(`Allow: policy one accepts ${name}.`);
  });
});

describe('reasons', () => {
  it('are in the order of the answer, each with the check that failed or was not decided', () => {
    const checks = [finding('b', 'unavailable'), finding('a', 'pass'), finding('a', 'fail')];
    expect(reasonsOf({ reasons: ['a', 'b', 'c'], checks })).toEqual([
      { code: 'a', check: checks[2] },
      { code: 'b', check: checks[0] },
      { code: 'c', check: null },
    ]);
  });

  it.each(['pass', 'warn', 'skipped', 'not_configured'])('are not given by a check that came out as %s', (result) => {
    expect(reasonsOf({ reasons: ['a'], checks: [finding('a', result)] })).toEqual([{ code: 'a', check: null }]);
  });

  it('are no warnings, which are said beside', () => {
    const checks = [finding('a', 'warn'), finding('b', 'fail')];
    expect(warningsOf({ checks })).toEqual([checks[0]]);
  });
});
