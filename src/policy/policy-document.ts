import { createHash } from 'node:crypto';
import { type JsonValue, jsonPointer } from '../model/json.js';
import { deepFreeze, Place } from '../schema/schema.js';
import { readYaml, type YamlBounds } from '../schema/yaml.js';
import { unusedMembers } from './member-use.js';
import { crossMemberProblems } from './policy-consistency.js';
import type { PolicyMembers } from './policy-grammar.js';
import { POLICY_SCHEMA } from './policy-grammar.js';
import { PolicyError, type PolicyProblem, schemaProblem } from './policy-problem.js';
import { type Rule, readRules } from './rule.js';
import { ruleProblems } from './rule-use.js';

/** Room for some 2 600 launch measurements. */
const BOUNDS: YamlBounds = { bytes: 262_144, depth: 32, faults: 20 };

/** An appraisal policy as evaluated: every default filled in, deeply frozen. Hex is in lower case. */
export interface Policy extends PolicyMembers {
  readonly rules: readonly Rule[];
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
  const place = new Place();
  const members = POLICY_SCHEMA.read(value, place);
  const problems: PolicyProblem[] = place.problems.map(({ path, what }) => schemaProblem(jsonPointer(path), what));
  if (members === undefined) throw new PolicyError(problems);
  const { rules, problems: ofRules } = readRules(members.rules);
  problems.push(...crossMemberProblems(members), ...ofRules);
  if (problems.length === 0) problems.push(...unusedMembers(members), ...ruleProblems({ ...members, rules }));
  if (problems.length > 0) throw new PolicyError(problems);
  return deepFreeze({ ...members, rules, sha256: createHash('sha256').update(text, 'utf8').digest('hex') });
}

/**
 * The value of a policy text in plain YAML.
 *
 * @throws {PolicyError} where the text is anything else
 */
export function parseStrictYaml(text: string): JsonValue {
  const { value, problems } = readYaml(text, BOUNDS);
  if (problems.length === 0) return value;
  throw new PolicyError(
    problems.map(({ path, position, what }) => ({
      ...schemaProblem(jsonPointer(path ?? []), what),
      ...(path === null && position !== null ? { line: position.line } : {}),
    })),
  );
}

/**
 * The value of a policy text in JSON, under the same rules.
 *
 * @throws {PolicyError} where the text is no JSON, or breaks one of them
 */
export function parseStrictJson(text: string): JsonValue {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new PolicyError([schemaProblem('', 'is not JSON')], { cause });
  }
  // JSON.parse keeps the last of two equal keys and says nothing, so its value is not used.
  return parseStrictYaml(text);
}
