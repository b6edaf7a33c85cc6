import { isObject, type JsonValue } from '../../core/json.js';

/** Members that only a policy has. A text with one of them counts as a policy, even with other faults. */
const OF_POLICIES = ['apiVersion', 'accepts', 'minimums'];

/**
 * Recognises another document of this product, and returns the remedy: a /verify body or its answer, a test of a
 * policy, a request about a policy, or a configuration. Null for any other document.
 */
export function otherDocument(value: JsonValue): string | null {
  if (!isObject(value) || OF_POLICIES.some((name) => Object.hasOwn(value, name))) return null;
  const has = (name: string) => Object.hasOwn(value, name);
  if (typeof value['text'] === 'string')
    return 'is a request about a policy, and no policy: the policy is its member text';
  if (has('decision') && has('checks')) return 'is an answer of /verify, and no policy: name the policy itself';
  if (has('evidence'))
    return 'is a /verify body, and no policy: a policy has apiVersion, id, version, accepts, minimums';
  if (has('cases')) return 'is a test of a policy, and no policy: name the policy; veritee policy test runs its test';
  if (has('listen') || isObject(value['policies'] ?? null)) {
    return 'is a configuration, and no policy: veritee check --config looks at it';
  }
  return null;
}
