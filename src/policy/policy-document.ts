import { createHash } from 'node:crypto';
import { ConfigurationError } from '../model/errors.js';
import { crossMemberProblems } from './policy-consistency.js';
import { readPolicyMembers } from './policy-grammar.js';
import type { PolicyMembers } from './policy-members.js';
import { Place } from './readers.js';
import { parseStrictJson, parseStrictYaml } from './strict-yaml.js';

/** An appraisal policy as evaluated: every default filled in, deeply frozen. Hex is in lower case. */
export interface Policy extends PolicyMembers {
  /** SHA-256 of the policy text, hex: which policy it was, to the byte. */
  readonly sha256: string;
}

/**
 * Reads a policy text. Problems between members are looked for once each member by itself is in order.
 *
 * @param options.format `yaml` reads JSON too, which is a part of YAML 1.2; `json` refuses all else
 * @throws {ConfigurationError} with everything that is wrong, each as `pointer: what`
 */
export function parsePolicy(text: string, options: { readonly format?: 'yaml' | 'json' } = {}): Policy {
  const value = options.format === 'json' ? parseStrictJson(text) : parseStrictYaml(text);
  const problems: string[] = [];
  const members = readPolicyMembers(value, new Place('', problems));
  if (members !== undefined) problems.push(...crossMemberProblems(members));
  if (members === undefined || problems.length > 0) throw new ConfigurationError(problems);
  return deepFreeze({ ...members, sha256: createHash('sha256').update(text, 'utf8').digest('hex') });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
