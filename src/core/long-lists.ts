import { isObject, type JsonObject, type JsonValue } from './json.js';

/** Lists that are longer are shown as their number. */
const LONGEST_LIST = 8;

/** A compared value as answers and records have it. Sizes are bounded where the values are read; only lists are cut here. */
export function withoutLongLists(value: JsonValue): JsonValue {
  // Nearly every value is shown as it is, and is not copied.
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
