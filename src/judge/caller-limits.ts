import { FormatError, RefusedError } from '../core/errors.js';
import { listedNames, quotedAudience, quotedName } from '../core/names-in-messages.js';
import type { Caller } from '../core/request.js';

/** The error for an unknown policy. Lists the known ones that the caller may use, if the caller may read policies. */
export function unknownPolicy(id: string, policies: { keys(): Iterable<string> }, caller: Caller): FormatError {
  const mayRead = caller.roles.has('policy:read');
  const known = [...policies.keys()].filter((other) => caller.policies?.has(other) !== false);
  const rest = mayRead ? `; known: ${listedNames(known)}` : '';
  return new FormatError('policy_unknown', `unknown policy ${quotedName(id)}${rest}`, { pointer: '/policy' });
}

/**
 * Refuses a policy that the caller may not use, whether it exists or not.
 *
 * @param pointer JSON pointer to the member, or to the path parameter, that names policies
 * @throws {RefusedError} `forbidden`
 */
export function requirePolicies(ids: readonly string[], caller: Caller, pointer: string): void {
  const { policies } = caller;
  const refused = ids.find((id) => policies?.has(id) === false);
  if (policies === null || refused === undefined) return;
  throw forbidden(`use the policy ${quotedName(refused)}`, policies, pointer);
}

/** @throws {RefusedError} `forbidden` */
export function requireAudience(audience: string | null, caller: Caller): void {
  const { audiences } = caller;
  if (audience === null || audiences === null || audiences.has(audience)) return;
  throw forbidden(`use the audience ${quotedAudience(audience)}`, audiences, '/audience');
}

/**
 * The error for a key that the caller may not have, whether it exists or not.
 *
 * @param keys ids of the keys that the caller may have
 */
export function forbiddenKey(keyId: string, keys: Iterable<string>): RefusedError {
  return forbidden(`release the key ${quotedName(keyId)}`, keys, '/keyId');
}

/** @param own names that this caller may use; its configuration lists them, so they belong to its tenant */
function forbidden(what: string, own: Iterable<string>, pointer: string): RefusedError {
  const detail = `this caller may not ${what}; allowed: ${listedNames([...own])}`;
  return new RefusedError('forbidden', detail, { pointer });
}
