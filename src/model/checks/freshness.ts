import { looksLikeHex } from '../hex-like.js';
import { isObject, type JsonValue } from '../json.js';
import type { CheckRows } from './row.js';

export const FRESHNESS_CHECKS = {
  nonce_mismatch: {
    holds: 'the nonce, and the bound key where one is sent, stand in what the attester vouches for',
    fails: 'this nonce, or the bound key, does not stand in what the attester vouches for',
    trust: { guest: { 'instance-identity': 97 }, token: { 'instance-identity': 97 } },
    remedy: ({ expected }) =>
      wasHex(expected)
        ? 'The caller should send the nonce as base64url, because this one looks like hex, and the guest should make its evidence for the same bytes.'
        : 'The guest should make its evidence anew for the nonce, and the bound key, of this request.',
  },
  nonce_used: {
    holds: 'the challenge was unused, and is used now',
    fails: 'the challenge was used before, or its record is gone',
    trust: { guest: { 'instance-identity': 97 } },
    remedy:
      'The caller should ask POST /challenges for another challenge, and the guest should make its evidence anew.',
  },
  nonce_expired: {
    holds: 'the challenge has not expired',
    fails: 'the challenge has expired',
    trust: { guest: { 'instance-identity': 97 } },
    remedy: 'The caller should ask POST /challenges for another challenge, and send the evidence before its expiresAt.',
  },
  nonce_scope: {
    holds: 'the challenge was made for this use',
    fails: 'the challenge was made for another tenant, audience, policy or evidence type',
    trust: { guest: { 'instance-identity': 97 } },
    remedy:
      'The caller should ask POST /challenges for a challenge with the audience, policy and evidence type of this request.',
  },
  nonce_missing: {
    holds: 'a nonce was sent',
    fails: 'the policy requires a nonce',
    remedy: ({ expected }) =>
      expected === 'challenge'
        ? 'The caller should ask POST /challenges for a challenge, and send it as nonce with evidence that was made for it.'
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
    fails: 'the policy requires a bound key',
    remedy: 'The caller should send binding.jwk with evidence that the guest made for nonce and key.',
  },
} satisfies CheckRows;

/** Whether the nonce was hex that has been read as base64. Fields of 64 bytes end in zeros, which it did not have. */
function wasHex(expected: JsonValue): boolean {
  const nonce = isObject(expected) ? expected['nonce'] : expected;
  if (typeof nonce !== 'string') return false;
  return looksLikeHex(Buffer.from(nonce.replace(/(?:00)+$/, ''), 'hex').toString('base64url'));
}
