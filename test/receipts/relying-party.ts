import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { createVerifier, TokenError } from 'fast-jwt';
import { isObject, type JsonObject } from '../../src/core/json.js';
import { parseStrictJson } from '../../src/formats/strict-json.js';
import type { Expectation } from './vectors.js';

const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

const PROFILE = 'tag:github.com,2023:veraison/ear';
const STATUSES: readonly unknown[] = ['none', 'affirming', 'warning', 'contraindicated'];
const [LONGEST_SECONDS, SKEW_SECONDS] = [300, 60];

/**
 * A relying party that makes the checks of docs/receipts.md, with the signature checked by a library other than the one that
 * signs.
 *
 * @returns the step that refuses the receipt; null if none does
 */
export function refusedBy(
  receipt: string,
  keySet: { readonly keys: readonly JsonObject[] },
  expected: Expectation,
  now: number,
): number | null {
  const parts = receipt.split('.');
  const [header, claims] = parts.slice(0, 2).map(objectOf);
  // Without a signature the algorithm is none, which is for step 3 to say.
  if (parts.length !== 3 || !parts.every(isBase64Url)) return 1;
  if (header === null || header === undefined || claims === null || claims === undefined) return 1;
  if (header['typ'] !== 'eat+jwt' || 'crit' in header) return 2;
  const alg = ALGORITHMS.find((name) => name === header['alg']);
  if (alg === undefined) return 3;
  const [key, another] = keySet.keys.filter((entry) => entry['kid'] === header['kid'] && entry['alg'] === alg);
  if (key === undefined || another !== undefined) return 3;
  if (!isSigned(receipt, key, alg)) return 4;
  return wrongClaim(claims, expected, now);
}

function wrongClaim(claims: JsonObject, expected: Expectation, now: number): number | null {
  const { iat, nbf, exp, evidence, policies } = claims;
  if (claims['iss'] !== expected.issuer) return 5;
  if (claims['aud'] !== expected.audience) return 6;
  if (claims['eat_nonce'] !== expected.nonce) return 7;
  if (!isWholeNumber(iat) || !isWholeNumber(nbf) || !isWholeNumber(exp)) return 8;
  if (exp <= now || nbf > now + SKEW_SECONDS || exp - iat > LONGEST_SECONDS) return 8;
  if (claims['eat_profile'] !== PROFILE) return 9;
  const named = Array.isArray(policies)
    ? policies.map((each) => (isObject(each) ? `${each['id']} ${each['sha256']}` : ''))
    : [];
  const wanted = expected.policies.map(({ id, sha256 }) => `${id} ${sha256}`);
  if (claims['sub'] !== expected.subject || named.toSorted().join() !== wanted.toSorted().join()) return 10;
  if (!isObject(evidence) || !expected.evidenceTypes.includes(String(evidence['type']))) return 11;
  return claims['decision'] === 'allow' && areStatusesKnown(claims['submods']) ? null : 12;
}

function areStatusesKnown(submods: unknown): boolean {
  if (!isObject(submods)) return false;
  return Object.values(submods).every((submod) => isObject(submod) && STATUSES.includes(submod['ear.status']));
}

function isWholeNumber(value: unknown): value is number {
  return Number.isInteger(value);
}

/** Whether a text is the one spelling of its bytes: unpadded, and no bits left over. */
function isBase64Url(text: string): boolean {
  return Buffer.from(text, 'base64url').toString('base64url') === text;
}

/** Null for what is no JSON object in base64url, or repeats a member. */
function objectOf(part: string): JsonObject | null {
  try {
    const value = parseStrictJson(Buffer.from(part, 'base64url'));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isSigned(receipt: string, key: JsonObject, alg: Algorithm): boolean {
  const pem = createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  try {
    // Times are for step 8.
    createVerifier({ key: pem.toString(), algorithms: [alg], ignoreExpiration: true, ignoreNotBefore: true })(receipt);
    return true;
  } catch (error) {
    if (error instanceof TokenError) return false;
    throw error;
  }
}
