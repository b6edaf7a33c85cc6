import type { ErrorObject } from 'ajv/dist/2020.js';
import { EVIDENCE_TRAITS, EVIDENCE_TYPES } from '../core/evidence-traits.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { listedNames, nearNames, quotedName } from '../core/names-in-messages.js';
import { POLICY_ID } from '../core/request.js';

/** The form of a time, in words. */
export const INSTANT_FORM = 'not a time: expected RFC 3339 in UTC, with seconds and Z, such as 2026-01-15T12:00:00Z';

/** Describes the fault of a value for the caller: messages of Ajv are for authors of schemas. */
export function messageOf(error: ErrorObject, others: readonly ErrorObject[]): string {
  const { keyword, params, parentSchema = {}, data } = error;
  switch (keyword) {
    case 'required':
      return missingMember(params['missingProperty'], parentSchema, data as JsonObject);
    case 'dependentRequired':
      return `${MISSING_MEMBER}: ${params['property']} needs it`;
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return unknownMember(String(params['additionalProperty'] ?? params['unevaluatedProperty']), parentSchema);
    case 'type':
      return `the value is ${kindOf(data as JsonValue)}, not ${wantedTypes(error, others)}`;
    case 'enum':
      return `the value is none of these: ${listedNames(spellings(params['allowedValues']))}`;
    case 'const':
      return `the value is not ${JSON.stringify(params['allowedValue'])}`;
    case 'discriminator':
      return otherTag(params['tag'], params['tagValue'], parentSchema);
    case 'pattern':
      return PATTERNS.get(params['pattern']) ?? OTHER_FORM;
    case 'not':
      // `required` reports such members, and applies to every value that is not an object.
      if (parentSchema['type'] === 'object' && !isObject(data as JsonValue))
        return missingOr(data as JsonValue, 'an object');
      return parentSchema['not'] === undefined ? OTHER_FORM : excluded(parentSchema['not']);
    default:
      return limitMessage(keyword, params['limit'], data) ?? OTHER_FORM;
  }
}

/** Of two values that differ only in a final line feed, one is listed. */
function spellings(allowed: readonly unknown[]): readonly string[] {
  return [...new Set(allowed.map((value) => String(value).trimEnd()))];
}

const OTHER_FORM = 'the value does not have the form that openapi.yaml describes';

/** The reserved prefix of audiences. */
const OWN_NAMES = '^(?![uU][rR][nN]:[vV][eE][rR][iI][tT][eE][eE]:)';

/** Patterns of request schemas, in words. */
export const PATTERNS: ReadonlyMap<string, string> = new Map([
  ['^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]{1,9})?Z$', INSTANT_FORM],
  [
    OWN_NAMES,
    'names that begin with urn:veritee: are of this service itself: name the relying party, such as https://gate.example',
  ],
  [
    POLICY_ID.source,
    'not a policy id: expected 1 to 64 lower-case letters, digits and hyphens, not starting with a hyphen',
  ],
]);

function missingMember(name: string, { properties = {} }: { [name: string]: unknown }, given: JsonObject): string {
  return `${MISSING_MEMBER}${misspeltMember(name, given, Object.keys(properties as object))}`;
}

function unknownMember(name: string, { properties = {}, patternProperties }: { [name: string]: unknown }): string {
  if (patternProperties !== undefined) return 'unknown PCR: indices are 0 to 23, without leading zeros';
  return `unknown member ${insteadOf(name, Object.keys(properties as object))}`;
}

/** Suggests the known name nearest to an unknown one, else all of them. */
function insteadOf(name: string, known: readonly string[]): string {
  const [near] = nearNames(name, known);
  return `${quotedName(name)}${near === undefined ? `; known: ${listedNames(known)}` : `: did you mean ${near}?`}`;
}

/** All types that the alternatives at this place accept. */
function wantedTypes({ instancePath, params }: ErrorObject, others: readonly ErrorObject[]): string {
  const alternatives = others.filter((other) => other.keyword === 'type' && other.instancePath === instancePath);
  const types = [params, ...alternatives.map((other) => other.params)].flatMap((one) => [one['type']].flat());
  const words = [...new Set(types)].map((type) => (type === 'null' ? 'null' : `${article(type)} ${type}`));
  return words.join(' or ');
}

function article(type: string): string {
  return /^[aio]/.test(type) ? 'an' : 'a';
}

function otherTag(tag: string, found: unknown, { oneOf = [] }: { [name: string]: unknown }): string {
  if (found === undefined) return MISSING_MEMBER;
  const names = (oneOf as readonly { readonly $ref: string }[]).map(({ $ref }) =>
    TAGS.get($ref.split('/').at(-1) ?? ''),
  );
  const known = names.filter((name) => name !== undefined);
  return typeof found === 'string'
    ? `unknown ${tag} ${insteadOf(found, known)}`
    : `the value is ${kindOf(found as JsonValue)}, not one of ${listedNames(known)}`;
}

/** The member that selects an alternative: name of the schema to the value of the member. */
const TAGS: ReadonlyMap<string, string> = new Map<string, string>([
  ['RsaPublicJwk', 'RSA'],
  ['EcPublicJwk', 'EC'],
  ['OkpPublicJwk', 'OKP'],
  ...EVIDENCE_TYPES.map((type) => [EVIDENCE_TRAITS[type].schema, type] as const),
]);

/** Describes members that exclude each other: the schema lists pairs of them under `not`. */
function excluded(schema: unknown): string {
  const { anyOf = [] } = schema as { readonly anyOf?: readonly { readonly required?: readonly string[] }[] };
  const pairs = anyOf.map(({ required = [] }) => required.join(' and '));
  return pairs.length === 0 ? OTHER_FORM : `members that cannot be sent together: ${pairs.join(', ')}`;
}

function limitMessage(keyword: string, limit: number, data: unknown): string | null {
  const length = typeof data === 'string' || Array.isArray(data) ? data.length : null;
  switch (keyword) {
    case 'minItems':
    case 'maxItems':
      return `the list has ${length} items, expected at ${keyword === 'minItems' ? 'least' : 'most'} ${limit}`;
    case 'minLength':
    case 'maxLength':
      return `the text has ${length} characters, expected at ${keyword === 'minLength' ? 'least' : 'most'} ${limit}`;
    case 'minimum':
    case 'maximum':
      return `the number is ${keyword === 'minimum' ? 'below' : 'above'} ${limit}`;
    case 'uniqueItems':
      return 'the list has the same item twice';
    default:
      return null;
  }
}

export const MISSING_MEMBER = 'member is missing';

/** Most members that are compared with the missing one, so that a body with many members costs no more. */
const MOST_COMPARED = 32;

/** Returns the end of a message about a missing member: an unknown member with a similar name; empty if there is none. */
export function misspeltMember(name: string, given: JsonObject, known: readonly string[] = []): string {
  const unknown = Object.keys(given).filter((member) => !known.includes(member));
  const [sent] = nearNames(name, unknown.slice(0, MOST_COMPARED));
  return sent === undefined ? '' : `; unknown member ${quotedName(sent)}: did you mean ${name}?`;
}

/** Describes the expectation for a member with a wrong value. */
export function missingOr(value: JsonValue | undefined, wanted: string): string {
  return value === undefined ? `${MISSING_MEMBER}, expected ${wanted}` : `the value is ${kindOf(value)}, not ${wanted}`;
}

function kindOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}
