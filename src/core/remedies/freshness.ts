import { base64, fromHex } from '../bytes.js';
import { type FRESHNESS_CHECKS, sendInBase64url } from '../checks/freshness.js';
import type { Finding, RemediesOf } from '../checks/row.js';
import { looksLikeHex } from '../hex-like.js';
import { isObject, type JsonValue } from '../json.js';
import { policyOf, value } from './words.js';

/** Hex digits of the shortest nonce. */
const FEWEST_DIGITS = 16;

export const FRESHNESS_REMEDIES = {
  nonce_mismatch: (finding) => {
    const meant = bytesMeantByHex(finding);
    if (meant !== null) return sendInBase64url(meant);
    return wasHex(finding.expected)
      ? 'The caller should send the nonce as base64url, because this one looks like hex, and the guest should make its evidence for the same bytes.'
      : `The guest should make ${madeAnew(finding)} for the nonce and the bound key of this request.`;
  },
  nonce_used:
    'The caller should get a new challenge from POST /challenges, and the guest should make new evidence for it.',
  nonce_expired:
    'The caller should get a new challenge from POST /challenges, and send the evidence before its expiresAt.',
  nonce_scope: ({ expected, actual }) =>
    `The caller should get a challenge from POST /challenges for this request${isObject(expected) ? ` (it is for ${scopeOf(expected)}, and the request for ${scopeOf(actual)})` : ''}, with its audience, policy and evidence type.`,
  nonce_missing: ({ expected }) =>
    expected === 'challenge'
      ? 'The caller should get a challenge from POST /challenges, and send it as nonce with evidence that was made for it.'
      : 'The caller should send the nonce that the guest put into its evidence.',
  nonce_stale: ({ about }) =>
    about === '/binding/pem'
      ? 'The caller should send binding.jwk with evidence that the guest made for the nonce and the key.'
      : 'The guest should write the nonce to NV index 0x01400002 before it reads its HCL report.',
  binding_missing: (finding) =>
    `The caller should send binding.jwk with evidence that the guest made for the nonce and the key, because binding of ${policyOf(finding)} is required.`,
} satisfies RemediesOf<typeof FRESHNESS_CHECKS>;

/** Whether a hex nonce was read as base64. Fields of 64 bytes end in zeros, which the nonce did not have. */
function wasHex(expected: JsonValue): boolean {
  const nonce = isObject(expected) ? expected['nonce'] : expected;
  if (typeof nonce !== 'string') return false;
  return looksLikeHex(base64(fromHex(nonce.replace(/(?:00)+$/, '')), 'base64url'));
}

/**
 * Returns the bytes that the caller wrote as hex, if the evidence contains these bytes. The expected bytes are that text, read as
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

/** The part with the nonce, which must be created again. */
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
