import type { CheckRows } from './row.js';
import { value } from './words.js';

export const POLICY_CHECKS = {
  no_policy: {
    holds: 'a policy applies',
    fails: 'no policy applies',
    remedy: 'The caller should name a policy, or the operator should configure one in policies.default.',
  },
  policy_evidence_type: {
    holds: 'the policy accepts this type of evidence',
    fails: 'the policy does not accept this type of evidence',
    remedy: ({ expected }) =>
      `The caller should send evidence of a type that the policy accepts (${value(expected, 'see expected')}), or name another policy.`,
  },
  rule_not_met: {
    holds: 'every rule of the policy is met',
    fails: 'a rule of the policy is not met',
    remedy: ({ expected }) =>
      `The operator should compare the rule ${value(expected, 'of the policy')} with the claims in this answer.`,
  },
  reference_not_applicable: {
    holds: 'a set of reference values applies',
    fails: 'no set of reference values applies',
    remedy: 'The operator should add a set of reference values that applies to this evidence to the policy.',
  },
  claim_missing: {
    holds: 'the claims that the policy asks for are present',
    fails: 'a claim that the policy asks for is missing',
    remedy: 'The caller should send evidence or a token that has the claim which the policy asks for.',
  },
  claim_type: {
    holds: 'the claims that the policy asks for have the types that it compares them with',
    fails: 'a claim that the policy asks for has another type than it is compared with',
    remedy: ({ expected }) =>
      `The operator should compare the claim with a value of its own type in the policy: ${value(expected, 'see the detail')}.`,
  },
} satisfies CheckRows;
