import { isUtf8 } from 'node:buffer';
import { FormatError, within } from '../core/errors.js';
import type { JsonValue } from '../core/json.js';
import { parseStrictJson, STRICT_JSON_LIMITS, type StrictJsonLimits } from '../formats/strict-json.js';

/**
 * Reads the JSON of a body. Errors of the whole text have an empty pointer.
 *
 * @throws {FormatError} codes of `parseStrictJson`
 */
export function parseBody(body: Uint8Array, limits?: StrictJsonLimits): JsonValue {
  if (body.byteLength === 0)
    throw new FormatError('schema', 'the body is empty: expected a JSON object', { pointer: '' });
  if (!isUtf8(body)) {
    throw new FormatError('encoding', 'the body is not UTF-8: bytes are sent as base64 in members of a JSON object', {
      pointer: '',
    });
  }
  return within('', () => parseStrictJson(body, limits, isIgnoredMember));
}

/** Members of other services' bodies that this service ignores by name: their clients write numbers of 64 bits. */
const IGNORED_MEMBERS: readonly unknown[] = ['nonce', 'draftPolicyForAttestation', 'initTimeData'];

/** Whether a path is inside such a member of a dialect's value. The schema allows any value there, or rejects null. */
function isIgnoredMember(path: readonly (string | number)[]): boolean {
  const [first, second, third] = path;
  return first === 'value' ? IGNORED_MEMBERS.includes(second) : second === 'value' && IGNORED_MEMBERS.includes(third);
}

export type RequestLimits = StrictJsonLimits;

/**
 * Limits for the JSON of a request: its longest text is an event log in base64. All other evidence is
 * shorter than the default, regardless of the limit for logs.
 *
 * @param eventLogBytes the longest accepted event log
 */
export function requestLimits(eventLogBytes: number): RequestLimits {
  const base64Length = 4 * Math.ceil(eventLogBytes / 3);
  return { ...STRICT_JSON_LIMITS, stringBytes: Math.max(STRICT_JSON_LIMITS.stringBytes, base64Length) };
}
