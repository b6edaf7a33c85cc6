import type { CheckRows, Finding } from './row.js';
import { changedPolicy, faultsOf, inBrackets, policyOf, unlessOutOfReach, value } from './words.js';

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
    when: 'the type is not in accepts; routes.hardware is required and the evidence has no hardware report; a key is wanted, the evidence is bare and has HCLAkPub in its runtime data, and the policy of the key pins neither machine nor vmUniqueId',
    members: ['accepts', 'routes.hardware'],
    remedy: (finding) =>
      `The caller should send evidence of a type that ${policyOf(finding)} accepts (${value(finding.expected, 'its member accepts')}) instead of ${value(finding.actual, 'this one')}, or name a policy that accepts it.`,
    examples: [{ expected: 'az-snp-vtpm', actual: 'snp', policy: SAMPLE }],
  },
  rule_not_met: {
    holds: 'every rule of the policy is met',
    fails: 'a rule of the policy is not met',
    when: 'a rule is false; or it has no value, because a claim that it needs is absent (claim_missing) or of another type (claim_type)',
    members: ['rules[].id', 'rules[].cel', 'rules[].akv', 'rules[].comparison'],
    remedy: unlessOutOfReach(
      (finding) =>
        `The guest's owner should change what rule ${value(finding.expected, 'in question')} of ${policyOf(finding)} is not met by${inBrackets(finding)}, or the operator should correct the rule if it asks for too much.`,
    ),
    examples: [{ expected: 'boot', faults: ['snp.guestSvn >= 5 is false, because snp.guestSvn is 4'], policy: SAMPLE }],
  },
  reference_not_applicable: {
    holds: 'a set of reference values applies',
    fails: 'no set of reference values applies',
    when: 'no set has a section for this evidence, or each names another product in appliesTo',
    members: ['referenceValues[].appliesTo'],
    remedy: (finding) =>
      `The operator should add a set for this evidence to referenceValues of ${changedPolicy(finding)}, with ${faultsOf(finding, 'a section that the evidence has')}.`,
    examples: [{ faults: ['section snp', 'appliesTo.product Genoa or none'], policy: SAMPLE }],
  },
  claim_missing: {
    holds: 'the claims that the policy asks for are present',
    fails: 'a claim that the policy asks for is missing',
    when: 'the policy demands statements of a token, and none was sent or obtained; a rule needs a claim that the evidence does not have',
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
    examples: [
      { expected: 'maa', policy: SAMPLE },
      { expected: ['tpm.eventLog.db'], setting: 'rule boot', faults: ['tpm.eventLog.db'], policy: SAMPLE },
    ],
  },
  claim_type: {
    holds: 'the claims that the policy asks for have the types that it compares them with',
    fails: 'a claim that the policy asks for has another type than it is compared with',
    when: 'a rule compares a claim of a token or of the VM configuration as another type than the issuer wrote',
    members: ['rules[].cel'],
    remedy: mistypedClaim,
    examples: [
      { actual: 'string', setting: 'rule level', faults: ['maa.claims["level"]'], policy: SAMPLE },
      { actual: 'list', setting: 'rule level', faults: ['maa.claims["level"]'], policy: SAMPLE },
    ],
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
