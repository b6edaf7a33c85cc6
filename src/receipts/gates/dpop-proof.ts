import { createHash } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import { type GateCode, GateRefusal } from '../../core/gate.js';
import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';
import { jwkThumbprint, thumbprintMembers } from '../../crypto/jwk-thumbprint.js';
import { decodeBase64 } from '../../formats/base64.js';
import { parseStrictJson, STRICT_JSON_LIMITS } from '../../formats/strict-json.js';

/** The expected values of a proof (RFC 9449, section 4.3). */
export interface ExpectedProof {
  /** The key in the receipt. The thumbprint is that of the JWK. */
  readonly key: { readonly jwk: JsonObject; readonly jkt: string };
  /** The receipt as sent. */
  readonly receipt: string;
  readonly method: string;
  /** Origin of the gate, as clients use it. */
  readonly origin: string;
  /** Path of the client's request, as sent. */
  readonly path: string;
  readonly now: Date;
}

/** Signature algorithms of each kind of key (RFC 7518, RFC 8037, RFC 9864). */
const ALGORITHMS: ReadonlyMap<string, readonly string[]> = new Map([
  ['EC P-256', ['ES256']],
  ['EC P-384', ['ES384']],
  ['EC P-521', ['ES512']],
  ['OKP Ed25519', ['EdDSA', 'Ed25519']],
  ['RSA', ['PS256', 'RS256']],
]);

/** Members of private keys (RFC 7518, section 6): a sender of one has exposed it. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

const LONGEST = 8_192;
const LONGEST_ID = 256;
const WINDOW_SECONDS = 60;
const LIMITS = { ...STRICT_JSON_LIMITS, depth: 8, items: 32, values: 64 };
const SEGMENT = /^[A-Za-z0-9_-]+$/;
/** Scheme with authority, and path. */
const TARGET = /^(https?:\/\/[^/?#]+)(\/[^?#]*)?$/i;

/**
 * Checks the steps of RFC 9449, section 4.3, and returns `jti` and the time of the proof. The caller checks for reuse of the proof.
 *
 * @throws {GateRefusal} `dpop_form`, `dpop_header`, `dpop_key`, `dpop_signature`, `dpop_method`, `dpop_target`, `dpop_time`,
 *   `dpop_receipt`
 */
export async function checkProof(
  proof: string,
  expected: ExpectedProof,
): Promise<{ readonly jti: string; readonly madeAt: Date }> {
  const { header, claims } = takeApart(proof);
  await requireSignature(proof, header, expected.key);
  const { jti, htm, htu, iat, ath } = claims;
  demand(htm === expected.method, 'dpop_method', 'the proof is for another method');
  demand(isTarget(htu, expected), 'dpop_target', 'the proof is for another URL');
  const madeAt = timeOf(iat, expected);
  demand(ath === receiptHash(expected.receipt), 'dpop_receipt', 'the proof is for another receipt');
  return { jti: idOf(jti), madeAt };
}

/** Steps 2 to 5, without the key. */
function takeApart(proof: string): { readonly header: JsonObject; readonly claims: JsonObject } {
  demand(proof.length <= LONGEST, 'dpop_form', `the proof has over ${LONGEST} characters`);
  const parts = proof.split('.');
  demand(parts.length === 3, 'dpop_form', 'the proof does not have three parts');
  const [first, second, third] = parts as [string, string, string];
  const [header, claims] = [parseProofPart(first), parseProofPart(second)];
  decode(third);
  demand(header['typ'] === 'dpop+jwt', 'dpop_header', 'the proof does not have the typ dpop+jwt');
  // `crit` is not supported, so the proof may have another meaning.
  demand(header['crit'] === undefined, 'dpop_header', 'the header of the proof has crit');
  return { header, claims };
}

function parseProofPart(part: string): JsonObject {
  const bytes = decode(part);
  const value = unlessMalformed(() => parseStrictJson(bytes, LIMITS));
  if (!isObject(value)) throw new GateRefusal('dpop_form', 'a part of the proof is not an object');
  return value;
}

function decode(part: string): Uint8Array {
  demand(SEGMENT.test(part), 'dpop_form', 'a part of the proof is not base64url');
  return unlessMalformed(() => decodeBase64(part));
}

function unlessMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new GateRefusal('dpop_form', 'a part of the proof cannot be read', { cause });
  }
}

/** Steps 5 to 7: verifies with the key of the receipt, which must equal the key in the proof. */
async function requireSignature(proof: string, header: JsonObject, key: ExpectedProof['key']): Promise<void> {
  const { alg, jwk } = header;
  if (!isObject(jwk)) throw new GateRefusal('dpop_header', 'the proof has no key');
  const isPrivate = PRIVATE_MEMBERS.some((member) => jwk[member] !== undefined);
  demand(!isPrivate, 'dpop_header', 'the proof has a private key');
  demand(jwkThumbprint(jwk) === key.jkt, 'dpop_key', 'the key of the proof is not the one that the receipt names');
  const { kty, crv } = key.jwk;
  const algorithms = ALGORITHMS.get(kty === 'RSA' ? 'RSA' : `${kty} ${crv}`);
  if (typeof alg !== 'string' || algorithms?.includes(alg) !== true) {
    throw new GateRefusal('dpop_header', 'the algorithm of the proof is not one of its key');
  }
  try {
    const publicKey = await importJWK({ ...thumbprintMembers(key.jwk) }, alg);
    await compactVerify(proof, publicKey, { algorithms: [alg] });
  } catch (cause) {
    throw new GateRefusal('dpop_signature', 'the signature of the proof does not hold', { cause });
  }
}

/**
 * Step 9. Scheme and host may be spelt differently; the path must be as sent: the service behind the proxy may treat two spellings
 * differently. A client that follows section 4.2 sends neither query nor fragment.
 */
function isTarget(htu: JsonValue | undefined, { origin, path }: ExpectedProof): boolean {
  const parts = typeof htu === 'string' ? TARGET.exec(htu) : null;
  if (parts === null) return false;
  // No path is `/` (RFC 9110, section 4.2.3).
  const [, base = '', sent = '/'] = parts;
  return URL.canParse(base) && isOrigin(new URL(base), origin) && sent === path;
}

function isOrigin(url: URL, origin: string): boolean {
  return url.username === '' && url.password === '' && url.origin === origin;
}

/** Step 11. */
function timeOf(iat: JsonValue | undefined, { now }: ExpectedProof): Date {
  if (typeof iat !== 'number') throw new GateRefusal('dpop_time', 'the proof has no time');
  const ageSeconds = now.getTime() / 1000 - iat;
  demand(Math.abs(ageSeconds) <= WINDOW_SECONDS, 'dpop_time', `the proof is not of the last ${WINDOW_SECONDS} seconds`);
  return new Date(iat * 1000);
}

function idOf(jti: JsonValue | undefined): string {
  if (typeof jti === 'string' && jti !== '' && jti.length <= LONGEST_ID) return jti;
  throw new GateRefusal('dpop_form', `the proof has no id of up to ${LONGEST_ID} characters`);
}

/** `ath` (RFC 9449, section 4.2). */
function receiptHash(receipt: string): string {
  return createHash('sha256').update(receipt).digest('base64url');
}

function demand(holds: boolean, code: GateCode, message: string): asserts holds {
  if (!holds) throw new GateRefusal(code, message);
}
