import { describe, expect, it } from 'vitest';
import { combinationOf, writtenSet } from '../../../../src/policy/learn/combination.js';
import type { LearnedPolicy } from '../../../../src/policy/learn/learned-policy.js';
import type { Seen } from '../../../../src/policy/learn/learned-values.js';
import { learnedTest } from '../../../../src/policy/learn/test-text.js';
import { azClaims, eventLogClaims, hclClaims, policy, snpClaims, tpmClaims } from '../fixture.js';

const digest = (index: number) => index.toString(16).padStart(64, '0');

/** The cases of the test of a policy that has a set for each of these. */
function casesOf(all: readonly Seen[], rules: number): number {
  const added = all.map((seen) => ({ combination: combinationOf(seen, null), evidence: [{ seen }] }));
  const members = {
    paravisor: 'any',
    referenceValues: added.map(({ combination }) => writtenSet(combination)),
    rules: Array.from({ length: rules }, (_, index) => ({ id: `rule-${index}`, cel: 'snp.vmpl == 0' })),
  };
  const learned = { policy: policy(members), added } as unknown as LearnedPolicy;
  const { text } = learnedTest(learned, 'learned.yaml', new Date('2026-06-01T12:00:00Z'));
  return text?.match(/^ {2}- name: /gm)?.length ?? 0;
}

describe('the test of a learned policy', () => {
  it('has fewer cases where those for each member, with those of rules, are more than 1000', () => {
    // Nine members each: three of the launch, and six PCRs.
    const hcl = hclClaims({ paravisor: { known: false, by: null } });
    const snp = snpClaims({ idKeyDigest: '00'.repeat(48) });
    const all = Array.from({ length: 100 }, (_, index): Seen => {
      const pcrs = { sha256: { ...tpmClaims().pcrs['sha256'], '4': digest(index + 1) } };
      return { type: 'az-snp-vtpm', claims: azClaims({ hcl, snp, tpm: tpmClaims({ pcrs }) }) };
    });
    expect(casesOf(all, 1)).toBe(100 * 2 + 1);
    expect(casesOf(all.slice(0, 2), 1)).toBe(2 * 10 + 1);
  });

  it('has fewer cases where those for each member have more than 1 MiB', () => {
    const withFiles = (count: number) =>
      Array.from({ length: 10 }, (_, index): Seen => {
        const files = Array.from({ length: count }, (__, file) => digest(index * 1000 + file));
        return { type: 'az-snp-vtpm', claims: azClaims({ tpm: tpmClaims({ eventLog: eventLogClaims({ files }) }) }) };
      });
    expect(casesOf(withFiles(120), 0)).toBe(10 * 6);
    expect(casesOf(withFiles(290), 0)).toBe(10 * 2);
  });
});
