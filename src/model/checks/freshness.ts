import { looksLikeHex } from '../hex-like.js';
import { isObject, type JsonValue } from '../json.js';
import type { CheckRows } from './row.js';

export const FRESHNESS_CHECKS = {
  nonce_mismatch: {
    holds: 'the attester vouches for the nonce, and for the bound key where one is sent',
    fails: 'the attester does not vouch for this nonce, or for the bound key',
    trust: { guest: { 'instance-identity': 97 }, token: { 'instance-identity': 97 } },
    remedy: ({ expected }) =>
      wasHex(expected)
        ? 'The caller should send the nonce as base64url, because this one looks like hex, and the guest should make its evidence for the same bytes.'
        : 'The guest should make new evidence for the nonce and the bound key of this request.',
  },
  nonce_used: {
    holds: 'the challenge was not used before',
    fails: 'the challenge was used before, or its record is gone',
    trust: { guest: { 'instance-identity': 97 } },
    remedy:
      'The caller should get a new challenge from POST /challenges, and the guest should make new evidence for it.',
  },
  nonce_expired: {
    holds: 'the challenge has not expired',
    fails: 'the challenge has expired',
    trust: { guest: { 'instance-identity': 97 } },
    remedy: 'The caller should get a new challenge from POST /challenges, and send the evidence before its expiresAt.',
  },
  nonce_scope: {
    holds: 'the challenge was issued for this use',
    fails: 'the challenge was issued for another tenant, audience, policy or evidence type',
    trust: { guest: { 'instance-identity': 97 } },
    remedy:
      'The caller should get a challenge from POST /challenges with the audience, policy and evidence type of this request.',
  },
  nonce_missing: {
    holds: 'a nonce was sent',
    fails: 'the policy requires a nonce, and none was sent',
    remedy: ({ expected }) =>
      expected === 'challenge'
        ? 'The caller should get a challenge from POST /challenges, and send it as nonce with evidence that was made for it.'
        : 'The caller should send the nonce that the guest put into its evidence.',
  },
  nonce_stale: {
    holds: 'the nonce is in the quote and in the hardware report',
    fails: 'the nonce is in the quote only, so the hardware report may be old',
    waiver: 'plain',
    remedy: 'The guest should write the nonce to NV index 0x01400002 before it reads its HCL report.',
  },
  binding_missing: {
    holds: 'a key is bound',
    fails: 'the policy requires a bound key, and none was sent',
    remedy: 'The caller should send binding.jwk with evidence that the guest made for the nonce and the key.',
  },
} satisfies CheckRows;

/** Whether the nonce was hex that has been read as base64. Fields of 64 bytes end in zeros, which it did not have. */
function wasHex(expected: JsonValue): boolean {
  const nonce = isObject(expected) ? expected['nonce'] : expected;
  if (typeof nonce !== 'string') return false;
  return looksLikeHex(Buffer.from(nonce.replace(/(?:00)+$/, ''), 'hex').toString('base64url'));
}
