import type { MalformedCode } from '../core/codes.js';
import { FormatError } from '../core/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { decodeBase64 } from './base64.js';
import { parseStrictJson } from './strict-json.js';

/** Most characters of a token: many times the length of real tokens. */
export const TOKEN_LENGTH = 65_536;

/** A parsed signed token. Nothing of it is verified. */
export interface Jws {
  /** The JOSE header (RFC 7515, section 4). `alg` is a string, and no member changes how the rest is read. */
  readonly header: JsonObject & { readonly alg: string };
  /** The signed bytes, not parsed. */
  readonly payload: Uint8Array;
  /** The signature; empty if the token has none. */
  readonly signature: Uint8Array;
}

const SEGMENT = /^[A-Za-z0-9_-]*$/;

/**
 * Members that change what is signed or how it is read, and members by which the token supplies or locates its own
 * key. The caller, which knows the issuer, handles `jku` and `x5c`: genuine tokens have them.
 */
const REFUSED_MEMBERS = ['crit', 'b64', 'zip', 'enc', 'jwk', 'x5u'] as const;

/**
 * Parses a JWS Compact Serialization (RFC 7515, section 7.1), more strictly than libraries do. A token has one text:
 * no blank or padding, no unused bit, no duplicate member.
 *
 * @throws {FormatError} `token_format`; for the header `token_header` or `duplicate_key`
 */
export function parseJws(token: string): Jws {
  if (token.length > TOKEN_LENGTH) throw new FormatError('token_format', `token is over ${TOKEN_LENGTH} characters`);
  const wrapping = wrappingOf(token);
  if (wrapping !== null) throw new FormatError('token_format', wrapping);
  const segments = token.split('.');
  // RFC 7516: a token of five parts is encrypted, and this service cannot decrypt it.
  if (segments.length === 5) throw new FormatError('token_header', 'the token is encrypted, not signed');
  const [header, payload, signature, ...more] = segments;
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
    throw new FormatError('token_format', `token has ${segments.length} parts, expected 3`);
  }
  return {
    header: parseHeader(decodeSegment(header)),
    payload: decodeSegment(payload),
    signature: decodeSegment(signature),
  };
}

/**
 * Reads the payload as a claims set (RFC 7519, section 4).
 *
 * @throws {FormatError} `token_claim` if it is not a JSON object, or has an inexact number; `duplicate_key`
 */
export function parseClaimsSet(payload: Uint8Array): JsonObject {
  const claims = parseJson(payload, 'token_claim');
  if (!isObject(claims)) throw new FormatError('token_claim', 'the claims are not an object');
  return claims;
}

/** Describes the text that was copied around a token. The text is not removed. */
function wrappingOf(token: string): string | null {
  if (/^\s*\{/.test(token)) return 'the token has a JSON object around it: expected the token alone';
  if (/^Authorization[:\s]/i.test(token)) return 'the token has Authorization in front: expected what follows Bearer';
  if (/^Bearer[:\s]/i.test(token)) return 'the token has Bearer in front: expected what follows it';
  if (/^\s*["']|["']\s*$/.test(token)) return 'the token has quotes around it: expected it without them';
  if (/\s$/.test(token)) return 'the token has a space or line feed after it: expected it without';
  return /^\s/.test(token) ? 'the token has a space or line feed before it: expected it without' : null;
}

function parseHeader(bytes: Uint8Array): Jws['header'] {
  const header = parseJson(bytes, 'token_header');
  if (!isObject(header)) throw new FormatError('token_header', 'the header is not an object');
  const refused = REFUSED_MEMBERS.find((member) => header[member] !== undefined);
  if (refused !== undefined) throw new FormatError('token_header', `the header has ${refused}`);
  if (!hasAlgorithm(header)) throw new FormatError('token_header', 'the header names no algorithm');
  return header;
}

function hasAlgorithm(header: JsonObject): header is Jws['header'] {
  return typeof header['alg'] === 'string';
}

function decodeSegment(segment: string): Uint8Array {
  if (!SEGMENT.test(segment)) throw new FormatError('token_format', 'a part of the token is not base64url');
  try {
    return decodeBase64(segment);
  } catch (cause) {
    throw new FormatError('token_format', 'a part of the token is not base64url', { cause });
  }
}

/**
 * Parses JSON. A duplicate member keeps its code, since readers differ in which value they use. The error has no pointer
 * into the token: pointers refer to the request.
 */
function parseJson(bytes: Uint8Array, code: MalformedCode): JsonValue {
  try {
    return parseStrictJson(bytes);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FormatError(cause.code === 'duplicate_key' ? 'duplicate_key' : code, cause.message, { cause });
  }
}
