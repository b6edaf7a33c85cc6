import type { JsonValue } from '../model/json.js';

export const MISSING_MEMBER = 'member is missing';

/** What to say of a member that is not what it should be. */
export function missingOr(value: JsonValue | undefined, wanted: string): string {
  return value === undefined ? MISSING_MEMBER : `the value is ${kindOf(value)}, not ${wanted}`;
}

/** What kind of JSON value it is, for messages. */
export function kindOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}
