/** Text that JSON writes without escapes, thus unchanged. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A surrogate without its other half. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** `"name":` of every written member name: there are few names, and sorting by them is the main cost. */
const WRITTEN_NAMES = new Map<string, string>();
const MOST_NAMES = 4096;

/**
 * Writes a value as canonical JSON (RFC 8785): members sorted by UTF-16 code units, numbers as in ECMAScript, no
 * white space. Undefined members are left out, as `JSON.stringify` does.
 *
 * @throws {TypeError} for values outside JSON: a number that is not finite, text that is not Unicode, an undefined element
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return writeText(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('a number that is not finite has no canonical form');
    return JSON.stringify(value);
  }
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (Array.isArray(value)) return writeList(value);
  if (typeof value === 'object') return writeObject(value);
  throw new TypeError(`a value of type ${typeof value} has no canonical form`);
}

function writeList(list: readonly unknown[]): string {
  let text = '[';
  for (let index = 0; index < list.length; index++) text += (index === 0 ? '' : ',') + canonicalJson(list[index]);
  return `${text}]`;
}

function writeObject(object: object): string {
  let text = '{';
  const members = object as Readonly<Record<string, unknown>>;
  for (const name of sortedNames(object)) {
    const member = members[name];
    if (member === undefined) continue;
    text += (text.length === 1 ? '' : ',') + writeName(name) + canonicalJson(member);
  }
  return `${text}}`;
}

/** Sorts by UTF-16 code units, the order of string comparison in JavaScript. */
function sortedNames(object: object): readonly string[] {
  const names = Object.keys(object);
  for (let index = 1; index < names.length; index++) {
    if ((names[index - 1] ?? '') > (names[index] ?? '')) return names.sort();
  }
  return names;
}

function writeName(name: string): string {
  const written = WRITTEN_NAMES.get(name);
  if (written !== undefined) return written;
  const text = `${writeText(name)}:`;
  // Names may come from evidence, so the cache is bounded.
  if (WRITTEN_NAMES.size < MOST_NAMES && name.length <= 64) WRITTEN_NAMES.set(name, text);
  return text;
}

function writeText(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (LONE_SURROGATE.test(text)) throw new TypeError('text that is not Unicode has no canonical form');
  return JSON.stringify(text);
}
