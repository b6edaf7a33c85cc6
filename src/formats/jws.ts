import type { MalformedCode } from '../core/codes.js';
import { FormatError } from '../core/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { decodeBase64 } from './base64.js';
import { parseStrictJson } from './strict-json.js';

/** Characters of a token at most: many times what any issuer writes. */
export const TOKEN_LENGTH = 65_536;

/** A signed token, taken apart. Nothing of it is verified. */
export interface Jws {
  /** The JOSE header (RFC 7515, section 4), with `alg` a string and nothing that changes how the rest is read. */
  readonly header: JsonObject & { readonly alg: string };
  /** The bytes that are signed, read as nothing yet. */
  readonly payload: Uint8Array;
  /** Empty where there is none. */
  readonly signature: Uint8Array;
}

const SEGMENT = /^[A-Za-z0-9_-]*$/;

/**
 * Members that change what is signed or how it is read, and those that supply a key of the token's own choice or name
 * a place where one is. `jku` and `x5c` are left to whoever knows the issuer: genuine tokens carry them.
 */
const REFUSED_MEMBERS = ['crit', 'b64', 'zip', 'enc', 'jwk', 'x5u'] as const;

/**
 * Takes a JWS Compact Serialization apart (RFC 7515, section 7.1), more strictly than libraries do: one text for one
 * token, no blank or padding, no unused bit, no member twice.
 *
 * @throws {FormatError} `token_format`; `token_header`, `duplicate_key` for its header
 */
export function parseJws(token: string): Jws {
  if (token.length > TOKEN_LENGTH) throw new FormatError('token_format', `token is over ${TOKEN_LENGTH} characters`);
  const wrapping = wrappingOf(token);
  if (wrapping !== null) throw new FormatError('token_format', wrapping);
  const segments = token.split('.');
  // RFC 7516: what has five parts is encrypted, and says nothing to us.
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
 * @throws {FormatError} `token_claim` where it is no JSON object, or has a number that is not exact; `duplicate_key`
 */
export function parseClaimsSet(payload: Uint8Array): JsonObject {
  const claims = parseJson(payload, 'token_claim');
  if (!isObject(claims)) throw new FormatError('token_claim', 'the claims are not an object');
  return claims;
}

/** The text around a token that was copied with it. None of it is cut off here. */
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
 * A member twice keeps its code: which of the two counts would be the reader's choice. Where in the token it stands is
 * left out: a pointer speaks of the request.
 */
function parseJson(bytes: Uint8Array, code: MalformedCode): JsonValue {
  try {
    return parseStrictJson(bytes);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FormatError(cause.code === 'duplicate_key' ? 'duplicate_key' : code, cause.message, { cause });
  }
}
