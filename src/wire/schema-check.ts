import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { FormatError } from '../core/errors.js';
import type { EvidenceType } from '../core/evidence.js';
import { EVIDENCE_TRAITS, EVIDENCE_TYPES } from '../core/evidence-traits.js';
import { isObject, type JsonObject, type JsonValue, jsonPointer } from '../core/json.js';
import { OPENAPI_SCHEMAS } from './generated/openapi-schemas.js';
import type { components } from './generated/openapi-types.js';
import { messageOf } from './schema-message.js';

/** The schemas of openapi.yaml. */
export type Schemas = components['schemas'];
export type SchemaName = keyof Schemas & string;

/** The type of a member of evidence in a request, by its form. */
export interface WireMembers {
  readonly optionalBytes: Schemas['Bytes'] | undefined;
  readonly text: string;
  readonly tpmQuote: Schemas['TpmQuote'];
  readonly snpEndorsements: Schemas['SnpEndorsements'] | undefined;
  readonly tdxCollateral: Schemas['TdxCollateral'] | undefined;
  readonly akCertificate: Schemas['AkCertificate'] | undefined;
  readonly eventLog: Schemas['EventLog'] | undefined;
}

type Traits = typeof EVIDENCE_TRAITS;
type WireMember<F> = F extends keyof WireMembers ? WireMembers[F] : Schemas['Bytes'];

/** The request form of evidence of a type, by its row in the table of traits. */
type WireEvidence<T extends EvidenceType, M = Traits[T]['members']> = { readonly type: T } & {
  readonly [N in keyof M as M[N] extends 'akCertificate' ? M[N] : N]: WireMember<M[N]>;
};

/** The required members of that form. */
type WireNeeded<T extends EvidenceType, W = WireEvidence<T>> = {
  readonly [N in keyof W as undefined extends W[N] ? never : N]: W[N];
};

/** Types whose schema differs from their row: a member is missing, optional or of another type. */
type Disagreeing = {
  [T in EvidenceType]: Schemas[Traits[T]['schema']] extends WireNeeded<T>
    ? Required<Schemas[Traits[T]['schema']]> extends Required<WireEvidence<T>>
      ? never
      : T
    : T;
}[EvidenceType];

/** Schemas of evidence in its native form. Empty, so that nothing compiles, if a schema and a row differ. */
export type NativeForm = [Disagreeing] extends [never] ? Traits[EvidenceType]['schema'] : never;

export const NATIVE_FORMS: readonly NativeForm[] = EVIDENCE_TYPES.map((type) => EVIDENCE_TRAITS[type].schema);

/** Schemas of evidence in the forms of guests in the field. */
const DIALECT_FORMS = [
  'TrusteeEvidenceV0',
  'TrusteeEvidenceV1',
  'TrusteeTdxEvidenceV0',
  'TrusteeTdxEvidenceV1',
  'TrusteeTdEvidence',
  'TrusteeTpmEvidence',
  'GoTpmToolsEvidence',
  'MaaSnpRequestEvidence',
  'MaaTdxRequestEvidence',
  'AzureGuestEvidence',
  'AzureGuestEncodedEvidence',
  'AzureCleanroomEvidence',
  'AzureCleanroomReportEvidence',
  'ExtendedReportEvidence',
  'ConfigfsTsmSnpEvidence',
  'ConfigfsTsmTdxEvidence',
  'ItaRequestEvidenceV1',
  'ItaRequestEvidenceV2',
] as const satisfies readonly SchemaName[];

/** Schemas of evidence in one request: the alternatives behind `Evidence`. */
export type EvidenceForm = NativeForm | (typeof DIALECT_FORMS)[number];

/** Bodies with evidence to verify. */
export type BodyWithEvidence = 'VerifyRequest' | 'ReleaseRequest';
const BODIES_WITH_EVIDENCE = ['VerifyRequest', 'ReleaseRequest'] as const satisfies readonly BodyWithEvidence[];

/** A body whose evidence has one form. */
export type BodyWithEvidenceOf<B extends BodyWithEvidence, F extends EvidenceForm> = Omit<Schemas[B], 'evidence'> & {
  readonly evidence: Schemas[F];
};

/**
 * Compares a value with a schema of openapi.yaml.
 *
 * @param pointer JSON pointer of the value in the request
 * @throws {FormatError} `unknown_property`, `schema`
 */
export function checkSchema<N extends SchemaName>(name: N, value: JsonValue, pointer = ''): Schemas[N] {
  check(name, value, pointer);
  // the type was generated from the schema that was just checked
  return value as unknown as Schemas[N];
}

/**
 * Compares a body with its schema, with `Evidence` narrowed to the form of the body. An error then refers to
 * that form and not to every alternative.
 *
 * @throws {FormatError} `unknown_property`, `schema`
 */
export function checkBodyWithEvidence<B extends BodyWithEvidence, F extends EvidenceForm>(
  name: B,
  form: F,
  value: JsonValue,
): BodyWithEvidenceOf<B, F> {
  check(narrowedName(name, form), value, '');
  return value as unknown as BodyWithEvidenceOf<B, F>;
}

let ajv: Ajv2020 | undefined;
const compiled = new Map<string, ValidateFunction>();

function check(name: string, value: JsonValue, pointer: string): void {
  const holds = compiled.get(name) ?? compile(name);
  if (holds(value) !== true) throw formatErrorFrom(holds.errors ?? [], pointer);
}

function compile(name: string): ValidateFunction {
  ajv ??= createAjv(requestSchemas());
  const validate = ajv.getSchema(`${SCHEMA_ROOT}#/components/schemas/${name}`);
  if (validate === undefined) throw new Error(`no schema ${name}`);
  compiled.set(name, validate);
  return validate;
}

function narrowedName(name: BodyWithEvidence, form: EvidenceForm): string {
  return `${name}With${form}`;
}

/** The schemas of openapi.yaml, and bodies with evidence narrowed to each form. */
function requestSchemas(): JsonObject {
  const narrowed = BODIES_WITH_EVIDENCE.flatMap((name) => {
    const body = memberObject(OPENAPI_SCHEMAS, name);
    return [...NATIVE_FORMS, ...DIALECT_FORMS].map((form) => {
      const evidence = { $ref: `#/components/schemas/${form}` };
      return [narrowedName(name, form), { ...body, properties: { ...memberObject(body, 'properties'), evidence } }];
    });
  });
  return { ...OPENAPI_SCHEMAS, ...Object.fromEntries(narrowed) };
}

function memberObject(object: JsonObject, name: string): JsonObject {
  const member = object[name];
  if (!isObject(member)) throw new Error(`openapi.yaml has no object ${name}`);
  return member;
}

/** Converts errors of Ajv to one error. Of failed alternatives, the one that matched furthest into the value counts. */
function formatErrorFrom(errors: readonly ErrorObject[], pointer: string): FormatError {
  const [first, ...others] = errors;
  if (first === undefined) throw new Error('a schema failed without an error');
  const error = others.reduce((a, b) => (reach(b) > reach(a) ? b : a), first);
  const { params } = error;
  const unknown = params['additionalProperty'] ?? params['unevaluatedProperty'];
  const name = unknown ?? params['missingProperty'];
  const place = pointer + error.instancePath + (typeof name === 'string' ? jsonPointer([name]) : '');
  const code = unknown === undefined ? 'schema' : 'unknown_property';
  return new FormatError(code, messageOf(error, errors), { pointer: place });
}

/** How far an alternative matched. At the same place, a match of the value type counts as further. */
function reach({ instancePath, keyword }: ErrorObject): number {
  const isOfType = keyword !== 'type' && keyword !== 'oneOf';
  return 2 * instancePath.split('/').length + (isOfType ? 1 : 0);
}

/** Id of the components of openapi.yaml in Ajv. */
export const SCHEMA_ROOT = 'openapi';

/**
 * Creates an Ajv with the given schemas as `openapi#/components/schemas/<name>`, each compiled on first use.
 * It converts, removes and adds nothing: a request stays as sent.
 */
export function createAjv(schemas: JsonObject): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    discriminator: true,
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: false,
    // Errors include schema and value, from which messages are made.
    verbose: true,
    // A test validates the schemas against JSON Schema. Compiling that schema takes longer than a whole command.
    validateSchema: false,
  });
  ajv.addVocabulary(['openapi', 'info', 'paths', 'components']);
  ajv.addSchema({ components: { schemas: withoutMappings(schemas) } }, SCHEMA_ROOT);
  return ajv;
}

/** Removes `discriminator.mapping`, which Ajv rejects. It is for readers and generators of openapi.yaml. */
function withoutMappings(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutMappings);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) => [
    name,
    name === 'discriminator' && isObject(member) ? { propertyName: member['propertyName'] } : withoutMappings(member),
  ]);
  return Object.fromEntries(members);
}
