import { base64, fromHex } from '../bytes.js';
import { looksLikeHex } from '../hex-like.js';
import { isObject, type JsonValue } from '../json.js';
import type { CheckRows, Finding } from './row.js';
import { policyOf, value } from './words.js';

export const FRESHNESS_CHECKS = {
  nonce_mismatch: {
    holds: 'the attester vouches for the nonce, and for the bound key where one is sent',
    fails: 'the attester does not vouch for this nonce, or for the bound key',
    trust: { guest: { 'instance-identity': 97 }, token: { 'instance-identity': 97 } },
    remedy: (finding) => {
      const meant = bytesMeantByHex(finding);
      if (meant !== null) return sendInBase64url(meant);
      return wasHex(finding.expected)
        ? 'The caller should send the nonce as base64url, because this one looks like hex, and the guest should make its evidence for the same bytes.'
        : `The guest should make ${madeAnew(finding)} for the nonce and the bound key of this request.`;
    },
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
    remedy: ({ expected, actual }) =>
      `The caller should get a challenge from POST /challenges for this request${isObject(expected) ? ` (it is for ${scopeOf(expected)}, and the request for ${scopeOf(actual)})` : ''}, with its audience, policy and evidence type.`,
  },
  nonce_missing: {
    holds: 'a nonce was sent',
    fails: 'the policy requires a nonce, and none was sent',
    members: ['freshness', 'nonce'],
    remedy: ({ expected }) =>
      expected === 'challenge'
        ? 'The caller should get a challenge from POST /challenges, and send it as nonce with evidence that was made for it.'
        : 'The caller should send the nonce that the guest put into its evidence.',
  },
  nonce_stale: {
    holds: 'the nonce is in the quote and in the hardware report',
    fails: 'the nonce is in the quote only, so the hardware report may be old',
    members: ['freshness', 'nonce'],
    waiver: 'plain',
    remedy: ({ about }) =>
      about === '/binding/pem'
        ? 'The caller should send binding.jwk with evidence that the guest made for the nonce and the key.'
        : 'The guest should write the nonce to NV index 0x01400002 before it reads its HCL report.',
  },
  binding_missing: {
    holds: 'a key is bound',
    fails: 'the policy requires a bound key, and none was sent',
    members: ['binding'],
    remedy: (finding) =>
      `The caller should send binding.jwk with evidence that the guest made for the nonce and the key, because binding of ${policyOf(finding)} is required.`,
  },
} satisfies CheckRows;

/**
 * Remedy for a nonce that the caller wrote in hex, where the evidence holds the bytes of that hex.
 *
 * @param nonce these bytes
 */
export function sendInBase64url(nonce: Uint8Array): string {
  return `The caller should send the nonce as ${base64(nonce, 'base64url')}, which is base64url: it sent the bytes of the evidence as hex.`;
}

/** Whether the nonce was hex that has been read as base64. Fields of 64 bytes end in zeros, which it did not have. */
function wasHex(expected: JsonValue): boolean {
  const nonce = isObject(expected) ? expected['nonce'] : expected;
  if (typeof nonce !== 'string') return false;
  return looksLikeHex(base64(fromHex(nonce.replace(/(?:00)+$/, '')), 'base64url'));
}

/** Hex digits of the shortest nonce. */
const FEWEST_DIGITS = 16;

/**
 * Returns the bytes that the caller wrote as hex, where the evidence holds these bytes. The expected bytes are that text, read as
 * base64url. Fields of 64 bytes end in zeros, which base64url writes as A.
 */
function bytesMeantByHex({ expected, actual }: Finding): Uint8Array | null {
  const nonce = isObject(expected) ? expected['nonce'] : expected;
  if (typeof nonce !== 'string') return null;
  const sent = base64(fromHex(nonce), 'base64url').toLowerCase();
  for (const held of isObject(actual) ? Object.values(actual) : [actual]) {
    if (typeof held !== 'string') continue;
    let digits = 0;
    while (digits < held.length && sent[digits] === held[digits]) digits++;
    const isWhole = /^a*$/.test(sent.slice(digits)) && /^0*$/.test(held.slice(digits));
    if (digits >= FEWEST_DIGITS && isWhole) return fromHex(held.slice(0, digits));
  }
  return null;
}

/** The part that contains the nonce, and has to be made again. */
function madeAnew({ about }: Finding): string {
  if (about.startsWith('/evidence/tpmQuote')) return 'a new quote (its qualifying data)';
  if (about === '/evidence/hclReport' || about === '/evidence/runtimeData') {
    return 'a new HCL report (user-data, by NV index 0x01400002)';
  }
  return about.includes('oken') || about.startsWith('/attestationResults') ? 'a new token' : 'new evidence';
}

function scopeOf(scope: JsonValue): string {
  const members = isObject(scope) ? Object.entries(scope) : [];
  return members.map(([name, limit]) => `${name} ${value(limit, 'none')}`).join(', ') || 'another';
}
