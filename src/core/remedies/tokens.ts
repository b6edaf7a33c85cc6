import type { RemediesOf } from '../checks/row.js';
import type { TOKEN_CHECKS } from '../checks/tokens.js';
import { isObject } from '../json.js';
import { MAA_ATTESTATION_TYPES } from '../maa-words.js';
import { audience, issuer, orAccept, policySigner, tokenTime, unlessLookalike } from './token-words.js';
import { anyOf, faultsOf, unlessOutOfReach, value } from './words.js';

const TOKEN = 'The caller should send the token exactly as its issuer made it';

export const TOKEN_REMEDIES = {
  token_alg: unlessLookalike(
    ({ expected }) => `${TOKEN}, signed with ${anyOf(expected, 'an algorithm that the issuer uses')}.`,
  ),
  token_key: ({ expected }) =>
    isObject(expected) && typeof expected['setting'] === 'string'
      ? `The operator should put the keys that the issuer publishes now into the file that ${expected['setting']} names, and have it read again (SIGHUP).`
      : `${TOKEN}, or get a new one, because the issuer publishes no key that fits this one.`,
  token_signature: `${TOKEN}, because its signature does not verify.`,
  token_time: tokenTime,
  token_lifetime: ({ actual }) =>
    `The caller should send a token that is valid for a day at most (86400 seconds)${typeof actual === 'number' ? `, and not for ${actual} seconds` : ''}.`,
  token_issuer: unlessOutOfReach(unlessLookalike(issuer)),
  token_issuer_policy: ({ result, actual }) => {
    if (result === 'warn') {
      return `The operator should name ${value(actual, 'the hash of the policy')} in policyHash of this issuer (maa.issuers[]) instead of any, if that policy is the intended one.`;
    }
    return isObject(actual)
      ? policySigner(actual['policySigner'])
      : `The operator should add ${value(actual, 'the hash of the policy')} to policyHash of this issuer (maa.issuers[]) if that policy is the intended one.`;
  },
  token_audience: audience,
  token_claim_type: unlessOutOfReach((finding) => {
    const accepted = anyOf(finding.expected, 'a type that is judged here');
    return finding.policy === null
      ? `The caller should send a token about a confidential VM (${accepted}), as its issuer made it${faultsOf(finding, '') === '' ? '' : `, because ${faultsOf(finding, '')}`}.`
      : `The caller should send a token of the attestation type ${accepted} instead of ${value(finding.actual, 'none')}${orAccept(
          finding,
          MAA_ATTESTATION_TYPES.some((type) => type === finding.actual),
        )}.`;
  }),
} satisfies RemediesOf<typeof TOKEN_CHECKS>;
