import { isObject } from '../json.js';
import { MAA_ATTESTATION_TYPES } from '../maa-words.js';
import type { CheckRows } from './row.js';
import { audience, issuer, orAccept, policySigner, tokenTime, unlessLookalike } from './token-remedies.js';
import { anyOf, faultsOf, unlessOutOfReach, value } from './words.js';

const TOKEN = 'The caller should send the token exactly as its issuer made it';

export const TOKEN_CHECKS = {
  token_alg: {
    holds: 'the token is signed with an algorithm that its issuer uses',
    fails: 'the token names an algorithm that its issuer does not use',
    underlies: 'token',
    remedy: unlessLookalike(
      ({ expected }) => `${TOKEN}, signed with ${anyOf(expected, 'an algorithm that the issuer uses')}.`,
    ),
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
    remedy: tokenTime,
  },
  token_lifetime: {
    holds: 'the token is valid for a day at most',
    fails: 'the token is valid for longer than a day',
    underlies: 'token',
    remedy: ({ actual }) =>
      `The caller should send a token that is valid for a day at most (86400 seconds)${typeof actual === 'number' ? `, and not for ${actual} seconds` : ''}.`,
  },
  token_issuer: {
    holds: 'the issuer of the token is configured, and the policy accepts it',
    fails: 'the issuer of the token is not configured, or the policy does not accept it',
    underlies: 'token',
    // The token verifies, but the policy does not accept its issuer.
    trust: { token: { 'instance-identity': 97 } },
    members: ['require.maa.issuers', 'require.ita.issuers'],
    remedy: unlessOutOfReach(unlessLookalike(issuer)),
  },
  token_issuer_policy: {
    holds: 'the token was issued under a policy that maa.issuers[].policyHash lists for this issuer',
    fails: 'the token was issued under a policy that maa.issuers[].policyHash does not list for this issuer',
    trust: { token: { hardware: 32 } },
    remedy: ({ result, actual }) => {
      if (result === 'warn') {
        return `The operator should name ${value(actual, 'the hash of the policy')} in policyHash of this issuer (maa.issuers[]) instead of any, if that policy is the intended one.`;
      }
      return isObject(actual)
        ? policySigner(actual['policySigner'])
        : `The operator should add ${value(actual, 'the hash of the policy')} to policyHash of this issuer (maa.issuers[]) if that policy is the intended one.`;
    },
  },
  token_audience: {
    holds: 'the token names no audience',
    fails: 'the token is for another audience',
    underlies: 'token',
    remedy: audience,
  },
  token_claim_type: {
    holds: 'the token is about a confidential VM, and its claims have their places and types',
    fails: 'the token is not about a confidential VM, or a claim does not have its place and type',
    trust: { token: { hardware: 97 } },
    members: ['require.maa.attestationType'],
    remedy: unlessOutOfReach((finding) => {
      const accepted = anyOf(finding.expected, 'a type that is judged here');
      return finding.policy === null
        ? `The caller should send a token about a confidential VM (${accepted}), as its issuer made it${faultsOf(finding, '') === '' ? '' : `, because ${faultsOf(finding, '')}`}.`
        : `The caller should send a token of the attestation type ${accepted} instead of ${value(finding.actual, 'none')}${orAccept(
            finding,
            MAA_ATTESTATION_TYPES.some((type) => type === finding.actual),
          )}.`;
    }),
  },
} satisfies CheckRows;
