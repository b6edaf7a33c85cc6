import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { isObject, type JsonObject, type JsonValue } from '../../src/core/json.js';
import { changedMembers, type MembersChange, makeToken, type TokenMaking } from './token-making.js';
import type { VaultAnswerPki } from './vault-answer-pki.js';

/** Hash of OAEP and MGF1 by the way of wrapping. */
const OAEP_HASHES: { readonly [enc: string]: 'sha1' | 'sha256' | 'sha384' } = {
  CKM_RSA_AES_KEY_WRAP: 'sha1',
  RSA_AES_KEY_WRAP_256: 'sha256',
  RSA_AES_KEY_WRAP_384: 'sha384',
};

/** RFC 5649, section 3. */
const KEY_WRAP_PAD = 'id-aes256-wrap-pad';
const ALTERNATIVE_IV = Buffer.from('a65959a6', 'hex');
const AES_BYTES = 32;

/** A release policy of one level: issuers, and claims that have to be equal. */
export interface LabReleasePolicy {
  readonly anyOf: readonly {
    readonly authority: string;
    readonly allOf: readonly { readonly claim: string; readonly equals: JsonValue }[];
  }[];
}

/** The parameters of a call by a guest or service. */
export interface LabReleaseCall {
  readonly nonce?: JsonValue;
  readonly enc: string;
  /** URL of the key as it was asked for, with or without its version. */
  readonly asked: string;
  /** URL of the version that is released. */
  readonly kid: string;
}

/** How an answer is made otherwise than genuinely. In this order: `hsm`, `described`, `request`, then the token as a whole. */
export interface ReleaseMaking extends TokenMaking {
  /** Members of `key_hsm`. */
  readonly hsm?: MembersChange;
  /** Its text in the place of JSON. */
  readonly hsmText?: (json: string) => string;
  /** Members of `response.key.key`. */
  readonly described?: MembersChange;
  readonly request?: MembersChange;
  /** Certificates in the place of the service's, leaf first. */
  readonly chain?: readonly Uint8Array[];
}

/** The key of a token that a vault wraps to, and its name. */
export interface WrappingKey {
  readonly kid: string;
  readonly publicKey: KeyObject;
}

/**
 * The first key of the token's own `x-ms-runtime.keys` that encrypts; null if it has none. Nothing is verified: the lab's
 * vault believes its caller.
 */
export function wrappingKeyOf(claims: JsonObject): WrappingKey | null {
  const runtime = claims['x-ms-runtime'];
  const keys = isObject(runtime) && Array.isArray(runtime['keys']) ? runtime['keys'].filter(isObject) : [];
  const key = keys.find(({ use, key_ops: uses }) => use === 'enc' || (Array.isArray(uses) && uses.includes('encrypt')));
  if (key === undefined) return null;
  const { kid, n, e } = key;
  return {
    kid: String(kid),
    publicKey: createPublicKey({ key: { kty: 'RSA', n: String(n), e: String(e) }, format: 'jwk' }),
  };
}

/** Claims of a JWT, unverified; null for what is none. */
export function claimsOf(token: string): JsonObject | null {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return isObject(claims) ? claims : null;
  } catch {
    return null;
  }
}

/** Whether an issuer of the policy issued the claims, and they have not ended. That is all that the lab looks at. */
export function isCurrent({ anyOf }: LabReleasePolicy, { iss, exp }: JsonObject, at: Date): boolean {
  return anyOf.some(({ authority }) => authority === iss) && Number(exp) * 1000 > at.getTime();
}

export function meetsPolicy({ anyOf }: LabReleasePolicy, claims: JsonObject): boolean {
  const holds = ({ claim, equals }: { readonly claim: string; readonly equals: JsonValue }) =>
    claim.split('.').reduce<JsonValue | undefined>((at, name) => (isObject(at) ? at[name] : undefined), claims) ===
    equals;
  return anyOf.some(({ authority, allOf }) => authority === claims['iss'] && allOf.every(holds));
}

/** Wraps bytes to a public key: RSA-OAEP of an AES key, then the bytes under that by RFC 5649. */
export function wrapBytes(bytes: Uint8Array, key: KeyObject, enc: string): Uint8Array {
  const aes = randomBytes(AES_BYTES);
  const cipher = createCipheriv(KEY_WRAP_PAD, aes, ALTERNATIVE_IV);
  return Buffer.concat([publicEncrypt(oaep(key, enc), aes), cipher.update(bytes), cipher.final()]);
}

/** The `value` in a vault's answer: a JWS of the service, with the wrapped key in it. */
export function releaseAnswer(
  call: LabReleaseCall,
  material: Uint8Array,
  wrapping: WrappingKey,
  pki: VaultAnswerPki,
  making: ReleaseMaking = {},
): string {
  const { hsm, hsmText = (text: string) => text, described, request, chain = pki.chain() } = making;
  const { kid, enc } = call;
  const wrapped = {
    schema_version: '1.0',
    header: { kid: wrapping.kid, alg: 'dir', enc },
    ciphertext: Buffer.from(wrapBytes(material, wrapping.publicKey, enc)).toString('base64url'),
  };
  const keyHsm = Buffer.from(hsmText(JSON.stringify(changedMembers(wrapped, hsm)))).toString('base64url');
  const asked = {
    'api-version': '7.4',
    enc,
    kid: call.asked,
    ...(call.nonce === undefined ? {} : { nonce: call.nonce }),
  };
  const key = { kid, kty: 'oct-HSM', key_ops: ['encrypt', 'decrypt'], key_hsm: keyHsm };
  const attributes = { enabled: true, exportable: true, recoveryLevel: 'Recoverable+Purgeable' };
  const genuine = {
    header: headerOf(chain),
    claims: {
      request: changedMembers(asked, request),
      response: { key: { key: changedMembers(key, described), attributes, tags: {} } },
    },
    key: pki.leaf.privateKey,
    algorithm: 'RS256',
  };
  return makeToken(genuine, making);
}

/** Header of an answer that these certificates vouch for, without `alg`. */
export function headerOf(chain: readonly Uint8Array[]): JsonObject {
  const [leaf = new Uint8Array()] = chain;
  const thumbprint = (hash: string) => createHash(hash).update(leaf).digest();
  return {
    kid: thumbprint('sha1').toString('hex').toUpperCase(),
    x5t: thumbprint('sha1').toString('base64url'),
    typ: 'JWT',
    'x5t#S256': thumbprint('sha256').toString('base64url'),
    x5c: chain.map((certificate) => Buffer.from(certificate).toString('base64')),
  };
}

/**
 * Opens a released key as the guest does, with the private half of the key that its token named.
 *
 * @param value the JWS, which the service verified
 * @returns the bytes of the key: PKCS #8 of an asymmetric one, the bytes of a symmetric one
 * @throws {Error} if it is wrapped to another key, or was changed
 */
export function unwrapReleasedKey(value: string, privateKey: KeyObject): Uint8Array {
  const claims = claimsOf(value) as unknown as { response: { key: { key: { key_hsm: string } } } };
  const wrapped = JSON.parse(Buffer.from(claims.response.key.key.key_hsm, 'base64url').toString('utf8'));
  const ciphertext = Buffer.from(wrapped.ciphertext, 'base64url');
  const modulusBytes = (privateKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  const aes = privateDecrypt(oaep(privateKey, wrapped.header.enc), ciphertext.subarray(0, modulusBytes));
  const decipher = createDecipheriv(KEY_WRAP_PAD, aes, ALTERNATIVE_IV);
  return Buffer.concat([decipher.update(ciphertext.subarray(modulusBytes)), decipher.final()]);
}

function oaep(key: KeyObject, enc: string) {
  const oaepHash = OAEP_HASHES[enc];
  if (oaepHash === undefined) throw new Error(`keys are not wrapped by ${enc}`);
  return { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash };
}
