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

/** A key of a set that is not used, and why, for people. */
export interface KeyLeftOut {
  /** Place in the set, from 0. */
  readonly index: number;
  readonly why: string;
}

/** A key set as it stands. Who published it, and whether its certificates chain to anything, is not established. */
export interface ParsedKeySet {
  /** At least one key. By `kid`, an opaque string: every entry that has it, in the order of the set. */
  readonly keys: ReadonlyMap<string, readonly TokenKey[]>;
  readonly leftOut: readonly KeyLeftOut[];
}

/** Which keys of a set are read. */
export interface KeyKinds {
  /** EC keys on P-256 beside RSA keys. */
  readonly ec: boolean;
  /** Whether something rests on certificates of RSA keys. Otherwise one that cannot be read is passed over where the key has `n` and `e`. */
  readonly judgesCertificates?: boolean;
  /** Left out: what keys say of issuers is not looked at. */
  readonly tenant?: KeyTenant | null;
}

/** A tenant of Microsoft Entra ID, whose key sets have keys of other tenants too, and say so in `issuer` of a key. */
export interface KeyTenant {
  /** `iss` of its tokens. */
  readonly issuer: string;
  readonly tenantId: string;
}

/** Verifiers of evidence sign with RSA alone. */
const RSA_KEYS: KeyKinds = { ec: false };

const COORDINATE_BYTES = 32;
const MAXIMUM_KEYS = 64;
const MAXIMUM_KID_LENGTH = 512;
const MAXIMUM_CERTIFICATES = 10;

/** Those of Azure Attestation carry the evidence of a whole TEE: report, certificates, endorsements of its image. */
export const KEY_CERTIFICATE = { maximumBytes: TOKEN_LENGTH } as const;

/** Members of private and symmetric keys (RFC 7518, sections 6.2.2, 6.3.2 and 6.4): a set with them is no secret. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** Exponent and modulus as RFC 7518, section 2 writes integers. */
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * Reads a JWK Set (RFC 7517, section 5) of keys for signatures. A key that is weak, of another kind, for another
 * use, or not understood is left out, and the set counts without it.
 *
 * EC keys are taken by their point alone: certificates of theirs are not looked at, and are not in what is read.
 *
 * Keys may have no `n` and `e` but a certificate (Azure Attestation publishes them so); where both are there, they
 * must agree. Not checked: the chain and dates of certificates, which the verifier judges; `x5t` and `x5u`, which say
 * nothing that counts here.
 *
 * @throws {FormatError} `schema` for what is no set of at most 64 keys, or has no key that can be used
 * @throws {FormatError} what strict JSON refuses: `duplicate_key`, `forbidden_key`, `encoding`, `too_complex`
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

/** The key, or why it is left out: what is wrong with one key says nothing of the others. */
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
  // A certificate that nothing rests on makes no other key of it.
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

/** Entra writes the issuer of one tenant, or that of all with `{tenantid}` in the place of the tenant; a key may say neither. */
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

/** RFC 7517, section 4.7: standard base64, DER. Each has to be a certificate, whether anything rests on it or not. */
function readCertificates(x5c: JsonValue | undefined): readonly Uint8Array[] {
  if (x5c === undefined) return [];
  if (!Array.isArray(x5c) || x5c.length === 0) throw unfit('x5c is not a list of certificates');
  if (x5c.length > MAXIMUM_CERTIFICATES) throw unfit(`x5c has more than ${MAXIMUM_CERTIFICATES} certificates`);
  return x5c.map((text: JsonValue) => {
    if (typeof text !== 'string') throw unfit('x5c is not a list of certificates');
    return parseCertificate(decodeStandardBase64(text), KEY_CERTIFICATE).der;
  });
}

/** That of the key, the first. Empty where there is none, or it cannot be read; the others are not looked at. */
function readableCertificate(x5c: JsonValue | undefined): readonly Uint8Array[] {
  const first = Array.isArray(x5c) ? x5c.slice(0, 1) : undefined;
  return nullIfMalformed(() => readCertificates(first)) ?? [];
}

/** The key; with its SubjectPublicKeyInfo where it is certified. */
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

/** A Base64urlUInt without its leading zeros: some writers put one, which RFC 7518, section 6.3.1 warns of. */
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
