import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';

/** The value at a path; null if it is absent, with the reason. */
export type FoundClaim =
  | { readonly value: Exclude<JsonValue, null>; readonly absent: null }
  | { readonly value: null; readonly absent: string };

/** Reads a dot-separated path of names in nested objects. Does not read elements of lists. Null counts as absent. */
export function claimAt(claims: JsonObject, path: string): FoundClaim {
  let value: JsonValue = claims;
  let walked = '';
  for (const name of path.split('.')) {
    // Own members only: a name in a policy must not reach inherited members.
    if (!isObject(value)) return { value: null, absent: `${walked} is no object` };
    walked = walked === '' ? name : `${walked}.${name}`;
    const next: JsonValue | undefined = Object.hasOwn(value, name) ? value[name] : undefined;
    if (next === undefined) return { value: null, absent: `${walked} is absent` };
    if (next === null) return { value: null, absent: `${walked} is null, which counts as absent` };
    value = next;
  }
  return { value, absent: null };
}
