import type { JsonObject, JsonValue } from '../model/json.js';

/** Whether a value is an object, and no list and no null. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
