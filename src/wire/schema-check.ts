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

/** Evidence of a type as its row in the table of traits says that requests have it. */
type WireEvidence<T extends EvidenceType, M = Traits[T]['members']> = { readonly type: T } & {
  readonly [N in keyof M as M[N] extends 'akCertificate' ? M[N] : N]: WireMember<M[N]>;
};

/** Those of its members that no request leaves out. */
type WireNeeded<T extends EvidenceType, W = WireEvidence<T>> = {
  readonly [N in keyof W as undefined extends W[N] ? never : N]: W[N];
};

/** Types whose schema lacks a member that their row names, or has it optional or of another type. */
type Disagreeing = {
  [T in EvidenceType]: Schemas[Traits[T]['schema']] extends WireNeeded<T>
    ? Required<Schemas[Traits[T]['schema']]> extends Required<WireEvidence<T>>
      ? never
      : T
    : T;
}[EvidenceType];

/** Schemas of evidence in its native form: none, so that nothing compiles, where a schema and a row disagree. */
export type NativeForm = [Disagreeing] extends [never] ? Traits[EvidenceType]['schema'] : never;

export const NATIVE_FORMS: readonly NativeForm[] = EVIDENCE_TYPES.map((type) => EVIDENCE_TRAITS[type].schema);

/** Schemas of evidence in the shapes that guests in the field produce. */
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

/** Schemas of evidence as one request carries it: the alternatives behind `Evidence`. */
export type EvidenceForm = NativeForm | (typeof DIALECT_FORMS)[number];

/** Bodies with evidence to be judged. */
export type JudgedBody = 'VerifyRequest' | 'ReleaseRequest';
const JUDGED_BODIES = ['VerifyRequest', 'ReleaseRequest'] as const satisfies readonly JudgedBody[];

/** A body whose evidence has one form. */
export type JudgedBodyOf<B extends JudgedBody, F extends EvidenceForm> = Omit<Schemas[B], 'evidence'> & {
  readonly evidence: Schemas[F];
};

/**
 * Compares a value with a schema of openapi.yaml.
 *
 * @param pointer where the value is in the request
 * @throws {FormatError} `unknown_property`, `schema`
 */
export function checkSchema<N extends SchemaName>(name: N, value: JsonValue, pointer = ''): Schemas[N] {
  check(name, value, pointer);
  // the schema that was just checked is what the type was generated from
  return value as unknown as Schemas[N];
}

/**
 * Compares a body with its schema, `Evidence` being narrowed to the form that was found in it: so that an error speaks of
 * that form and not of every alternative.
 *
 * @throws {FormatError} `unknown_property`, `schema`
 */
export function checkJudgedBody<B extends JudgedBody, F extends EvidenceForm>(
  name: B,
  form: F,
  value: JsonValue,
): JudgedBodyOf<B, F> {
  check(narrowedName(name, form), value, '');
  return value as unknown as JudgedBodyOf<B, F>;
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

function narrowedName(name: JudgedBody, form: EvidenceForm): string {
  return `${name}With${form}`;
}

/** The schemas of openapi.yaml, and bodies with evidence narrowed to each form of it. */
function requestSchemas(): JsonObject {
  const narrowed = JUDGED_BODIES.flatMap((name) => {
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

/** Converts errors of Ajv to one error. Of failed alternatives, the one that got furthest into the value counts. */
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

/** How far an error got. At one place, an alternative for another type of value got less far than one for this type. */
function reach({ instancePath, keyword }: ErrorObject): number {
  const isOfType = keyword !== 'type' && keyword !== 'oneOf';
  return 2 * instancePath.split('/').length + (isOfType ? 1 : 0);
}

/** Id under which the components of openapi.yaml are known to Ajv. */
export const SCHEMA_ROOT = 'openapi';

/**
 * An Ajv that knows the given schemas as `openapi#/components/schemas/<name>`, each compiled when first asked for.
 * Nothing is coerced, removed or filled in: a request is what was sent.
 */
export function createAjv(schemas: JsonObject): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    discriminator: true,
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: false,
    // Errors say of which schema and value they are: messages for people are made of both.
    verbose: true,
    // A test holds the schemas against those of JSON Schema. Compiling these takes longer than all that a command does.
    validateSchema: false,
  });
  ajv.addVocabulary(['openapi', 'info', 'paths', 'components']);
  ajv.addSchema({ components: { schemas: withoutMappings(schemas) } }, SCHEMA_ROOT);
  return ajv;
}

/** `discriminator.mapping` is for readers and generators of openapi.yaml; Ajv refuses it. */
function withoutMappings(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutMappings);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) => [
    name,
    name === 'discriminator' && isObject(member) ? { propertyName: member['propertyName'] } : withoutMappings(member),
  ]);
  return Object.fromEntries(members);
}
