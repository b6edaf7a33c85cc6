import { latin1, utf8 } from '../core/bytes.js';
import type { JsonObject } from '../core/json.js';
import type { FieldDescription } from './field-description.js';

/** Strings and the structural characters of JSON. Other values and blanks are between them. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/gs;

/**
 * Lists the members of a JSON object as fields, each with the place of its value.
 * @param text text of the object, accepted by the strict parser
 */
export function memberFields(text: Uint8Array, object: JsonObject): readonly FieldDescription[] {
  const places = placesOfValues(text);
  return Object.entries(object).map(([name, value]) => {
    const { offset, length } = places.get(name) ?? { offset: null, length: null };
    return { name, offset, length, value, meaning: null };
  });
}

function placesOfValues(text: Uint8Array) {
  const places = new Map<string, { readonly offset: number; readonly length: number }>();
  // One character per byte, so that places are byte offsets.
  const characters = latin1(text);
  let name: string | null = null;
  let start = 0;
  for (const { token, at } of tokensOfObject(characters)) {
    if (token === ':') {
      start = at + 1;
    } else if (token.startsWith('"')) {
      name ??= JSON.parse(utf8(text.subarray(at, at + token.length)));
    } else if (name !== null) {
      const written = characters.slice(start, at);
      const value = written.trim();
      places.set(name, { offset: start + written.indexOf(value), length: value.length });
      name = null;
    }
  }
  return places;
}

/** The tokens of the object itself, outside nested values: names and strings, colons, commas, and the closing brace. */
function* tokensOfObject(characters: string) {
  let depth = 0;
  for (const { 0: token, index: at } of characters.matchAll(TOKENS)) {
    const isEnd = token === '}' || token === ']';
    if (depth === 1 && !'{['.includes(token) && token !== ']') yield { token, at };
    if (isEnd) depth -= 1;
    else if (token === '{' || token === '[') depth += 1;
  }
}
