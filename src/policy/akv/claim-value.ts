import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';

/** The value at a path; null where it is absent, and then why. */
export type FoundClaim =
  | { readonly value: Exclude<JsonValue, null>; readonly absent: null }
  | { readonly value: null; readonly absent: string };

/** Walks a path of names with dots between into nested objects. Lists are not walked into, and null is absent. */
export function claimAt(claims: JsonObject, path: string): FoundClaim {
  let value: JsonValue = claims;
  let walked = '';
  for (const name of path.split('.')) {
    // Own members only: no name of a policy may reach what every object has.
    if (!isObject(value)) return { value: null, absent: `${walked} is no object` };
    walked = walked === '' ? name : `${walked}.${name}`;
    const next: JsonValue | undefined = Object.hasOwn(value, name) ? value[name] : undefined;
    if (next === undefined) return { value: null, absent: `${walked} is absent` };
    if (next === null) return { value: null, absent: `${walked} is null, which counts as absent` };
    value = next;
  }
  return { value, absent: null };
}
