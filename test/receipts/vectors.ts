import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Decision } from '../../src/core/decision.js';
import type { JsonObject } from '../../src/core/json.js';
import { receiptClaims } from '../../src/receipts/receipt-claims.js';
import { LocalSigningKey } from '../../src/receipts/signing-key.js';
import { DECISION } from '../unit/wire/sample-decision.js';

/** The configuration of a relying party, and the values that it issued for the request. */
export interface Expectation {
  readonly issuer: string;
  readonly audience: string;
  readonly nonce: string;
  readonly subject: string;
  readonly policies: readonly { readonly id: string; readonly sha256: string }[];
  readonly evidenceTypes: readonly string[];
}

export interface ReceiptVector {
  readonly name: string;
  readonly receipt: string;
  /** The step of docs/receipts.md that refuses it; null: none does. */
  readonly fails: number | null;
}

export interface ReceiptVectors {
  readonly note: string;
  /** Seconds since 1970. */
  readonly now: number;
  readonly keySet: { readonly keys: readonly JsonObject[] };
  readonly expected: Expectation;
  readonly receipts: readonly ReceiptVector[];
}

const ISSUER = 'https://veritee.example';
const AUDIENCE = 'https://gate.example';
const NONCE = Uint8Array.from({ length: 32 }, (_, index) => index);
const BINDING = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
const NOW = DECISION.decidedAt.getTime() / 1000 + 60;

/** PKCS #8 of an Ed25519 key before its 32 bytes (RFC 8410). */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key that is the same each time. Nothing trusts it. */
function fixedKey(name: string): KeyObject {
  const seed = createHash('sha256').update(name).digest();
  return createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

const KEY = fixedKey('receipt vectors');
const OTHER_KEY = fixedKey('receipt vectors, another key');
const SIGNING = new LocalSigningKey(KEY);
const { kid } = SIGNING;

const ALLOW: Decision = { ...DECISION, decision: 'allow', reasons: [], trust: trustOf('affirming') };

function trustOf(status: 'affirming'): Decision['trust'] {
  const submodule = { status, vector: { 'instance-identity': 2, hardware: 2 } };
  return { status, submods: { hardware: submodule, vtpm: submodule } };
}

function claimsOf(decision: Decision = ALLOW): JsonObject {
  const request = { audience: AUDIENCE, tenant: 'default', nonce: NONCE, bindingJwk: BINDING };
  const claims = receiptClaims(decision, request, { issuer: ISSUER, build: '0.1.0' });
  if (claims === null) throw new Error('no receipt');
  return claims;
}

const HEADER = { alg: 'EdDSA', kid, typ: 'eat+jwt' };
const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

function signed(payload: unknown = claimsOf(), header: unknown = HEADER, key: KeyObject = KEY): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
}

/** Signed with the public key as if it were a secret. */
function signedWithPublicKey(): string {
  const { x } = createPublicKey(KEY).export({ format: 'jwk' });
  const input = `${part({ ...HEADER, alg: 'HS256' })}.${part(claimsOf())}`;
  const mac = createHash('sha256').update(String(x)).update(input).digest('base64url');
  return `${input}.${mac}`;
}

const GENUINE = signed();
const [H = '', P = '', S = ''] = GENUINE.split('.');

function flipped(text: string): string {
  const bytes = Buffer.from(text, 'base64url');
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  return bytes.toString('base64url');
}

const [policy] = ALLOW.policies;
const ALLOW_TEXT = JSON.stringify(claimsOf());
const repeated = JSON.stringify(claimsOf(DECISION)).replace(/\}$/, ',"decision":"allow"}');
const repeatedInside = ALLOW_TEXT.replace('"type":', '"type":"tpm","type":');
const repeatedByEscape = ALLOW_TEXT.replace(/\}$/, ',"\\u0064ecision":"allow"}');
const repeatedInHeader = JSON.stringify(HEADER).replace(/\}$/, ',"alg":"none"}');

/** The same bytes for whoever ignores the bits that are left over at the end: of 64 bytes those are four. */
function otherSpelling(text: string): string {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return text.slice(0, -1) + ALPHABET.charAt(ALPHABET.indexOf(text.slice(-1)) + 1);
}

/** Name, step that refuses, and the receipt: everything else in it is right. */
const CASES: readonly (readonly [name: string, fails: number | null, receipt: string])[] = [
  ['an allow', null, GENUINE],
  ['an allow with a claim that nobody knows', null, signed({ ...claimsOf(), 'urn:example:new': 1 })],
  ['an allow that is not valid for another 59 seconds', null, signed({ ...claimsOf(), nbf: NOW + 59 })],
  ['an allow whose veritee_nonce is the caller’s own', null, signed({ ...claimsOf(), veritee_nonce: 'own' })],
  ['an allow of before the claim veritee_nonce existed', null, signed(without('veritee_nonce'))],
  ['two parts', 1, `${H}.${P}`],
  ['four parts', 1, `${GENUINE}.${S}`],
  ['padding', 1, `${GENUINE}==`],
  ['a signature with a bit left over at its end', 1, `${H}.${P}.${otherSpelling(S)}`],
  ['a line end after the signature', 1, `${GENUINE}\n`],
  ['a payload that is no object', 1, signed([claimsOf()])],
  ['a member that stands twice', 1, signed(repeated)],
  ['a member that stands twice inside another', 1, signed(repeatedInside)],
  ['a member that stands twice, once with an escape', 1, signed(repeatedByEscape)],
  ['a member of the header that stands twice', 1, signed(claimsOf(), repeatedInHeader)],
  ['text after the payload', 1, signed(`${ALLOW_TEXT} {}`)],
  ['NaN, which is no JSON', 1, signed(ALLOW_TEXT.replace(/\}$/, ',"urn:example:new":NaN}'))],
  ['the typ of another token', 2, signed(claimsOf(), { ...HEADER, typ: 'JWT' })],
  ['the typ in capitals', 2, signed(claimsOf(), { ...HEADER, typ: 'EAT+JWT' })],
  ['the typ as a whole media type', 2, signed(claimsOf(), { ...HEADER, typ: 'application/eat+jwt' })],
  ['no typ', 2, signed(claimsOf(), { alg: 'EdDSA', kid })],
  ['a critical extension', 2, signed(claimsOf(), { ...HEADER, crit: ['b64'], b64: false })],
  ['no algorithm', 3, `${part({ ...HEADER, alg: 'none' })}.${P}.`],
  ['HS256 with the public key as secret', 3, signedWithPublicKey()],
  ['another of the allowed algorithms', 3, signed(claimsOf(), { ...HEADER, alg: 'ES256' })],
  ['a list of algorithms', 3, signed(claimsOf(), { ...HEADER, alg: ['EdDSA'] })],
  ['a key that the issuer does not have', 3, signed(claimsOf(), { ...HEADER, kid: 'other' }, OTHER_KEY)],
  ['no kid', 3, signed(claimsOf(), { alg: 'EdDSA', typ: 'eat+jwt' })],
  [
    'a key in the header',
    4,
    signed(claimsOf(), { ...HEADER, jwk: createPublicKey(OTHER_KEY).export({ format: 'jwk' }) }, OTHER_KEY),
  ],
  ['another key under the same kid', 4, signed(claimsOf(), HEADER, OTHER_KEY)],
  [
    'a payload with one bit changed',
    4,
    `${H}.${part(JSON.stringify(claimsOf()).replace('"veritee"', '"weritee"'))}.${S}`,
  ],
  ['a signature with one bit changed', 4, `${H}.${P}.${flipped(S)}`],
  ['a signature that was cut', 4, `${H}.${P}.${Buffer.from(S, 'base64url').subarray(0, -3).toString('base64url')}`],
  ['another issuer', 5, signed({ ...claimsOf(), iss: 'https://other.example' })],
  ['the issuer with a slash at its end', 5, signed({ ...claimsOf(), iss: `${ISSUER}/` })],
  ['another audience', 6, signed({ ...claimsOf(), aud: 'https://other.example' })],
  ['several audiences', 6, signed({ ...claimsOf(), aud: [AUDIENCE, 'https://other.example'] })],
  ['no audience', 6, signed(without('aud'))],
  ['a deny', 6, signed(claimsOf(DECISION))],
  ['an indeterminate decision', 6, signed(claimsOf({ ...DECISION, decision: 'indeterminate' }))],
  ['another nonce', 7, signed({ ...claimsOf(), eat_nonce: Buffer.alloc(32, 9).toString('base64url') })],
  ['no nonce', 7, signed(without('eat_nonce'))],
  ['a receipt that ends now', 8, signed({ ...claimsOf(), exp: NOW })],
  ['a receipt of yesterday', 8, signed(movedBy(-86_400))],
  ['a receipt of tomorrow', 8, signed(movedBy(86_400))],
  [
    'a receipt that holds for more than 300 seconds',
    8,
    signed({ ...claimsOf(), exp: Number(claimsOf()['iat']) + 301 }),
  ],
  ['no expiry', 8, signed(without('exp'))],
  ['an expiry with a fraction', 8, signed({ ...claimsOf(), exp: NOW + 59.5 })],
  ['no time of issue', 8, signed(without('iat'))],
  ['no beginning', 8, signed(without('nbf'))],
  ['a receipt that is not valid for another 61 seconds', 8, signed({ ...claimsOf(), nbf: NOW + 61 })],
  ['an expiry as text', 8, signed({ ...claimsOf(), exp: String(claimsOf()['exp']) })],
  ['another profile', 9, signed({ ...claimsOf(), eat_profile: 'tag:example,2020:other' })],
  ['another tenant', 10, signed({ ...claimsOf(), sub: 'other:payments' })],
  [
    'another policy',
    10,
    signed({ ...claimsOf(), sub: 'default:lenient', policies: [{ ...policyOf(), id: 'lenient' }] }),
  ],
  ['another policy in the subject alone', 10, signed({ ...claimsOf(), sub: 'default:lenient' })],
  [
    'the policy with another text',
    10,
    signed({ ...claimsOf(), policies: [{ ...policyOf(), sha256: 'cd'.repeat(32) }] }),
  ],
  [
    'a policy beside the right one',
    10,
    signed({ ...claimsOf(), policies: [policyOf(), { ...policyOf(), id: 'other' }] }),
  ],
  ['the policy twice', 10, signed({ ...claimsOf(), policies: [policyOf(), policyOf()] })],
  ['no policies', 10, signed({ ...claimsOf(), policies: [] })],
  ['another type of evidence', 11, signed({ ...claimsOf(), evidence: { type: 'tpm', sha256: 'ab'.repeat(32) } })],
  ['no type of evidence', 11, signed(without('evidence'))],
  ['a deny under the audience of an allow', 12, signed({ ...claimsOf(), decision: 'deny' })],
  ['another spelling of allow', 12, signed({ ...claimsOf(), decision: 'Allow' })],
  ['no decision', 12, signed(without('decision'))],
  ['a status that nobody knows', 12, signed({ ...claimsOf(), submods: { hardware: { 'ear.status': 'splendid' } } })],
  ['a part without a status', 12, signed({ ...claimsOf(), submods: { hardware: {} } })],
  ['no parts', 12, signed(without('submods'))],
];

function policyOf(): { readonly id: string; readonly version: number; readonly sha256: string } {
  if (policy === undefined) throw new Error('no policy');
  const { id, version, sha256 } = policy;
  return { id, version, sha256 };
}

function without(name: string): JsonObject {
  return Object.fromEntries(Object.entries(claimsOf()).filter(([member]) => member !== name));
}

function movedBy(seconds: number): JsonObject {
  const claims = claimsOf();
  const times = ['iat', 'nbf', 'exp'].map((name) => [name, Number(claims[name]) + seconds]);
  return { ...claims, ...Object.fromEntries(times) };
}

/** Receipts of which each breaks one step of docs/receipts.md, and some that break none. */
export function receiptVectors(): ReceiptVectors {
  return {
    note: 'Generated by `npm run generate`. The keys are of no service. fails: the step of receipts.md that refuses the receipt; null: none does.',
    now: NOW,
    keySet: { keys: [SIGNING.jwk] },
    expected: {
      issuer: ISSUER,
      audience: AUDIENCE,
      nonce: Buffer.from(NONCE).toString('base64url'),
      subject: 'default:payments',
      policies: [{ id: policyOf().id, sha256: policyOf().sha256 }],
      evidenceTypes: ['az-snp-vtpm'],
    },
    receipts: CASES.map(([name, fails, receipt]) => ({ name, receipt, fails })),
  };
}
