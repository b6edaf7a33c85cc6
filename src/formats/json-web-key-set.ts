import { createPublicKey } from 'node:crypto';
import { isSameBytes } from '../core/bytes.js';
import type { TokenKey } from '../core/endorsement.js';
import { FormatError, nullIfMalformed } from '../core/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import type { RsaPublicKey } from '../core/rsa-public-key.js';
import { decodeBase64, decodeStandardBase64, encodeBase64Url } from './base64.js';
import { TOKEN_LENGTH } from './jws.js';
import { weaknessOf } from './rsa-strength.js';
import { parseStrictJson } from './strict-json.js';
import { parseCertificate } from './x509-certificate.js';

/** An unused key of a set, and the reason for messages. */
export interface KeyLeftOut {
  /** Index in the set, from 0. */
  readonly index: number;
  readonly why: string;
}

/** A parsed key set. Its publisher and the chains of its certificates are not verified. */
export interface ParsedKeySet {
  /** At least one key. Maps `kid`, an opaque string, to every key with it, in the order of the set. */
  readonly keys: ReadonlyMap<string, readonly TokenKey[]>;
  readonly leftOut: readonly KeyLeftOut[];
}

/** The kinds of keys to read. */
export interface KeyKinds {
  /** Whether to read EC keys on P-256 beside RSA keys. */
  readonly ec: boolean;
  /** Whether the caller uses certificates of RSA keys. Otherwise a malformed certificate of a key with `n` and `e` is ignored. */
  readonly judgesCertificates?: boolean;
  /** If it is left out, the `issuer` of keys is ignored. */
  readonly tenant?: KeyTenant | null;
}

/** A tenant of Microsoft Entra ID. Its key sets also have keys of other tenants, with their `issuer`. */
export interface KeyTenant {
  /** `iss` of its tokens. */
  readonly issuer: string;
  readonly tenantId: string;
}

/** Verifiers of evidence sign with RSA only. */
const RSA_KEYS: KeyKinds = { ec: false };

const COORDINATE_BYTES = 32;
const MAXIMUM_KEYS = 64;
const MAXIMUM_KID_LENGTH = 512;
const MAXIMUM_CERTIFICATES = 10;

/** Certificates of Azure Attestation contain the evidence of a whole TEE: report, certificates, endorsements of its image. */
export const KEY_CERTIFICATE = { maximumBytes: TOKEN_LENGTH } as const;

/** Members of private and symmetric keys (RFC 7518, sections 6.2.2, 6.3.2 and 6.4). A set with them is compromised. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** The form of exponent and modulus, RFC 7518, section 2. */
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * Reads a JWK Set (RFC 7517, section 5) of signature keys. Leaves out keys that are weak, of another kind, for another
 * use, or unsupported, and accepts the rest of the set.
 *
 * Uses only the point of an EC key: its certificates are neither checked nor returned.
 *
 * Keys may have a certificate instead of `n` and `e` (Azure Attestation publishes such keys). If a key has both, they
 * must agree. Not checked: the chain and dates of certificates, which the verifier checks, and the unused members
 * `x5t` and `x5u`.
 *
 * @throws {FormatError} `schema` if it is not a set of at most 64 keys, or has no usable key
 * @throws {FormatError} codes of strict JSON: `duplicate_key`, `forbidden_key`, `encoding`, `too_complex`
 */
export function parseKeySet(bytes: Uint8Array, kinds: KeyKinds = RSA_KEYS): ParsedKeySet {
  const keys = new Map<string, TokenKey[]>();
  const leftOut: KeyLeftOut[] = [];
  for (const [index, jwk] of listedKeys(parseStrictJson(bytes)).entries()) {
    const key = keyOrWhyNot(jwk, kinds);
    if (typeof key === 'string') leftOut.push({ index, why: key });
    else keys.set(key.kid, [...(keys.get(key.kid) ?? []), key]);
  }
  if (keys.size === 0) throw new FormatError('schema', 'key set has no key that can be used');
  return { keys, leftOut };
}

function listedKeys(value: JsonValue): readonly JsonValue[] {
  const keys = isObject(value) ? value['keys'] : undefined;
  if (!Array.isArray(keys)) throw new FormatError('schema', 'not a key set');
  if (keys.length > MAXIMUM_KEYS) throw new FormatError('schema', `key set has more than ${MAXIMUM_KEYS} keys`);
  return keys;
}

/** Returns the key, or why it is left out: a fault in one key does not affect the others. */
function keyOrWhyNot(jwk: JsonValue, kinds: KeyKinds): TokenKey | string {
  try {
    return readKey(jwk, kinds);
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}

function readKey(jwk: JsonValue, { ec, judgesCertificates = true, tenant = null }: KeyKinds): TokenKey {
  if (!isObject(jwk)) throw unfit('key is not an object');
  const isEc = ec && jwk['kty'] === 'EC';
  if (!isEc && jwk['kty'] !== 'RSA') throw unfit(`key is not an RSA${ec ? ' or EC' : ''} key`);
  if (SECRET_MEMBERS.some((member) => member in jwk)) throw unfit('key has members of a private or symmetric key');
  requireForSignatures(jwk);
  if (tenant !== null) requireForTenant(jwk, tenant);
  const kid = readKid(jwk['kid']);
  const alg = readAlgorithm(jwk['alg']);
  if (isEc) return { kid, alg, ...readPoint(jwk), certificates: [] };
  const certificates = judgesCertificates ? readCertificates(jwk['x5c']) : readableCertificate(jwk['x5c']);
  const { key, spki } = readNumbers(jwk, certificates);
  const weakness = weaknessOf(key, alg);
  if (weakness !== null) throw unfit(weakness);
  // An unused certificate does not make the key invalid.
  return judgesCertificates
    ? { kid, alg, key, spki: spki ?? publicKeyInfo(key), certificates }
    : { kid, alg, key, spki: publicKeyInfo(key), certificates: [] };
}

/** RFC 7518, section 6.2.1. Coordinates are as long as the field. */
function readPoint(jwk: JsonObject): Pick<TokenKey, 'key' | 'spki'> {
  if (jwk['crv'] !== 'P-256') throw unfit('curve is not P-256');
  const [x, y] = [readCoordinate(jwk['x'], 'x'), readCoordinate(jwk['y'], 'y')];
  try {
    const imported = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    const spki = new Uint8Array(imported.export({ type: 'spki', format: 'der' }));
    return { key: { point: spki.subarray(-2 * COORDINATE_BYTES) }, spki };
  } catch {
    throw unfit('key is not a point on its curve');
  }
}

function readCoordinate(text: JsonValue | undefined, name: string): string {
  if (typeof text === 'string' && BASE64URL.test(text) && decodeBase64(text).length === COORDINATE_BYTES) return text;
  throw unfit(`${name} is not ${COORDINATE_BYTES} bytes in base64url`);
}

/** RFC 7517, sections 4.2 and 4.3. */
function requireForSignatures({ use, key_ops: operations }: JsonObject): void {
  if (use !== undefined && use !== 'sig') throw unfit('key is not for signatures');
  if (operations === undefined) return;
  if (!Array.isArray(operations) || !operations.includes('verify')) throw unfit('key is not for verifying');
}

/** Entra names one tenant in `issuer`, or has `{tenantid}` in its place for all tenants; `issuer` may be missing. */
function requireForTenant({ issuer: named }: JsonObject, { issuer, tenantId }: KeyTenant): void {
  if (named === undefined) return;
  const isOurs = typeof named === 'string' && named.replaceAll('{tenantid}', tenantId) === issuer;
  if (!isOurs) throw unfit('key is for tokens of another issuer');
}

function readKid(kid: JsonValue | undefined): string {
  if (typeof kid !== 'string' || kid === '') throw unfit('key has no kid');
  if (kid.length > MAXIMUM_KID_LENGTH) throw unfit(`kid is over ${MAXIMUM_KID_LENGTH} characters`);
  return kid;
}

function readAlgorithm(alg: JsonValue | undefined): string | null {
  if (alg === undefined) return null;
  if (typeof alg !== 'string') throw unfit('alg is not a string');
  return alg;
}

/** RFC 7517, section 4.7: standard base64, DER. Each must be a certificate, even if it is not used. */
function readCertificates(x5c: JsonValue | undefined): readonly Uint8Array[] {
  if (x5c === undefined) return [];
  if (!Array.isArray(x5c) || x5c.length === 0) throw unfit('x5c is not a list of certificates');
  if (x5c.length > MAXIMUM_CERTIFICATES) throw unfit(`x5c has more than ${MAXIMUM_CERTIFICATES} certificates`);
  return x5c.map((text: JsonValue) => {
    if (typeof text !== 'string') throw unfit('x5c is not a list of certificates');
    return parseCertificate(decodeStandardBase64(text), KEY_CERTIFICATE).der;
  });
}

/** Returns the first certificate, that of the key. Empty if it is missing or malformed; the others are not read. */
function readableCertificate(x5c: JsonValue | undefined): readonly Uint8Array[] {
  const first = Array.isArray(x5c) ? x5c.slice(0, 1) : undefined;
  return nullIfMalformed(() => readCertificates(first)) ?? [];
}

/** Returns the key, with its SubjectPublicKeyInfo if it has a certificate. */
function readNumbers(jwk: JsonObject, [first]: readonly Uint8Array[]): { key: RsaPublicKey; spki: Uint8Array | null } {
  const isNamed = 'n' in jwk || 'e' in jwk;
  const named = isNamed ? { n: readInteger(jwk['n'], 'n'), e: readInteger(jwk['e'], 'e') } : null;
  const certified = first === undefined ? null : certifiedKey(first);
  if (named === null) {
    if (certified === null) throw unfit('key has neither n and e nor a certificate');
    return certified;
  }
  if (certified === null) return { key: named, spki: null };
  const { n, e } = certified.key;
  if (!isSameBytes(n, named.n) || !isSameBytes(e, named.e)) {
    throw unfit('certificate holds another key than n and e');
  }
  return certified;
}

/** SubjectPublicKeyInfo, DER: the encoding that a certificate of the key would have. */
function publicKeyInfo({ n, e }: RsaPublicKey): Uint8Array {
  const jwk = { kty: 'RSA', n: encodeBase64Url(n), e: encodeBase64Url(e) };
  return new Uint8Array(createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' }));
}

function certifiedKey(der: Uint8Array): { key: RsaPublicKey; spki: Uint8Array } {
  const { publicKey, spki } = parseCertificate(der, KEY_CERTIFICATE);
  if (publicKey.kind !== 'rsa') throw unfit('certificate holds no RSA key');
  return { key: { n: publicKey.modulus, e: publicKey.exponent }, spki };
}

/** Reads a Base64urlUInt without its leading zeros: some writers add one, which RFC 7518, section 6.3.1 warns of. */
function readInteger(text: JsonValue | undefined, name: string): Uint8Array {
  if (typeof text !== 'string' || !BASE64URL.test(text)) throw unfit(`${name} is not base64url`);
  const bytes = decodeBase64(text);
  const start = bytes.findIndex((octet) => octet !== 0);
  if (start < 0) throw unfit(`${name} is zero`);
  return bytes.subarray(start);
}

function unfit(message: string): FormatError {
  return new FormatError('schema', message);
}
