import { isUtf8 } from 'node:buffer';
import { parseStrictJson, type StrictJsonLimits } from '../formats/strict-json.js';
import { FormatError, within } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';

/**
 * Reads the JSON of a body. What is wrong with the text as a whole is said of the whole body, whose pointer is empty.
 *
 * @throws {FormatError} codes of `parseStrictJson`
 */
export function readBody(body: Uint8Array, limits?: StrictJsonLimits): JsonValue {
  if (body.byteLength === 0)
    throw new FormatError('schema', 'the body is empty: expected a JSON object', { pointer: '' });
  if (!isUtf8(body)) {
    throw new FormatError('encoding', 'the body is not UTF-8: bytes are sent as base64 in members of a JSON object', {
      pointer: '',
    });
  }
  return within('', () => parseStrictJson(body, limits));
}
