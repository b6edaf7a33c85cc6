import { FormatError, RefusedError } from '../model/errors.js';
import { listedNames, quotedName } from '../model/names-in-messages.js';
import type { Caller } from '../model/request.js';

/** The error for a policy that does not exist. Those that do are listed to whoever may read and name them. */
export function unknownPolicy(id: string, policies: { keys(): Iterable<string> }, caller: Caller): FormatError {
  const mayRead = caller.roles.has('policy:read');
  const known = [...policies.keys()].filter((other) => caller.policies?.has(other) !== false);
  const rest = mayRead ? `; known: ${listedNames(known)}` : '';
  return new FormatError('policy_unknown', `unknown policy ${quotedName(id)}${rest}`, { pointer: '/policy' });
}

/** A policy that the caller may not use is refused whether it exists or not. @throws {RefusedError} `forbidden` */
export function requirePolicies(ids: readonly string[], caller: Caller): void {
  if (ids.every((id) => caller.policies?.has(id) !== false)) return;
  throw new RefusedError('forbidden', 'this caller may not use this policy');
}

/** @throws {RefusedError} `forbidden` */
export function requireAudience(audience: string | null, caller: Caller): void {
  if (audience === null || caller.audiences?.has(audience) !== false) return;
  throw new RefusedError('forbidden', 'this caller may not use this audience');
}
