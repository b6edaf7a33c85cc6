import { describe, expect, it } from 'vitest';
import type { Checks } from '../../../src/core/check.js';
import type { Outcome } from '../../../src/core/decision.js';
import { type PolicyAppraisal, withDemands } from '../../../src/policy/appraise/appraise.js';
import { parsePolicy } from '../../../src/policy/document/policy-document.js';
import { checksAt } from '../../../src/tee/catalogue.js';

const policy = parsePolicy(
  JSON.stringify({ apiVersion: 'veritee/v1', id: 'keys', version: 1, accepts: ['snp'], minimums: 'any' }),
);

function checked(make: (checks: Checks) => void) {
  const checks = checksAt('');
  make(checks);
  return checks.all;
}

function appraised(outcome: Outcome): PolicyAppraisal {
  const own = checked((checks) => checks.pass('policy_evidence_type'));
  const members = { policy, outcome, matched: ['policy_evidence_type'], unmatched: [], base: [], own, checks: own };
  return members as unknown as PolicyAppraisal;
}

const PASS = checked((checks) => checks.pass('release_warning'));
const FAIL = checked((checks) => checks.fail('release_warning'));
const SKIPPED = checked((checks) => checks.skip(['release_warning'], 'a reason'));

const demanded = (outcome: Outcome, checks: readonly (typeof PASS)[number][]) =>
  withDemands(appraised(outcome), { checks, required: ['release_warning'] });

describe('what is demanded beside a policy', () => {
  it.each([
    ['allow', 'holds', PASS, 'allow'],
    ['allow', 'fails', FAIL, 'deny'],
    ['deny', 'holds', PASS, 'deny'],
    ['deny', 'fails', FAIL, 'deny'],
    ['deny', 'was skipped', SKIPPED, 'deny'],
    ['indeterminate', 'holds', PASS, 'indeterminate'],
    ['indeterminate', 'fails', FAIL, 'deny'],
    ['indeterminate', 'was skipped', SKIPPED, 'indeterminate'],
  ] as const)('makes of %s, where it %s, %#', (outcome, _, checks, expected) => {
    const appraisal = demanded(outcome, checks);
    expect(appraisal.outcome).toBe(expected);
    expect(appraisal.checks.map(({ id }) => id)).toEqual(['policy_evidence_type', 'release_warning']);
    // The lists of a policy are its own.
    expect(appraisal.matched).toEqual(['policy_evidence_type']);
  });

  it('takes a check that a demand fails out of what the policy matched', () => {
    const checks = checked((made) => made.fail('policy_evidence_type'));
    expect(demanded('allow', [...PASS, ...checks])).toMatchObject({
      outcome: 'deny',
      matched: [],
      unmatched: ['policy_evidence_type'],
    });
  });

  it.each([
    ['was skipped', SKIPPED, 'skipped although nothing failed: release_warning'],
    ['has no outcome', [], 'without an outcome: release_warning'],
  ])('leaves an allow open where it %s: that is a fault of the service', (_, checks, fault) => {
    const appraisal = demanded('allow', [...checks]);
    expect(appraisal.outcome).toBe('indeterminate');
    expect(appraisal.checks.at(-1)).toMatchObject({ id: 'internal_error', result: 'unavailable', detail: fault });
    expect(appraisal.own).toEqual(appraisal.checks);
  });
});
