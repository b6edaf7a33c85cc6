import type { CheckRows } from './row.js';
import { faultsOf, policyOf, value } from './words.js';

const SAMPLE = 'payments';

export const POLICY_CHECKS = {
  no_policy: {
    holds: 'a policy applies',
    fails: 'no policy applies',
    when: 'the request names no policy and policies.default is none, or it names an empty list',
    remedy: 'The caller should name a policy, or the operator should configure one in policies.default.',
  },
  policy_evidence_type: {
    holds: 'the policy accepts this type of evidence',
    fails: 'the policy does not accept this type of evidence',
    when: 'the type is not in accepts; routes.hardware is required and the evidence has no hardware report',
    members: ['accepts', 'routes.hardware'],
    remedy: (finding) =>
      `The caller should send evidence of a type that ${policyOf(finding)} accepts (${value(finding.expected, 'its member accepts')}) instead of ${value(finding.actual, 'this one')}, or name another policy.`,
    examples: [{ expected: 'az-snp-vtpm', actual: 'snp', policy: SAMPLE }],
  },
  rule_not_met: {
    holds: 'every rule of the policy is met',
    fails: 'a rule of the policy is not met',
    when: 'never in this version, which loads no policy with rules',
    members: ['rules'],
    remedy: ({ expected }) =>
      `The operator should compare the rule ${value(expected, 'of the policy')} with the claims in this answer.`,
    examples: [{ expected: 'claims.snp.vmpl == 0', policy: SAMPLE }],
  },
  reference_not_applicable: {
    holds: 'a set of reference values applies',
    fails: 'no set of reference values applies',
    when: 'no set has a section for this evidence, or each names another product in appliesTo',
    members: ['referenceValues[].appliesTo'],
    remedy: (finding) =>
      `The operator should add a set for this evidence to referenceValues of ${policyOf(finding)}, with ${faultsOf(finding, 'a section that the evidence has')}.`,
    examples: [{ faults: ['section snp', 'appliesTo.product Genoa or none'], policy: SAMPLE }],
  },
  claim_missing: {
    holds: 'the claims that the policy asks for are present',
    fails: 'a claim that the policy asks for is missing',
    when: 'the policy demands statements of a token, and none was sent or obtained',
    members: [
      'require.maa.complianceStatus',
      'require.maa.attestationType',
      'require.maa.issuers',
      'require.maa.tcbStatus',
      'require.ita.policyIds',
      'require.ita.issuers',
    ],
    remedy: (finding) =>
      finding.expected === 'maa' || finding.expected === 'ita'
        ? `The caller should send a token of the type ${finding.expected}-token in attestationResults, because require.${finding.expected} of ${policyOf(finding)} demands claims of it.`
        : `The caller should send evidence or a token that has the claims which ${policyOf(finding)} demands.`,
    examples: [{ expected: 'maa', policy: SAMPLE }],
  },
  claim_type: {
    holds: 'the claims that the policy asks for have the types that it compares them with',
    fails: 'a claim that the policy asks for has another type than it is compared with',
    when: 'never in this version, which loads no policy with rules',
    members: ['rules'],
    remedy: ({ expected }) =>
      `The operator should compare the claim with a value of its own type in the policy${value(expected, '') === '' ? '' : `: ${value(expected, '')}`}.`,
    examples: [{ expected: 'number', policy: SAMPLE }],
  },
} satisfies CheckRows;
