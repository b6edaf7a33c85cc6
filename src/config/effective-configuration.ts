import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../core/json.js';
import { placeIn } from '../core/places.js';
import type { CallerConfiguration } from './callers.js';
import type { Configuration } from './configuration.js';

/** SHA-256 of the effective configuration, hex: services with the same digest have the same configuration. */
export function configurationDigest(configuration: Configuration): string {
  return createHash('sha256').update(JSON.stringify(configuration, inOrder)).digest('hex');
}

/** Sorts members by name: the order of callers makes no difference. */
function inOrder(_name: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Keys whose values differ, named as in the documents. A list is one value. */
export function changedKeys(before: unknown, after: unknown, place = ''): readonly string[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) => changedKeys(before[name], after[name], placeIn(place, name)));
  }
  return isDeepStrictEqual(before, after) ? [] : [place];
}

const MASK = '***';

/**
 * A copy for display: masks hashes of API keys, and queries in URLs of keys.
 * Credentials for other services are in files, whose paths are shown.
 */
export function maskSecrets(configuration: Configuration): object {
  const { callers } = configuration;
  return {
    ...configuration,
    callers: Object.fromEntries(Object.entries(callers).map(([name, caller]) => [name, maskCaller(caller)])),
  };
}

function maskCaller(caller: CallerConfiguration): object {
  return {
    ...caller,
    apiKeySha256: caller.apiKeySha256 === null ? null : MASK,
    oidc: caller.oidc === null ? null : { ...caller.oidc, keys: maskQuery(caller.oidc.keys) },
    kubernetes: caller.kubernetes === null ? null : { ...caller.kubernetes, keys: maskQuery(caller.kubernetes.keys) },
    next: caller.next === null ? null : { ...caller.next, apiKeySha256: MASK },
  };
}

/** Masks a query, which may be a signature. */
function maskQuery(address: string): string {
  return address.startsWith('https://') ? address.replace(/\?.*$/s, `?${MASK}`) : address;
}
