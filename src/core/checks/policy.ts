import type { CheckRows } from './row.js';

export const POLICY_CHECKS = {
  no_policy: {
    holds: 'a policy applies',
    fails: 'no policy applies',
  },
  policy_evidence_type: {
    holds: 'the policy accepts this type of evidence',
    fails: 'the policy does not accept this type of evidence',
    members: ['accepts', 'routes.hardware'],
  },
  rule_not_met: {
    holds: 'every rule of the policy is met',
    fails: 'a rule of the policy is not met',
    members: ['rules[].id', 'rules[].cel', 'rules[].akv', 'rules[].comparison'],
  },
  reference_not_applicable: {
    holds: 'a set of reference values applies',
    fails: 'no set of reference values applies',
    members: ['referenceValues[].appliesTo'],
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
  },
  claim_type: {
    holds: 'the claims that the policy asks for have the types that it compares them with',
    fails: 'a claim that the policy asks for has another type than it is compared with',
    members: ['rules[].cel'],
  },
} satisfies CheckRows;
