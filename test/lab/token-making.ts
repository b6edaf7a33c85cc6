import { constants, createHmac, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';

/** Members laid over the genuine ones, or a function that makes others of them. */
export type MembersChange = JsonObject | ((genuine: JsonObject) => JsonObject);

/** How a token is made otherwise than genuinely. */
export interface TokenMaking {
  readonly claims?: MembersChange;
  readonly header?: MembersChange;
  /** Another key than the issuer's; the header stays. */
  readonly key?: KeyObject;
  /** How it is signed, and what `alg` says unless `header` changes it. An unknown name signs nothing. */
  readonly algorithm?: string;
  /** Change the JSON texts before they are signed: members that stand twice, numbers that no program writes. */
  readonly headerText?: (json: string) => string;
  readonly claimsText?: (json: string) => string;
  /** Changes the compact token after it was signed. */
  readonly afterSigning?: (token: string) => string;
}

export interface GenuineToken {
  /** Without `alg`. */
  readonly header: JsonObject;
  readonly claims: JsonObject;
  readonly key: KeyObject;
  readonly algorithm: string;
}

/** A JWS in Compact Serialization (RFC 7515 section 7.1). Nothing is checked: every part may be what it must not be. */
export function makeToken(genuine: GenuineToken, making: TokenMaking = {}): string {
  const { algorithm = genuine.algorithm, key = genuine.key, headerText = same, claimsText = same } = making;
  const header = changedMembers({ alg: algorithm, ...genuine.header }, making.header);
  const claims = changedMembers(genuine.claims, making.claims);
  const input = `${segment(headerText(JSON.stringify(header)))}.${segment(claimsText(JSON.stringify(claims)))}`;
  const token = `${input}.${signatureOf(algorithm, key, Buffer.from(input)).toString('base64url')}`;
  return making.afterSigning?.(token) ?? token;
}

/** Combines two makings. The changes of both apply; in a conflict the second counts. */
export function bothMakings(first: TokenMaking, second: TokenMaking): TokenMaking {
  return {
    ...first,
    ...second,
    claims: (genuine) => changedMembers(changedMembers(genuine, first.claims), second.claims),
    header: (genuine) => changedMembers(changedMembers(genuine, first.header), second.header),
  };
}

/** Members that every JWT of an issuer has: an instant, and how long it is good for. */
export function registeredClaims(issuer: string, at: Date, lifetimeSeconds: number): JsonObject {
  const now = Math.floor(at.getTime() / 1000);
  return { exp: now + lifetimeSeconds, iat: now, iss: issuer, jti: randomBytes(32).toString('hex'), nbf: now };
}

export function changedMembers(genuine: JsonObject, change: MembersChange = {}): JsonObject {
  return typeof change === 'function' ? change(genuine) : { ...genuine, ...change };
}

function same(text: string): string {
  return text;
}

function segment(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

const ALGORITHM = /^(RS|PS|ES|HS)(256|384|512)$/;

/** Signs by RFC 7518 section 3, whatever kind the key is of. */
function signatureOf(algorithm: string, key: KeyObject, input: Uint8Array): Buffer {
  const [, family, bits] = ALGORITHM.exec(algorithm) ?? [];
  if (family === undefined) return Buffer.alloc(0);
  const hash = `sha${bits}`;
  if (family === 'HS') return createHmac(hash, secretOf(key)).update(input).digest();
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return sign(hash, input, { key, dsaEncoding: 'ieee-p1363', ...(family === 'PS' ? pss : {}) });
}

/** The confusion of RFC 8725 section 2.1: a public key, which all know, taken for a secret. */
function secretOf(key: KeyObject): KeyObject | string {
  return key.type === 'secret' ? key : createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
}
