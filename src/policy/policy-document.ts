import { createHash } from 'node:crypto';
import { unusedMembers } from './member-use.js';
import { crossMemberProblems } from './policy-consistency.js';
import { readPolicyMembers } from './policy-grammar.js';
import type { PolicyMembers } from './policy-members.js';
import { PolicyError, type PolicyProblem } from './policy-problem.js';
import { Place } from './readers.js';
import { parseStrictJson, parseStrictYaml } from './strict-yaml.js';

/** An appraisal policy as evaluated: every default filled in, deeply frozen. Hex is in lower case. */
export interface Policy extends PolicyMembers {
  /** SHA-256 of the policy text, hex: which policy it was, to the byte. */
  readonly sha256: string;
}

/**
 * Reads a policy text. Problems between members are looked for once each member by itself is in order, and members
 * that nothing consults once the members fit together.
 *
 * @param options.format `yaml` reads JSON too, which is a part of YAML 1.2; `json` refuses all else
 * @throws {PolicyError} with everything that is wrong
 */
export function parsePolicy(text: string, options: { readonly format?: 'yaml' | 'json' } = {}): Policy {
  const value = options.format === 'json' ? parseStrictJson(text) : parseStrictYaml(text);
  const problems: PolicyProblem[] = [];
  const members = readPolicyMembers(value, new Place('', problems));
  if (members !== undefined) problems.push(...crossMemberProblems(members));
  if (members !== undefined && problems.length === 0) problems.push(...unusedMembers(members));
  if (members === undefined || problems.length > 0) throw new PolicyError(problems);
  return deepFreeze({ ...members, sha256: createHash('sha256').update(text, 'utf8').digest('hex') });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
