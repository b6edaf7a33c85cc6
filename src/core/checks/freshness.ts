import { base64 } from '../bytes.js';
import type { CheckRows } from './row.js';

export const FRESHNESS_CHECKS = {
  nonce_mismatch: {
    holds: 'the attester vouches for the nonce, and for the bound key where one is sent',
    fails: 'the attester does not vouch for this nonce, or for the bound key',
    trust: { guest: { 'instance-identity': 97 }, token: { 'instance-identity': 97 } },
  },
  nonce_used: {
    holds: 'the challenge was not used before',
    fails: 'the challenge was used before, or its record is gone',
    trust: { guest: { 'instance-identity': 97 } },
  },
  nonce_expired: {
    holds: 'the challenge has not expired',
    fails: 'the challenge has expired',
    trust: { guest: { 'instance-identity': 97 } },
  },
  nonce_scope: {
    holds: 'the challenge was issued for this use',
    fails: 'the challenge was issued for another tenant, audience, policy or evidence type',
    trust: { guest: { 'instance-identity': 97 } },
  },
  nonce_missing: {
    holds: 'a nonce was sent',
    fails: 'the policy requires a nonce, and none was sent',
    members: ['freshness', 'nonce'],
  },
  nonce_stale: {
    holds: 'the nonce is in the quote and in the hardware report',
    fails: 'the nonce is in the quote only, so the hardware report may be old',
    members: ['freshness', 'nonce'],
    waiver: 'plain',
  },
  binding_missing: {
    holds: 'a key is bound',
    fails: 'the policy requires a bound key, and none was sent',
    members: ['binding'],
  },
} satisfies CheckRows;

/**
 * Remedy for a nonce in hex, if the evidence has the bytes of that hex.
 *
 * @param nonce these bytes
 */
export function sendInBase64url(nonce: Uint8Array): string {
  return `The caller should send the nonce as ${base64(nonce, 'base64url')}, which is base64url: it sent the bytes of the evidence as hex.`;
}
