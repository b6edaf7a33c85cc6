/** Text of which JSON needs no escape, and which therefore stands in it as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Half of a pair that stands alone. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** `"name":` of every member name that was written: there are few names, and sorting by them is what costs. */
const WRITTEN_NAMES = new Map<string, string>();
const MOST_NAMES = 4096;

/**
 * A value as JSON in canonical form (RFC 8785): members sorted by UTF-16 code units, numbers as ECMAScript writes them, no
 * white space. Members that are undefined are left out, as `JSON.stringify` does.
 *
 * @throws {TypeError} for what JSON does not have: a number that is not finite, text that is not Unicode, an undefined element
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

/** By UTF-16 code units, which is how text is compared here. */
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
  // Names may come from evidence: what is remembered of them is bounded.
  if (WRITTEN_NAMES.size < MOST_NAMES && name.length <= 64) WRITTEN_NAMES.set(name, text);
  return text;
}

function writeText(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (LONE_SURROGATE.test(text)) throw new TypeError('text that is not Unicode has no canonical form');
  return JSON.stringify(text);
}
