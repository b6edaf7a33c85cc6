import { isObject, type JsonValue } from '../json.js';
import type { CheckRows, Finding, Remedy } from './row.js';
import { value } from './words.js';

/** The setting by which tokens of a route are fetched. */
const SUBMIT: ReadonlyMap<JsonValue, string> = new Map([
  ['maa', 'maa.submit'],
  ['ita', 'ita.submit'],
]);

const TOKEN = 'The caller should send the token exactly as its issuer made it';

export const TOKEN_CHECKS = {
  token_alg: {
    holds: 'the token is signed with an algorithm of its issuer',
    fails: 'the token names an algorithm that its issuer does not use',
    underlies: 'token',
    remedy: unlessLookalike(() => `${TOKEN}, signed with an algorithm that the issuer uses.`),
  },
  token_key: {
    holds: 'the issuer publishes the key of the token',
    fails: 'the token names no key that its issuer publishes',
    underlies: 'token',
    remedy: ({ expected }) =>
      isObject(expected) && typeof expected['setting'] === 'string'
        ? `The operator should put the keys that the issuer publishes now into the file that ${expected['setting']} names, and have it read again (SIGHUP).`
        : `${TOKEN}, or get a new one, because the issuer publishes no key that fits this one.`,
  },
  token_signature: {
    holds: 'the issuer signed the token',
    fails: 'the signature of the token does not hold',
    underlies: 'token',
    remedy: `${TOKEN}, because its signature does not hold.`,
  },
  token_time: {
    holds: 'the token is valid at the instant',
    fails: 'the token is not valid at the instant',
    underlies: 'token',
    remedy:
      "The caller should send a token that is valid at the instant judged, or the operator should correct this service's clock if the token is current.",
  },
  token_lifetime: {
    holds: 'the token is valid for a day at most',
    fails: 'the token is valid for longer than a day',
    underlies: 'token',
    remedy: 'The caller should send a token that lives a day at most.',
  },
  token_issuer: {
    holds: 'the token is of an issuer that the configuration has and the policy accepts',
    fails: 'the configuration does not have the issuer of the token, or the policy does not accept it',
    underlies: 'token',
    // Of a token that holds: the policy does not take its issuer's word.
    trust: { token: { 'instance-identity': 97 } },
    remedy: unlessLookalike(({ actual, policy }) =>
      policy === null
        ? 'The operator should add the issuer that the token names in iss to maa.issuers or ita.issuers if it is to be accepted.'
        : `The operator should add ${value(actual, 'the issuer')} to the issuers that the policy requires if it is to be accepted.`,
    ),
  },
  token_issuer_policy: {
    holds: 'the token was issued under a policy that maa.issuers[].policyHash lists for this issuer',
    fails: 'the token was issued under a policy that maa.issuers[].policyHash does not list for this issuer',
    trust: { token: { hardware: 32 } },
    remedy: ({ result, actual }) => {
      if (result === 'warn') {
        return 'The operator should name the hashes of the policy of this issuer in policyHash instead of any.';
      }
      return isObject(actual)
        ? policySigner(actual['policySigner'])
        : `The operator should add ${value(actual, 'the hash of the policy')} to policyHash of this issuer if that policy is the one wanted.`;
    },
  },
  token_audience: {
    holds: 'the token is for no audience in particular',
    fails: 'the token is for another audience',
    underlies: 'token',
    remedy:
      'The caller should send a token without an audience (aud), because this service has no name that one could hold.',
  },
  token_claim_type: {
    holds: 'the token is about a confidential vm, and its claims have their places and types',
    fails: 'the token is about something else, or a claim does not have its place and type',
    trust: { token: { hardware: 97 } },
    remedy: 'The caller should send a token about a confidential VM of a type that the policy accepts.',
  },
  token_debug: {
    holds: 'azure attestation says that debug is off',
    fails: 'azure attestation says that the vm can be debugged by its host',
    trust: { token: { 'runtime-opaque': 96, configuration: 96 } },
    remedy: "The guest's owner should launch it with debugging off.",
  },
  token_debug_unknown: {
    holds: 'the token says literally whether debug is off',
    fails: 'the token does not say literally that debug is off',
    trust: { token: { 'runtime-opaque': 96 } },
    remedy: 'The caller should send a token that states literally that debugging is off.',
  },
  token_compliance: {
    holds: 'the compliance status that azure attestation states is listed in require.maa.complianceStatus',
    fails: 'the compliance status that azure attestation states is not listed in require.maa.complianceStatus',
    trust: { token: { configuration: 96 } },
    remedy: ({ actual }) =>
      `The guest's owner should find out why Azure Attestation calls it ${value(actual, 'nothing')}, or the operator should accept that status in require.maa.complianceStatus.`,
  },
  maa_tcb_status: {
    holds: 'the tcb status that azure attestation states is one that the policy accepts',
    fails: 'the tcb status that azure attestation states is none that the policy accepts, or revoked',
    waiver: 'status',
    remedy: ({ actual, policy }) => {
      if (actual === 'Revoked') {
        return "The machine's owner should update its firmware, because Intel has revoked this TCB and no policy can accept it.";
      }
      return policy === null
        ? 'The caller should get a token that states a TCB status which Intel defines, because no policy can accept any other.'
        : `The machine's owner should update its firmware, or the operator can accept or waive the status ${value(actual, 'shown')} in the policy.`;
    },
  },
  ita_tcb_status: {
    holds: 'trust authority calls the platform up to date',
    fails: 'trust authority does not call the platform up to date',
    trust: { token: { hardware: 96 } },
    remedy:
      "The machine's owner should update its firmware and TDX module until Intel Trust Authority calls it UpToDate.",
  },
  ita_policy: {
    holds: 'trust authority says that every policy that is required matches',
    fails: 'trust authority does not say that every policy that is required matches',
    trust: { token: { configuration: 96 } },
    remedy:
      'The caller should ask Intel Trust Authority for a token with the policies that are required, and look there why one is not matched.',
  },
  ita_debug: {
    holds: 'trust authority says that debug is off',
    fails: 'trust authority does not say literally that debug is off',
    trust: { token: { 'runtime-opaque': 96, configuration: 96 } },
    remedy: "The guest's owner should launch the TD with its debug attribute off.",
  },
  disagreement: {
    holds: 'all routes say the same of one and the same TEE',
    fails: 'routes say different things, or are about different TEEs',
    trust: { token: { hardware: 96 } },
    remedy: ({ expected, actual }) => {
      if (expected === 'hardware') {
        return 'The operator should look up why that verifier refuses the evidence, because its policy or the machine has to change.';
      }
      return expected !== null && actual === null
        ? 'The caller should send a token that states this claim (Azure Attestation states runtime claims that it was sent as JSON).'
        : 'The caller should send evidence and tokens of one and the same VM, from one and the same boot.';
    },
  },
  route_missing: {
    holds: 'a token of the required route was verified',
    fails: 'no token of the required route was sent, and none could be fetched',
    remedy: missingRoute,
  },
} satisfies CheckRows;

/** Where a token was sent with the type of another verifier's, the check shows the right one. */
function unlessLookalike(remedy: (finding: Finding) => string): Remedy {
  return (finding) => {
    const type = isObject(finding.actual) ? finding.actual['type'] : undefined;
    return typeof type === 'string' ? `The caller should send the token with the type ${type}.` : remedy(finding);
  };
}

/** The hash is listed, so it is no remedy to add it. */
function policySigner(signer: JsonValue | undefined): string {
  return typeof signer === 'string'
    ? `The operator should add ${value(signer, 'the signer')} to policySigner of this issuer if whoever signed the policy is trusted with it.`
    : 'The operator should have the policy of this issuer signed by a signer that policySigner lists, because the token names none.';
}

function missingRoute({ expected, actual }: Finding): string {
  const send = `The caller should send a token of ${value(expected, 'the required route')} in attestationResults`;
  switch (actual) {
    case 'not asked':
      return `${send}, because the service asks for none about a past instant, or about evidence that fails a check.`;
    case 'never fetched':
      return `${send}, because the service fetches none where the evidence is a token itself.`;
    case 'never issued':
      return 'The operator should not require the route ita in a policy for SEV-SNP evidence, because Intel Trust Authority issues no token about it.';
    default:
      return `${send}, or the operator should configure the service to fetch one (${SUBMIT.get(expected) ?? 'maa.submit, ita.submit'}).`;
  }
}
