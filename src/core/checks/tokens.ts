import type { CheckRows } from './row.js';

export const TOKEN_CHECKS = {
  token_alg: {
    holds: 'the token is signed with an algorithm that its issuer uses',
    fails: 'the token names an algorithm that its issuer does not use',
    underlies: 'token',
  },
  token_key: {
    holds: 'the issuer publishes the key of the token',
    fails: 'the token names no key that its issuer publishes',
    underlies: 'token',
  },
  token_signature: {
    holds: 'the issuer signed the token',
    fails: 'the signature of the token does not verify',
    underlies: 'token',
  },
  token_time: {
    holds: 'the token is valid at the verification time',
    fails: 'the token is not valid at the verification time',
    underlies: 'token',
  },
  token_lifetime: {
    holds: 'the token is valid for a day at most',
    fails: 'the token is valid for longer than a day',
    underlies: 'token',
  },
  token_issuer: {
    holds: 'the issuer of the token is configured, and the policy accepts it',
    fails: 'the issuer of the token is not configured, or the policy does not accept it',
    underlies: 'token',
    // The token verifies, but the policy does not accept its issuer.
    trust: { token: { 'instance-identity': 97 } },
    members: ['require.maa.issuers', 'require.ita.issuers'],
  },
  token_issuer_policy: {
    holds: 'the token was issued under a policy that maa.issuers[].policyHash lists for this issuer',
    fails: 'the token was issued under a policy that maa.issuers[].policyHash does not list for this issuer',
    trust: { token: { hardware: 32 } },
  },
  token_audience: {
    holds: 'the token names no audience',
    fails: 'the token is for another audience',
    underlies: 'token',
  },
  token_claim_type: {
    holds: 'the token is about a confidential VM, and its claims have their places and types',
    fails: 'the token is not about a confidential VM, or a claim does not have its place and type',
    trust: { token: { hardware: 97 } },
    members: ['require.maa.attestationType'],
  },
} satisfies CheckRows;
