import { parseStrictJson, type StrictJsonLimits } from '../formats/strict-json.js';
import { within } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';

/**
 * Reads the JSON of a body. What is wrong with the text as a whole is said of the whole body, whose pointer is empty.
 *
 * @throws {FormatError} codes of `parseStrictJson`
 */
export function readBody(body: Uint8Array, limits?: StrictJsonLimits): JsonValue {
  return within('', () => parseStrictJson(body, limits));
}
