import type { Check } from '../../model/check.js';
import { isObject, type JsonValue } from '../../model/json.js';
import { type Remedies, type Remedy, value } from './words.js';

/** The setting by which tokens of a route are fetched. */
const SUBMIT: ReadonlyMap<JsonValue, string> = new Map([
  ['maa', 'maa.submit'],
  ['ita', 'ita.submit'],
]);

/** Where a token was sent with the type of another verifier's, the check shows the right one. */
function unlessLookalike(remedy: (check: Check) => string): Remedy {
  return (check) => {
    const type = isObject(check.actual) ? check.actual['type'] : undefined;
    return typeof type === 'string' ? `The caller should send the token with the type ${type}.` : remedy(check);
  };
}

const TOKEN = 'The caller should send the token exactly as its issuer made it';

export const TOKEN_REMEDIES = {
  token_alg: unlessLookalike(() => `${TOKEN}, signed with an algorithm that the issuer uses.`),
  token_key: ({ expected }) =>
    isObject(expected) && typeof expected['setting'] === 'string'
      ? `The operator should put the keys that the issuer publishes now into the file that ${expected['setting']} names, and have it read again (SIGHUP).`
      : `${TOKEN}, or get a new one, because the issuer publishes no key that fits this one.`,
  token_signature: `${TOKEN}, because its signature does not hold.`,
  token_time:
    "The caller should send a token that is valid at the instant judged, or the operator should correct this service's clock if the token is current.",
  token_lifetime: 'The caller should send a token that lives a day at most.',
  token_issuer: unlessLookalike(({ actual, policy }) =>
    policy === null
      ? 'The operator should add the issuer that the token names in iss to maa.issuers or ita.issuers if it is to be accepted.'
      : `The operator should add ${value(actual, 'the issuer')} to the issuers that the policy requires if it is to be accepted.`,
  ),
  token_issuer_policy: ({ result, actual }) => {
    if (result === 'warn') {
      return 'The operator should name the hashes of the policy of this issuer in policyHash instead of any.';
    }
    return isObject(actual)
      ? policySigner(actual['policySigner'])
      : `The operator should add ${value(actual, 'the hash of the policy')} to policyHash of this issuer if that policy is the one wanted.`;
  },
  token_audience:
    'The caller should send a token without an audience (aud), because this service has no name that one could hold.',
  token_claim_type: 'The caller should send a token about a confidential VM of a type that the policy accepts.',
  token_debug: "The guest's owner should launch it with debugging off.",
  token_debug_unknown: 'The caller should send a token that states literally that debugging is off.',
  token_compliance: ({ actual }) =>
    `The guest's owner should find out why Azure Attestation calls it ${value(actual, 'nothing')}, or the operator should accept that status in require.maa.complianceStatus.`,
  maa_tcb_status: ({ actual, policy }) =>
    actual === 'Revoked'
      ? "The machine's owner should update its firmware, because Intel has revoked this TCB and no policy can accept it."
      : policy === null
        ? 'The caller should get a token that states a TCB status which Intel defines, because no policy can accept any other.'
        : `The machine's owner should update its firmware, or the operator can accept or waive the status ${value(actual, 'shown')} in the policy.`,
  ita_tcb_status:
    "The machine's owner should update its firmware and TDX module until Intel Trust Authority calls it UpToDate.",
  ita_policy:
    'The caller should ask Intel Trust Authority for a token with the policies that are required, and look there why one is not matched.',
  ita_debug: "The guest's owner should launch the TD with its debug attribute off.",
  disagreement: ({ expected, actual }) => {
    if (expected === 'hardware') {
      return 'The operator should look up why that verifier refuses the evidence, because its policy or the machine has to change.';
    }
    return expected !== null && actual === null
      ? 'The caller should send a token that states this claim (Azure Attestation states runtime claims that it was sent as JSON).'
      : 'The caller should send evidence and tokens of one and the same VM, from one and the same boot.';
  },
  route_missing: ({ expected, actual }) => {
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
  },
  jwks_unavailable:
    "The operator should let the service reach the issuer's keys, or name a file with them in the configuration.",
  jwks_invalid:
    "The operator should look at what the issuer's key set or the configured file holds, because no key of it can be used.",
  jwks_stale:
    "The operator should let the service reach the issuer's keys again, because those held are too old to be relied on.",
  route_unavailable:
    'The caller should ask again later or send a token in attestationResults, and the operator should look in the log why none could be fetched.',
} satisfies Remedies;

/** The hash is listed, so it is no remedy to add it. */
function policySigner(signer: JsonValue | undefined): string {
  return typeof signer === 'string'
    ? `The operator should add ${value(signer, 'the signer')} to policySigner of this issuer if whoever signed the policy is trusted with it.`
    : 'The operator should have the policy of this issuer signed by a signer that policySigner lists, because the token names none.';
}
