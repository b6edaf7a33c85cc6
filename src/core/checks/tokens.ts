import { isObject } from '../json.js';
import { MAA_ATTESTATION_TYPES } from '../maa-words.js';
import type { CheckRows } from './row.js';
import { audience, issuer, orAccept, policySigner, tokenTime, unlessLookalike } from './token-remedies.js';
import { anyOf, faultsOf, unlessOutOfReach, value } from './words.js';

const SAMPLE = 'payments';

const TOKEN = 'The caller should send the token exactly as its issuer made it';

export const TOKEN_CHECKS = {
  token_alg: {
    holds: 'the token is signed with an algorithm that its issuer uses',
    fails: 'the token names an algorithm that its issuer does not use',
    underlies: 'token',
    when: 'alg in the header is none that the issuer uses, or the key that it names is for another; the token is one of another verifier',
    remedy: unlessLookalike(
      ({ expected }) => `${TOKEN}, signed with ${anyOf(expected, 'an algorithm that the issuer uses')}.`,
    ),
    examples: [{ expected: ['PS384', 'RS256'] }, { actual: { type: 'ita-token' } }],
  },
  token_key: {
    holds: 'the issuer publishes the key of the token',
    fails: 'the token names no key that its issuer publishes',
    when: 'kid is missing, is of no key or of several of the issuer; under teeSigner: required, no certificate of the key shows that a TEE holds it',
    underlies: 'token',
    remedy: ({ expected }) =>
      isObject(expected) && typeof expected['setting'] === 'string'
        ? `The operator should put the keys that the issuer publishes now into the file that ${expected['setting']} names, and have it read again (SIGHUP).`
        : `${TOKEN}, or get a new one, because the issuer publishes no key that fits this one.`,
    examples: [{}, { expected: { setting: 'ita.issuers[].keys' } }],
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
    when: 'it has expired, is not yet valid, was issued in the future, or ends before it begins, each with the leeway of time.tokenLeewaySeconds',
    remedy: tokenTime,
    examples: [
      { expected: '2026-01-15T12:00:00.000Z', actual: { iat: 1_768_470_000, nbf: 1_768_470_000, exp: 1_768_474_800 } },
    ],
  },
  token_lifetime: {
    holds: 'the token is valid for a day at most',
    fails: 'the token is valid for longer than a day',
    underlies: 'token',
    remedy: ({ actual }) =>
      `The caller should send a token that is valid for a day at most (86400 seconds)${typeof actual === 'number' ? `, and not for ${actual} seconds` : ''}.`,
    examples: [{ expected: 86_400, actual: 172_800 }],
  },
  token_issuer: {
    holds: 'the issuer of the token is configured, and the policy accepts it',
    fails: 'the issuer of the token is not configured, or the policy does not accept it',
    underlies: 'token',
    // The token verifies, but the policy does not accept its issuer.
    trust: { token: { 'instance-identity': 97 } },
    when: 'iss is none of the configured issuers, letter for letter; the issuer is not among require.maa.issuers or require.ita.issuers; the token is one of another verifier',
    members: ['require.maa.issuers', 'require.ita.issuers'],
    remedy: unlessOutOfReach(unlessLookalike(issuer)),
    examples: [
      { setting: 'maa.shared or maa.issuers' },
      { actual: 'https://maa.example', setting: 'require.maa.issuers', policy: SAMPLE },
      { actual: { type: 'ita-token' } },
    ],
  },
  token_issuer_policy: {
    holds: 'the token was issued under a policy that maa.issuers[].policyHash lists for this issuer',
    fails: 'the token was issued under a policy that maa.issuers[].policyHash does not list for this issuer',
    trust: { token: { hardware: 32 } },
    when: 'x-ms-policy-hash is not among policyHash; the policy is signed by nobody that policySigner lists; a warning where policyHash is any',
    remedy: ({ result, actual }) => {
      if (result === 'warn') {
        return `The operator should name ${value(actual, 'the hash of the policy')} in policyHash of this issuer (maa.issuers[]) instead of any, if that policy is the intended one.`;
      }
      return isObject(actual)
        ? policySigner(actual['policySigner'])
        : `The operator should add ${value(actual, 'the hash of the policy')} to policyHash of this issuer (maa.issuers[]) if that policy is the intended one.`;
    },
    examples: [
      { actual: 'R3Ooyaugf5Jpy8C1j_NcNXA4SEniecJ0MvpLTuLIfR4' },
      { actual: { policySigner: 'ab'.repeat(32) } },
    ],
  },
  token_audience: {
    holds: 'the token names no audience',
    fails: 'the token is for another audience',
    underlies: 'token',
    remedy: audience,
    examples: [{ actual: 'https://gate.example' }],
  },
  token_claim_type: {
    holds: 'the token is about a confidential VM, and its claims have their places and types',
    fails: 'the token is not about a confidential VM, or a claim does not have its place and type',
    trust: { token: { hardware: 97 } },
    when: 'a claim is missing, in another place or of another type; the token is about another kind of TEE, or about none; the attestation type is not among require.maa.attestationType',
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
    examples: [
      { expected: ['azurevm', 'sevsnpvm', 'tdxvm'], faults: ['x-ms-isolation-tee is missing'] },
      { expected: ['azurevm'], actual: 'sevsnpvm', setting: 'require.maa.attestationType', policy: SAMPLE },
    ],
  },
} satisfies CheckRows;
