import { isObject, type JsonObject, type JsonValue } from './json.js';

/** Longer lists are shown as their length. */
const LONGEST_LIST = 8;

/** Shortens a compared value for answers and records. Parsers bound the sizes of values; only lists are cut here. */
export function withoutLongLists(value: JsonValue): JsonValue {
  // Nearly every value stays unchanged, and is not copied.
  if (!hasLongList(value)) return value;
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutLongLists(member)]));
  return isLongList(value) ? value.length : value.map(withoutLongLists);
}

function hasLongList(value: JsonValue): value is JsonObject | readonly JsonValue[] {
  if (Array.isArray(value)) return isLongList(value) || value.some(hasLongList);
  return isObject(value) && Object.values(value).some(hasLongList);
}

function isLongList(value: readonly JsonValue[]): boolean {
  return value.length > LONGEST_LIST;
}
