import type { POLICY_CHECKS } from '../checks/policy.js';
import type { Finding, RemediesOf } from '../checks/row.js';
import { changedPolicy, faultsOf, inBrackets, policyOf, unlessOutOfReach, value } from './words.js';

export const POLICY_REMEDIES = {
  no_policy: 'The caller should name a policy, or the operator should configure one in policies.default.',
  policy_evidence_type: (finding) =>
    `The caller should send evidence of a type that ${policyOf(finding)} accepts (${value(finding.expected, 'its member accepts')}) instead of ${value(finding.actual, 'this one')}, or name a policy that accepts it.`,
  rule_not_met: unlessOutOfReach(
    (finding) =>
      `The guest's owner should change what rule ${value(finding.expected, 'in question')} of ${policyOf(finding)} is not met by${inBrackets(finding)}, or the operator should correct the rule if it asks for too much.`,
  ),
  reference_not_applicable: (finding) =>
    `The operator should add a set for this evidence to referenceValues of ${changedPolicy(finding)}, with ${faultsOf(finding, 'a section that the evidence has')}.`,
  claim_missing: missingClaims,
  claim_type: mistypedClaim,
} satisfies RemediesOf<typeof POLICY_CHECKS>;

function mistypedClaim(finding: Finding): string {
  const { actual, setting = 'the rule' } = finding;
  const [claim, rule] = [faultsOf(finding, 'the claim'), `${setting} of ${policyOf(finding)}`];
  return actual === 'list' || actual === 'object'
    ? `The operator should leave ${claim} out of ${rule}: it is of type ${actual}, which rules do not compare.`
    : `The operator should compare ${claim} as ${value(actual, 'the type that it has')} in ${rule}, or leave it out if docs/claims.md lists it with another type.`;
}

function missingClaims(finding: Finding): string {
  const { expected, setting, faults } = finding;
  const policy = policyOf(finding);
  if (expected === 'maa' || expected === 'ita') {
    return `The caller should send a token of the type ${expected}-token in attestationResults, because require.${expected} of ${policy} demands claims of it.`;
  }
  if (setting === undefined || faults === undefined) {
    return `The caller should send evidence or a token that has the claims which ${policy} demands.`;
  }
  return `The caller should send evidence or a token that has ${faultsOf(finding, '')}, without which ${setting} of ${policy} cannot be met; if only some types of evidence have it, the operator should choose by evidence.type there.`;
}
