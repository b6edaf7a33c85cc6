import { isSameBytes } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import type { Provenance, Sourced, TokenKey, TokenKeySet, Unavailable } from '../../core/endorsement.js';
import { FormatError, nullIfMalformed, within } from '../../core/errors.js';
import type { TokenType } from '../../core/evidence.js';
import type { JsonObject, JsonValue } from '../../core/json.js';
import { decodeStandardBase64 } from '../../formats/base64.js';
import { KEY_CERTIFICATE } from '../../formats/json-web-key-set.js';
import { type Jws, parseClaimsSet, parseJws } from '../../formats/jws.js';
import { weaknessOf } from '../../formats/rsa-strength.js';
import { parseCertificate } from '../../formats/x509-certificate.js';
import { isKeyFor, type JwsAlgorithm, verifyJws } from '../jws-signature.js';
import { lookalike } from './token-lookalike.js';
import { readTimes, type TimeRules, type TokenTimes, verifyTimes } from './token-times.js';

/** A parsed token. Nothing of it is verified. */
export interface ReadToken {
  readonly text: string;
  readonly jws: Jws;
  readonly claims: JsonObject;
  readonly times: TokenTimes;
}

/** Issuers of one kind, and their name in messages. */
export interface TokenScheme {
  /** The type of the tokens in requests; null if they are not evidence. */
  readonly type: TokenType | null;
  /** The kind of issuer of such tokens. */
  readonly verifier: string;
  /** Settings with the accepted issuers. */
  readonly issuerSettings: string;
  /** Setting with the source of an issuer's keys. */
  readonly keysSetting: string;
  /** Algorithms of its issuers. */
  readonly algorithms: readonly JwsAlgorithm[];
}

export interface TokenRules extends TimeRules {
  readonly scheme: TokenScheme;
  /** The configured issuer that equals the token's, character by character; null if there is none. */
  readonly issuer: string | null;
  /** Configured issuers, for messages. */
  readonly issuers: readonly string[];
  readonly keys: Sourced<TokenKeySet> | Unavailable | null;
  /** `aud` must be, or contain, one of these. Null: it must be absent. */
  readonly audiences: readonly string[] | null;
}

/** The signer of a token, and its times. */
export interface VerifiedToken {
  readonly key: TokenKey;
  readonly source: Provenance['origin'];
  /** When the service fetched the keys; null if it did not. */
  readonly keysFetchedAt: Date | null;
  readonly expiresAt: Date;
  readonly clockSkewSeconds: number | null;
}

/** Checks that every token must have a result for, in their order. */
export const TOKEN_CHECKS = [
  'token_alg',
  'token_issuer',
  'jwks_unavailable',
  'token_key',
  'token_signature',
  'token_lifetime',
  'token_time',
  'token_audience',
] as const satisfies readonly CheckId[];

/** Permitted `typ` of a token (RFC 7515, section 4.1.9). */
export interface TypeRules {
  readonly types: readonly string[];
  /** Whether it is optional. */
  readonly isOptional: boolean;
  /** Whether it is compared as a media type: without case, and with or without `application/`. Otherwise character by character. */
  readonly asMediaType: boolean;
}

/** The only `typ` of verifiers of evidence. */
const OF_EVIDENCE: TypeRules = { types: ['JWT'], isOptional: false, asMediaType: false };

/**
 * Parses a token.
 *
 * @throws {FormatError} `token_format`, `token_header`, `duplicate_key`; `token_claim` for times out of range,
 *   or a missing `exp`
 */
export function readToken(text: string, rules = OF_EVIDENCE): ReadToken {
  const jws = parseJws(text);
  if (!isOfType(jws.header['typ'], rules)) {
    throw new FormatError('token_header', `typ is not ${rules.types.join(' or ')}`);
  }
  const claims = parseClaimsSet(jws.payload);
  return { text, jws, claims, times: readTimes(claims) };
}

function isOfType(typ: JsonValue | undefined, { types, isOptional, asMediaType }: TypeRules): boolean {
  if (typ === undefined) return isOptional;
  if (typeof typ !== 'string') return false;
  if (!asMediaType) return types.includes(typ);
  const named = typ.toLowerCase().replace(/^application\//, '');
  return types.some((type) => type.toLowerCase() === named);
}

/**
 * Verifies algorithm, issuer, key, signature, times and audience, in this order. Does not interpret other claims.
 *
 * Not checked: `sub`, and `jti`: a repeated token is still true, and the nonce shows that it is about this
 * request.
 *
 * @returns null if the token is not reliable, which the checks explain
 * @throws {FormatError} `token_header` if `x5c` in the header has another key
 */
export async function verifyToken(checks: Checks, token: ReadToken, rules: TokenRules): Promise<VerifiedToken | null> {
  const algorithm = verifyAlgorithm(checks, token, rules);
  if (algorithm === null || !verifyIssuer(checks, token, rules)) return null;
  const { keys } = rules;
  const kid = kidOf(token);
  if (kid === null) {
    checks.fail('token_key', { detail: 'the token does not name its key' });
    return null;
  }
  if (keys === null || 'code' in keys) {
    const missing = keys ?? {
      code: 'jwks_unavailable',
      detail: 'no source for the keys of the issuer',
      retryable: false,
    };
    checks.unavailable(missing.code, { ...missing, setting: rules.scheme.keysSetting });
    return null;
  }
  checks.pass('jwks_unavailable', { detail: describeKeys(keys.value) });
  const key = findKey(checks, kid, keys, algorithm, rules);
  if (key === null) return null;
  within(checks.about, () => requireSameKey(token, key));
  const signed = checks.require(await verifyJws(token.text, algorithm, key.key), 'token_signature', {
    expected: algorithm,
  });
  if (!signed) return null;
  const times = verifyTimes(checks, token.times, rules);
  if (!verifyAudience(checks, token, rules)) return null;
  if (times === null) return null;
  const { origin: source, fetchedAt: keysFetchedAt = null } = keys;
  return { key, source, keysFetchedAt, expiresAt: new Date(token.times.exp * 1000), ...times };
}

function describeKeys({ unrenewedSince }: TokenKeySet): string {
  const atHand = 'the keys of the issuer are available';
  return unrenewedSince === undefined
    ? atHand
    : `${atHand}, as fetched at ${unrenewedSince.toISOString()}: they could not be renewed since`;
}

/** Compares the algorithm with those of the issuer. The token never selects it. */
function verifyAlgorithm(
  checks: Checks,
  { jws, claims }: ReadToken,
  { scheme: { algorithms, type } }: TokenRules,
): JwsAlgorithm | null {
  const { alg } = jws.header;
  const found = algorithms.find((algorithm) => algorithm === alg) ?? null;
  const { hint, looksLike } = lookalike(claims['iss'], type);
  checks.require(found !== null, 'token_alg', {
    expected: algorithms,
    actual: found ?? looksLike,
    otherwise: `the token names an algorithm that its issuer does not use${hint}`,
  });
  return found;
}

function verifyIssuer(checks: Checks, { claims }: ReadToken, { scheme, issuer, issuers }: TokenRules): boolean {
  const { hint, looksLike } = lookalike(claims['iss'], scheme.type);
  return checks.require(issuer !== null, 'token_issuer', {
    expected: issuers,
    actual: issuer ?? looksLike,
    detail: `the token is from ${scheme.verifier}, and ${scheme.issuerSettings} has its issuer`,
    otherwise: `${scheme.issuerSettings} does not have the issuer of the token${hint}`,
    setting: scheme.issuerSettings,
  });
}

/**
 * Rejects a token for another audience (RFC 7519, section 4.1.3). Verifiers write no `aud`: a token with one is for another
 * recipient, since this service has no name for `aud`. The nonce shows that a token without one is about this
 * request.
 */
function verifyAudience(checks: Checks, { claims }: ReadToken, { scheme, audiences }: TokenRules): boolean {
  const { aud = null } = claims;
  const named: readonly JsonValue[] = Array.isArray(aud) ? aud : [aud];
  const isOurs =
    audiences === null
      ? aud === null
      : named.every((name) => typeof name === 'string') && named.some((name) => audiences.includes(String(name)));
  return checks.require(isOurs, 'token_audience', {
    expected: audiences,
    actual: aud,
    otherwise: `the token is for another audience${audiences === null ? `; tokens of ${scheme.verifier} have none` : ''}`,
  });
}

/** No issuer uses longer names of keys; a longer name is not searched. */
const LONGEST_KID = 512;

/** The name of the signing key according to the token, `kid`, an opaque text. Null if it names none. */
export function kidOf({ jws }: ReadToken): string | null {
  const { kid } = jws.header;
  return typeof kid === 'string' && kid !== '' && kid.length <= LONGEST_KID ? kid : null;
}

/**
 * Finds the key that `kid` and `alg` of the token select (RFC 7515, section 4.1.4). A set may list one key several times,
 * also for several algorithms; two different keys with the same name and algorithm are ambiguous.
 *
 * Keys in the operator's file can be older than the issuer's published keys: then the remedy names the file.
 */
function findKey(
  checks: Checks,
  kid: string,
  { value: { keys }, origin }: Sourced<TokenKeySet>,
  algorithm: JwsAlgorithm,
  { scheme: { keysSetting } }: TokenRules,
): TokenKey | null {
  const named = keys.get(kid) ?? [];
  const fitting = named.filter((entry) => isForAlgorithm(entry, algorithm));
  const [key = null] = fitting;
  const isAmbiguous = fitting.some(({ spki }) => key !== null && !isSameBytes(spki, key.spki));
  const fromFile = origin === 'store';
  const listing = fromFile ? `the key file of ${keysSetting}` : 'the issuer';
  const isListed = named.length > 0 && !isAmbiguous;
  checks.require(isListed, 'token_key', {
    expected: fromFile && named.length === 0 ? { setting: keysSetting } : null,
    actual: isListed ? kid : null,
    detail: fromFile ? `${listing} lists the key` : `${listing} publishes the key`,
    otherwise: isAmbiguous
      ? `several keys of ${listing} have this name and algorithm`
      : `the token names no key that ${listing} ${fromFile ? 'lists' : 'publishes'}`,
  });
  if (isListed && key === null) failForAlgorithm(checks, named, algorithm);
  return isListed ? key : null;
}

/** An entry without `alg` is for every algorithm that suits kind and size of its key. */
function isForAlgorithm({ alg, key }: TokenKey, algorithm: JwsAlgorithm): boolean {
  if (!isKeyFor(algorithm, key)) return false;
  return alg === null ? 'point' in key || weaknessOf(key, algorithm) === null : alg === algorithm;
}

function failForAlgorithm(checks: Checks, named: readonly TokenKey[], algorithm: JwsAlgorithm): void {
  const algorithms = named.flatMap(({ alg }) => alg ?? []);
  checks.fail('token_alg', {
    expected: algorithms[0] ?? null,
    actual: algorithm,
    detail:
      algorithms.length === 0 || algorithms.includes(algorithm)
        ? 'the key is of another kind than its algorithm needs, or too small'
        : `the key is for ${algorithms.join(' and ')}`,
  });
}

/** `x5c` in the header is never used (TOK-02); if present, it must have the key that the issuer publishes. */
function requireSameKey({ jws }: ReadToken, { spki }: TokenKey): void {
  const { x5c } = jws.header;
  if (x5c === undefined) return;
  const [first] = Array.isArray(x5c) ? x5c : [];
  if (typeof first !== 'string' || !isOfKey(first, spki)) {
    throw new FormatError('token_header', 'x5c is for another key than the one that the issuer publishes');
  }
}

function isOfKey(certificate: string, spki: Uint8Array): boolean {
  const parsed = nullIfMalformed(() => parseCertificate(decodeStandardBase64(certificate), KEY_CERTIFICATE));
  return parsed !== null && Buffer.compare(parsed.spki, spki) === 0;
}
