import { OUTCOMES } from '../../core/decision.js';
import type { EvidenceType } from '../../core/evidence.js';
import { EVIDENCE_TYPES } from '../../core/evidence-traits.js';
import { isObject, type JsonObject, type JsonValue, jsonPointer } from '../../core/json.js';
import { deepFreeze, optional, Place, type Read, refined } from '../../schema/schema.js';
import { list, object } from '../../schema/structures.js';
import { choice, instant, single, someText, text } from '../../schema/values.js';
import type { YamlBounds } from '../../schema/yaml.js';
import { parseStrictJson, parseStrictYaml } from '../document/policy-document.js';
import { PolicyError, schemaProblem } from '../document/policy-problem.js';
import { type ClaimPath, parseClaimPath } from './claim-path.js';

/** Maximum size of a test file, and of a file with claims. */
export const MAX_TEST_BYTES = 1024 * 1024;

const BOUNDS: YamlBounds = { bytes: MAX_TEST_BYTES, depth: 32, faults: 20 };

/** Maximum number of cases in a test. */
export const MOST_CASES = 1000;

const expectation = object({
  outcome: choice(...OUTCOMES),
  /** All ids that must be unmatched, in any order; null: not compared. */
  unmatched: optional(list(someText, 'distinct'), null),
  /** All reasons, in any order; null: not compared. */
  reasons: optional(list(someText, 'distinct'), null),
});
export type Expectation = Read<typeof expectation>;

const claims = single('json', 'an object with claims, or the name of a file', (raw) =>
  isObject(raw) || (typeof raw === 'string' && raw !== '') ? raw : undefined,
);

const changes = single('json', 'an object: paths of claims with their values', (raw) =>
  isObject(raw) && Object.keys(raw).length > 0 ? raw : undefined,
);

const caseMembers = object({
  name: text('a name'),
  request: optional(text('the name of a file'), null),
  claims: optional(claims, null),
  type: optional(choice(...EVIDENCE_TYPES), null),
  at: optional(instant, null),
  set: optional(changes, null),
  expect: expectation,
});

/** A change of one claim. */
export interface ClaimChange {
  /** The path in the syntax of the test. */
  readonly text: string;
  readonly path: ClaimPath;
  /** Null removes the claim. */
  readonly value: JsonValue;
}

/** The file with a /verify body. */
export interface RequestInput {
  readonly kind: 'request';
  readonly file: string;
}

/** Claims, or the file with them, and the changes. */
export interface ClaimsInput {
  readonly kind: 'claims';
  readonly type: EvidenceType;
  readonly claims: JsonObject | string;
  readonly changes: readonly ClaimChange[];
}

/** One case of a test. Files are relative to the test. */
export interface TestCase {
  readonly name: string;
  readonly input: RequestInput | ClaimsInput;
  /** Verification time, ISO text; null: the time of the test. */
  readonly at: string | null;
  readonly expect: Expectation;
}

const testCase = refined(caseMembers, ({ name, at, expect, ...given }, place): TestCase | undefined => {
  const input =
    given.claims === null ? requestInput(given, place) : claimsInput({ ...given, claims: given.claims }, place);
  return input === undefined ? undefined : { name, input, at, expect };
});

type GivenInput = Pick<Read<typeof caseMembers>, 'request' | 'claims' | 'type' | 'set'>;

function requestInput({ request, type, set }: GivenInput, at: Place): RequestInput | undefined {
  if (request === null) return at.refuse('must have either request or claims');
  return at.unlessRefused(() => {
    if (type !== null) at.member('type').refuse('goes with claims alone: a request says its type itself');
    if (set !== null) at.member('set').refuse('goes with claims alone: evidence cannot be changed');
    return { kind: 'request', file: request };
  });
}

function claimsInput(
  { request, claims: given, type, set }: GivenInput & { readonly claims: JsonObject | string },
  at: Place,
): ClaimsInput | undefined {
  if (request !== null) return at.refuse('must have either request or claims, not both');
  if (type === null) return at.member('type').refuse('is missing: claims do not say which evidence they are of');
  const read = at.unlessRefused(() =>
    Object.entries(set ?? {}).flatMap(([path, value]) => readChange(path, value, at.member('set', path)) ?? []),
  );
  return read === undefined ? undefined : { kind: 'claims', type, claims: given, changes: read };
}

function readChange(written: string, value: JsonValue, at: Place): ClaimChange | undefined {
  const path = parseClaimPath(written);
  return path === null
    ? at.refuse('is no path of a claim, such as snp.tcb.reported.snp or maa.claims["x-ms-ver"]')
    : { text: written, path, value };
}

const test = object({
  /** The policy, by file or id. */
  policy: text('the file or the id of the policy'),
  cases: refined(list(testCase, 'filled'), (cases, at) => {
    if (cases.length > MOST_CASES) return at.refuse(`has more than ${MOST_CASES} cases`);
    return at.unlessRefused(() => {
      const seen = new Set<string>();
      for (const [index, { name }] of cases.entries()) {
        if (seen.has(name)) at.member(index, 'name').refuse('repeats the name of another case');
        seen.add(name);
      }
      return cases;
    });
  }),
});

/** The test of a policy. */
export type PolicyTest = Read<typeof test>;

/**
 * Reads the test of a policy: strict YAML or JSON, like policies. Does not read the files that it names.
 *
 * @throws {PolicyError} with every error
 */
export function parsePolicyTest(text: string, options: { readonly format?: 'yaml' | 'json' } = {}): PolicyTest {
  const place = new Place();
  const read = test.read(parseTestText(text, options), place);
  if (read !== undefined && place.problems.length === 0) return deepFreeze(read);
  throw new PolicyError(place.problems.map(({ path, what }) => schemaProblem(jsonPointer(path), what)));
}

/**
 * Parses a test, or a file with claims that it names.
 *
 * @throws {PolicyError} if it is not strict YAML or JSON, or too large
 */
export function parseTestText(text: string, { format = 'yaml' }: { readonly format?: 'yaml' | 'json' }): JsonValue {
  return format === 'json' ? parseStrictJson(text, BOUNDS) : parseStrictYaml(text, BOUNDS);
}
