import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { CheckedExpectations } from '../../../src/relying-party/expectations.js';
import type { ReceiptVerifierOptions } from '../../../src/relying-party/options.js';

/** Receipts of an issuer that exists here alone, and what a relying party expects of them. */

export const ISSUER = 'https://veritee.example';
export const AUDIENCE = 'https://gate.example';
export const NOW = new Date('2026-01-15T12:01:00Z');
export const SECONDS = NOW.getTime() / 1000;
export const NONCE = Buffer.alloc(32, 1).toString('base64url');
export const OTHER_NONCE = Buffer.alloc(32, 2).toString('base64url');
export const SHA256 = 'ab'.repeat(32);
export const BOUND = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
/** RFC 8037, appendix A.3. */
export const BOUND_JKT = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';

export const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
export const OTHER_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
export const HEADER = { alg: 'ES256', kid: 'one', typ: 'eat+jwt' };

export const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'default:payments',
  iat: SECONDS - 60,
  nbf: SECONDS - 60,
  exp: SECONDS + 240,
  jti: '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11',
  eat_nonce: NONCE,
  veritee_nonce: 'challenge',
  eat_profile: 'tag:github.com,2023:veraison/ear',
  cnf: { jwk: BOUND },
  submods: { hardware: { 'ear.status': 'affirming' }, vtpm: { 'ear.status': 'warning' } },
  decision: 'allow',
  reasons: [],
  evidence: { type: 'az-snp-vtpm', sha256: SHA256 },
  policies: [{ id: 'payments', version: 3, sha256: SHA256 }],
};

export const EXPECTED: CheckedExpectations = {
  issuer: ISSUER,
  audience: AUDIENCE,
  nonce: NONCE,
  subject: 'default:payments',
  policies: [{ id: 'payments', sha256: SHA256 }],
  evidenceTypes: ['az-snp-vtpm'],
  binding: null,
};

/** The public half as the issuer lists it. */
export function listed(key: KeyObject, members: object = {}): { readonly [member: string]: unknown } {
  const { d: _, ...jwk } = key.export({ format: 'jwk' });
  return { ...jwk, kid: 'one', alg: 'ES256', use: 'sig', ...members };
}

export const KEY_SET = { keys: [listed(KEY)] };

/** One part of a receipt: a text as it stands, anything else as JSON. */
export function part(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

export function signedText(header: unknown, payload: unknown, key: KeyObject = KEY): string {
  const input = `${part(header)}.${part(payload)}`;
  const isEdwards = key.asymmetricKeyType === 'ed25519';
  const signature = sign(isEdwards ? null : 'sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

/** A receipt that differs in some claims from one that is accepted; undefined leaves a claim out. */
export function receiptWith(claims: object = {}, header: object = HEADER, key: KeyObject = KEY): string {
  return signedText(header, { ...CLAIMS, ...claims }, key);
}

export const OPTIONS: ReceiptVerifierOptions = {
  issuer: ISSUER,
  audience: AUDIENCE,
  policies: [{ id: 'payments', sha256: SHA256 }],
  evidenceTypes: ['az-snp-vtpm'],
  tenant: 'default',
  keys: KEY_SET,
  clock: () => NOW,
};
