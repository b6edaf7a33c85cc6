import { isObject, type JsonValue } from '../../src/core/json.js';
import { createAjv, SCHEMA_ROOT } from '../../src/wire/schema-check.js';
import { OPENAPI_DOCUMENT } from './openapi-document.js';

/** A schema of openapi.yaml as the contract tests walk it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly not?: Schema;
  readonly discriminator?: { readonly propertyName: string; readonly mapping?: Readonly<Record<string, string>> };
}

export interface OpenapiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export const DOCUMENT = OPENAPI_DOCUMENT as unknown as OpenapiDocument;
export const SCHEMAS = DOCUMENT.components.schemas;

const PREFIX = '#/components/schemas/';

export function schemaNamed(name: string): Schema {
  const schema = SCHEMAS[name];
  if (schema === undefined) throw new Error(`no schema ${name}`);
  return schema;
}

export function referenced(schema: Schema): Schema {
  return schema.$ref === undefined ? schema : referenced(schemaNamed(schema.$ref.slice(PREFIX.length)));
}

/** Every schema inside a schema, itself first, with its place. References are not followed. */
export function* insideOf(schema: Schema, place: string): Generator<readonly [string, Schema]> {
  yield [place, schema];
  const named = { ...schema.properties, ...schema.patternProperties };
  for (const [name, member] of Object.entries(named)) yield* insideOf(member, `${place}/${name}`);
  if (schema.items !== undefined) yield* insideOf(schema.items, `${place}[]`);
  for (const [index, branch] of (schema.oneOf ?? []).entries()) yield* insideOf(branch, `${place}|${index}`);
}

const ajv = createAjv(SCHEMAS as never);

/** Faults of a value under openapi.yaml's schema `name`, empty if there are none. Reads the unions as they stand. */
export function schemaErrors(name: string, value: unknown): readonly string[] {
  const validate = ajv.getSchema(`${SCHEMA_ROOT}#/components/schemas/${name}`);
  if (validate === undefined) throw new Error(`no schema ${name}`);
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}

/** An example, and the JSON pointer of the schema that has it. */
export interface Example {
  readonly place: string;
  readonly value: JsonValue;
}

/** Every example of a schema. */
export function examplesIn(value: JsonValue = SCHEMAS as never, place = '/components/schemas'): readonly Example[] {
  if (!isObject(value)) return [];
  const { examples } = value;
  const own = Array.isArray(examples) ? examples.map((example: JsonValue) => ({ place, value: example })) : [];
  return [...own, ...Object.entries(value).flatMap(([name, member]) => examplesIn(member, `${place}/${name}`))];
}

/** Faults of an example under its own schema, empty if there are none. */
export function exampleErrors(place: string, value: JsonValue): readonly string[] {
  const validate = ajv.compile({ $ref: `${SCHEMA_ROOT}#${place.replaceAll('^', '%5E')}` });
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}
