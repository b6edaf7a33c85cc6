import { isObject, type JsonValue } from '../json.js';
import type { CheckRows, Finding, Remedy } from './row.js';
import { value } from './words.js';

/** The setting by which tokens are fetched for a route. */
const SUBMIT: ReadonlyMap<JsonValue, string> = new Map([
  ['maa', 'maa.submit'],
  ['ita', 'ita.submit'],
]);

const TOKEN = 'The caller should send the token exactly as its issuer made it';

export const TOKEN_CHECKS = {
  token_alg: {
    holds: 'the token is signed with an algorithm that its issuer uses',
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
    fails: 'the signature of the token does not verify',
    underlies: 'token',
    remedy: `${TOKEN}, because its signature does not verify.`,
  },
  token_time: {
    holds: 'the token is valid at the verification time',
    fails: 'the token is not valid at the verification time',
    underlies: 'token',
    remedy:
      "The caller should send a token that is valid at the verification time, or the operator should correct this service's clock if the token is current.",
  },
  token_lifetime: {
    holds: 'the token is valid for a day at most',
    fails: 'the token is valid for longer than a day',
    underlies: 'token',
    remedy: 'The caller should send a token that is valid for a day at most.',
  },
  token_issuer: {
    holds: 'the issuer of the token is configured, and the policy accepts it',
    fails: 'the issuer of the token is not configured, or the policy does not accept it',
    underlies: 'token',
    // The token verifies, but the policy does not accept its issuer.
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
        : `The operator should add ${value(actual, 'the hash of the policy')} to policyHash of this issuer if that policy is the intended one.`;
    },
  },
  token_audience: {
    holds: 'the token names no audience',
    fails: 'the token is for another audience',
    underlies: 'token',
    remedy:
      'The caller should send a token without an audience (aud), because this service has no name that an audience could be.',
  },
  token_claim_type: {
    holds: 'the token is about a confidential VM, and its claims have their places and types',
    fails: 'the token is not about a confidential VM, or a claim does not have its place and type',
    trust: { token: { hardware: 97 } },
    remedy: 'The caller should send a token about a confidential VM of a type that the policy accepts.',
  },
  token_debug: {
    holds: 'Azure Attestation says that debugging is off',
    fails: 'Azure Attestation says that the host can debug the VM',
    trust: { token: { 'runtime-opaque': 96, configuration: 96 } },
    remedy: "The guest's owner should launch the VM with debugging off.",
  },
  token_debug_unknown: {
    holds: 'the token says literally whether debugging is off',
    fails: 'the token does not say literally that debugging is off',
    trust: { token: { 'runtime-opaque': 96 } },
    remedy: 'The caller should send a token that states literally that debugging is off.',
  },
  token_compliance: {
    holds: 'the compliance status that Azure Attestation states is listed in require.maa.complianceStatus',
    fails: 'the compliance status that Azure Attestation states is not listed in require.maa.complianceStatus',
    trust: { token: { configuration: 96 } },
    remedy: ({ actual }) =>
      `The guest's owner should find out why Azure Attestation states ${value(actual, 'no compliance status')}, or the operator should accept that status in require.maa.complianceStatus.`,
  },
  maa_tcb_status: {
    holds: 'the policy accepts the TCB status that Azure Attestation states',
    fails: 'the TCB status that Azure Attestation states is revoked, or the policy does not accept it',
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
    holds: 'Intel Trust Authority calls the platform up to date',
    fails: 'Intel Trust Authority does not call the platform up to date',
    trust: { token: { hardware: 96 } },
    remedy:
      "The machine's owner should update its firmware and TDX module until Intel Trust Authority calls it UpToDate.",
  },
  ita_policy: {
    holds: 'Intel Trust Authority says that every required policy matches',
    fails: 'Intel Trust Authority does not say that every required policy matches',
    trust: { token: { configuration: 96 } },
    remedy:
      'The caller should ask Intel Trust Authority for a token with the required policies, and find out there why one does not match.',
  },
  ita_debug: {
    holds: 'Intel Trust Authority says that debugging is off',
    fails: 'Intel Trust Authority does not say literally that debugging is off',
    trust: { token: { 'runtime-opaque': 96, configuration: 96 } },
    remedy: "The guest's owner should launch the TD with its debug attribute off.",
  },
  disagreement: {
    holds: 'hardware evidence and tokens agree, and are about the same TEE',
    fails: 'hardware evidence and tokens disagree, or are about different TEEs',
    trust: { token: { hardware: 96 } },
    remedy: ({ expected, actual }) => {
      if (expected === 'hardware') {
        return 'The operator should find out why that verifier refuses the evidence, because its policy or the machine has to change.';
      }
      return expected !== null && actual === null
        ? 'The caller should send a token that states this claim (Azure Attestation states runtime claims that it was sent as JSON).'
        : 'The caller should send evidence and tokens of the same VM, from the same boot.';
    },
  },
  route_missing: {
    holds: 'a token was verified for the required route',
    fails: 'no token was sent for the required route, and none could be fetched',
    remedy: missingRoute,
  },
} satisfies CheckRows;

/** Where a token was sent with the type of another verifier, the remedy names the right type. */
function unlessLookalike(remedy: (finding: Finding) => string): Remedy {
  return (finding) => {
    const type = isObject(finding.actual) ? finding.actual['type'] : undefined;
    return typeof type === 'string' ? `The caller should send the token with the type ${type}.` : remedy(finding);
  };
}

/** The hash of the policy is listed already: the signer is what is missing. */
function policySigner(signer: JsonValue | undefined): string {
  return typeof signer === 'string'
    ? `The operator should add ${value(signer, 'the signer')} to policySigner of this issuer if whoever signed the policy is trusted with it.`
    : 'The operator should have the policy of this issuer signed by a signer that policySigner lists, because the token names none.';
}

function missingRoute({ expected, actual }: Finding): string {
  const send = `The caller should send a token for the route ${value(expected, 'that the policy requires')} in attestationResults`;
  switch (actual) {
    case 'not asked':
      return `${send}, because the service asks for none at a verification time in the past, or about evidence that fails a check.`;
    case 'never fetched':
      return `${send}, because the service fetches none where the evidence itself is a token.`;
    case 'never issued':
      return 'The operator should not require the route ita in a policy for SEV-SNP evidence, because Intel Trust Authority issues no tokens about it.';
    default:
      return `${send}, or the operator should configure the service to fetch one (${SUBMIT.get(expected) ?? 'maa.submit, ita.submit'}).`;
  }
}
