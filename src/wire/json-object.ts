import type { JsonObject, JsonValue } from '../model/json.js';

/** Whether a JSON value is an object, and neither null nor an array. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
