import type { CheckRows, Finding } from './row.js';
import { changedPolicy, faultsOf, inBrackets, policyOf, unlessOutOfReach, value } from './words.js';

export const POLICY_CHECKS = {
  no_policy: {
    holds: 'a policy applies',
    fails: 'no policy applies',
    remedy: 'The caller should name a policy, or the operator should configure one in policies.default.',
  },
  policy_evidence_type: {
    holds: 'the policy accepts this type of evidence',
    fails: 'the policy does not accept this type of evidence',
    members: ['accepts', 'routes.hardware'],
    remedy: (finding) =>
      `The caller should send evidence of a type that ${policyOf(finding)} accepts (${value(finding.expected, 'its member accepts')}) instead of ${value(finding.actual, 'this one')}, or name a policy that accepts it.`,
  },
  rule_not_met: {
    holds: 'every rule of the policy is met',
    fails: 'a rule of the policy is not met',
    members: ['rules[].id', 'rules[].cel', 'rules[].akv', 'rules[].comparison'],
    remedy: unlessOutOfReach(
      (finding) =>
        `The guest's owner should change what rule ${value(finding.expected, 'in question')} of ${policyOf(finding)} is not met by${inBrackets(finding)}, or the operator should correct the rule if it asks for too much.`,
    ),
  },
  reference_not_applicable: {
    holds: 'a set of reference values applies',
    fails: 'no set of reference values applies',
    members: ['referenceValues[].appliesTo'],
    remedy: (finding) =>
      `The operator should add a set for this evidence to referenceValues of ${changedPolicy(finding)}, with ${faultsOf(finding, 'a section that the evidence has')}.`,
  },
  claim_missing: {
    holds: 'the claims that the policy asks for are present',
    fails: 'a claim that the policy asks for is missing',
    members: [
      'require.maa.complianceStatus',
      'require.maa.attestationType',
      'require.maa.issuers',
      'require.maa.tcbStatus',
      'require.ita.policyIds',
      'require.ita.issuers',
      'require.ita.tcbStatus',
      'rules[].cel',
      'rules[].akv',
    ],
    remedy: missingClaims,
  },
  claim_type: {
    holds: 'the claims that the policy asks for have the types that it compares them with',
    fails: 'a claim that the policy asks for has another type than it is compared with',
    members: ['rules[].cel'],
    remedy: mistypedClaim,
  },
} satisfies CheckRows;

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
