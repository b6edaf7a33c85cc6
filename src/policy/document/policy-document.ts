import type { AmdLines } from '../../core/amd-lines.js';
import { tokenTypeOf } from '../../core/evidence-traits.js';
import { type JsonObject, type JsonValue, jsonPointer, pathOf } from '../../core/json.js';
import { POLICY_ID } from '../../core/request.js';
import { textDigest } from '../../crypto/digest.js';
import { jsonFault } from '../../schema/json-fault.js';
import { deepFreeze, Place } from '../../schema/schema.js';
import { readYaml, type YamlBounds } from '../../schema/yaml.js';
import { foreignDocument } from '../akv/foreign-document.js';
import { looksLikeReleasePolicy, type ReleasePolicyReading, readReleasePolicy } from '../akv/release-policy.js';
import { lineProblems } from '../line-names.js';
import { unusedMembers } from './member-use.js';
import { otherDocument } from './other-document.js';
import { crossMemberProblems } from './policy-consistency.js';
import { ID_FORM, POLICY_SCHEMA, type PolicyMembers } from './policy-grammar.js';
import { PolicyError, type PolicyProblem, schemaProblem, textProblem } from './policy-problem.js';
import { type Rule, readRules } from './rule.js';
import { ruleProblems } from './rule-use.js';

/** Room for some 2 600 launch measurements. */
const BOUNDS: PolicyBounds = { bytes: 262_144, tokens: 40_000, depth: 32, faults: 20, ruleBytes: 32 * 1024 };

/** Limits for the text of a policy. */
export interface PolicyBounds extends YamlBounds {
  /** Total size of all CEL rules. */
  readonly ruleBytes: number;
}

/** Bounds for a text from a caller, so that reading it does not block the event loop. */
export const REQUEST_BOUNDS: PolicyBounds = { ...BOUNDS, tokens: 4_000, ruleBytes: 8 * 1024 };

/** A loaded appraisal policy, with every default, deeply frozen. Hex is in lower case. */
export interface Policy extends PolicyMembers {
  readonly rules: readonly Rule[];
  readonly text: string;
  /** SHA-256 of the policy text, hex. */
  readonly sha256: string;
}

export interface PolicyTextOptions {
  /** `yaml` (default) also reads JSON, a subset of YAML 1.2. `json` reads JSON only. */
  readonly format?: 'yaml' | 'json';
  /** The id of the policy if the text is only a release policy, which has no id. */
  readonly releasePolicyId?: string;
  /** Limits of the text; default to those of a file. */
  readonly bounds?: PolicyBounds;
  /** The known product lines. Null or absent: the policy may name any. */
  readonly lines?: AmdLines | null;
}

/**
 * Reads a policy text. Looks for contradictions between members only if each member is valid, and for unused members
 * only if there is no contradiction.
 *
 * @throws {PolicyError} with all problems
 */
export function parsePolicy(text: string, options: PolicyTextOptions = {}): Policy {
  try {
    return policyOf(parsePolicyValue(text, options), text, options);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new PolicyError(withLines(error.policyProblems, text, options), { cause: error });
  }
}

/** Adds line numbers to problems. A problem of the whole text, or of a text with another syntax, gets none. */
export function withLines(
  problems: readonly PolicyProblem[],
  text: string,
  { bounds = BOUNDS }: PolicyTextOptions,
): readonly PolicyProblem[] {
  const { lineOf } = readYaml(text, bounds);
  return problems.map((problem) => {
    const line = problem.line ?? lineOf(pathOf(problem.pointer));
    return line === null ? problem : { ...problem, line };
  });
}

/**
 * Reads the policy from the parsed value of a text.
 *
 * @throws {PolicyError} with all problems
 */
export function policyOf(value: JsonValue, text: string, options: PolicyTextOptions = {}): Policy {
  const document = isReleasePolicyText(value) ? ofReleasePolicy(value, text, options.releasePolicyId) : value;
  const other = otherDocument(document);
  if (other !== null) throw new PolicyError([textProblem(other, null)]);
  const place = new Place();
  const members = POLICY_SCHEMA.read(document, place);
  const problems: PolicyProblem[] = place.problems.map(({ path, what }) => schemaProblem(jsonPointer(path), what));
  if (members === undefined) throw new PolicyError(problems);
  const { rules, problems: ofRules } = readRules(members.rules, (options.bounds ?? BOUNDS).ruleBytes);
  const ofLines = options.lines == null ? [] : lineProblems({ ...members, rules }, options.lines);
  problems.push(...crossMemberProblems(members), ...ofRules, ...ofLines);
  if (problems.length === 0) problems.push(...unusedMembers(members), ...ruleProblems({ ...members, rules }));
  if (problems.length > 0) throw new PolicyError(problems);
  const sha256 = textDigest(text);
  return deepFreeze({ ...members, rules, text, sha256 });
}

/** Parses the value of a policy text. @throws {PolicyError} if the text has another syntax */
export function parsePolicyValue(text: string, { format, bounds }: PolicyTextOptions = {}): JsonValue {
  return format === 'json' ? parseStrictJson(text, bounds) : parseStrictYaml(text, bounds);
}

/** Whether a text is a release policy or a related document, and not a policy of this product. */
export function isReleasePolicyText(value: JsonValue): boolean {
  // A list can be anything, so it gets the general message.
  return looksLikeReleasePolicy(value) || (!Array.isArray(value) && foreignDocument(value) !== null);
}

/**
 * Reads a text that is only a release policy. Key Vault accepts JSON only. So a text that begins as JSON but is
 * invalid, for example with a trailing comma, is rejected, although YAML reads it.
 *
 * @param value the parsed value of the text
 */
export function readBareReleasePolicy(value: JsonValue, text: string): ReleasePolicyReading {
  const reading = readReleasePolicy(value);
  if (!text.trimStart().startsWith('{') || jsonFault(text) === null) return reading;
  const fault = notJson(text, 'is not JSON, and Key Vault takes nothing else,');
  return { policy: null, problems: [fault, ...reading.problems] };
}

/**
 * Converts a release policy to a policy for tokens of Azure Attestation that meet it. All other members have their
 * defaults, so a token must be bound to a nonce.
 *
 * @throws {PolicyError} if the text is not a release policy, or without an id
 */
function ofReleasePolicy(value: JsonValue, text: string, id: string | undefined): JsonObject {
  const { problems } = readBareReleasePolicy(value, text);
  if (problems.length > 0) throw new PolicyError(problems);
  if (id === undefined || !POLICY_ID.test(id)) {
    throw new PolicyError([schemaProblem('', `has no id: name its file after the policy, in ${ID_FORM}`)]);
  }
  return {
    apiVersion: 'veritee/v1',
    id,
    version: 1,
    accepts: [tokenTypeOf('maa')],
    minimums: 'any',
    routes: { hardware: 'off' },
    rules: [{ id: 'release-policy', akv: value }],
  };
}

/**
 * Parses a policy text in plain YAML.
 *
 * @throws {PolicyError} for any other text
 */
export function parseStrictYaml(text: string, bounds: YamlBounds = BOUNDS): JsonValue {
  const { value, problems } = readYaml(text, bounds);
  if (problems.length === 0) return value;
  throw new PolicyError(
    problems.map(({ path, position, what }) => {
      const line = position?.line ?? null;
      if (path === null || path.length === 0) return textProblem(what, path === null ? line : null);
      return { ...schemaProblem(jsonPointer(path), what), ...(line === null ? {} : { line }) };
    }),
  );
}

/**
 * Parses a policy text in JSON, under the same rules.
 *
 * @throws {PolicyError} if the text is not JSON, or breaks one of the rules
 */
export function parseStrictJson(text: string, bounds: YamlBounds = BOUNDS): JsonValue {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new PolicyError([notJson(text, 'is not JSON')], { cause });
  }
  // JSON.parse silently keeps the last of two equal keys, so its value is not used.
  return parseStrictYaml(text, bounds);
}

/** Describes the fault of a text that is not JSON, with its place. */
function notJson(text: string, what: string): PolicyProblem {
  const fault = jsonFault(text);
  if (fault === null) return textProblem(what, null);
  return textProblem(`${what} from column ${fault.column} on: ${fault.what}`, fault.line);
}
