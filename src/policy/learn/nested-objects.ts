import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';

/** Builds nested objects that have each value at the end of its path. */
export function nested(entries: readonly (readonly [path: readonly string[], value: JsonValue])[]): JsonObject {
  const below = new Map<string, (readonly [path: readonly string[], value: JsonValue])[]>();
  const members = new Map<string, JsonValue>();
  for (const [[name = '', ...rest], value] of entries) {
    if (rest.length === 0) members.set(name, value);
    else {
      members.set(name, null);
      below.set(name, [...(below.get(name) ?? []), [rest, value]]);
    }
  }
  for (const [name, inner] of below) members.set(name, nested(inner));
  return Object.fromEntries(members);
}

/** Returns the value at a path of names; undefined if it is absent. */
export function valueAt(object: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  for (const name of path) {
    // Own members only: a name must not reach the members that every object inherits.
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

/** Two objects as one, and so the objects in them; of anything else, the value of the second counts. */
export function merged(one: JsonObject, other: JsonObject): JsonObject {
  const shared = Object.entries(other).map(([name, value]): readonly [string, JsonValue] => {
    const own = one[name];
    return [name, isObject(own) && isObject(value) ? merged(own, value) : value];
  });
  return { ...one, ...Object.fromEntries(shared) };
}
