/** A parsed JSON value. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [member: string]: JsonValue;
}

/** Whether a value is an object, and neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own member of an object; undefined if there is none, or the value is no object. */
export function member(value: unknown, name: string): JsonValue | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses one JSON object (RFC 8259) in UTF-8 without duplicate members, at any depth. The result is deep-frozen, and its objects have no
 * prototype, so that they only have members of the text.
 *
 * @throws {Error} for anything else
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject {
  const text = UTF8.decode(bytes);
  const value: unknown = JSON.parse(text, (_name, each) =>
    Object.freeze(isObject(each) ? withoutPrototype(each) : each),
  );
  if (!isObject(value)) throw new SyntaxError('not a JSON object');
  refuseRepeatedMembers(text);
  return value;
}

function withoutPrototype(value: JsonObject): JsonObject {
  return Object.assign(Object.create(null), value);
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g;

/**
 * Rejects duplicate members: the platform's parser silently uses the last one, another parser may use the first.
 *
 * @param text valid JSON, so only the names are searched
 */
function refuseRepeatedMembers(text: string): void {
  // The names of each object that is open; null for an array.
  const open: (Set<string> | null)[] = [];
  let before = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token !== ',' && (before === '{' || before === ',')) addName(open.at(-1) ?? null, JSON.parse(token));
    before = token;
  }
}

/** @param names null for an array, where the text is not a name */
function addName(names: Set<string> | null, name: string): void {
  if (names?.has(name)) throw new SyntaxError('a member stands twice');
  names?.add(name);
}
