import type { ValidateFunction } from 'ajv/dist/2020.js';
import { isObject, type JsonObject, type JsonValue } from '../../src/core/json.js';
import { createAjv, SCHEMA_ROOT } from '../../src/wire/schema-check.js';
import { OPENAPI_DOCUMENT } from './openapi-document.js';

/** An answer as it came over the wire. */
export interface SeenAnswer {
  readonly status: number;
  readonly contentType: string | null;
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown;
}

const PROBLEM = 'application/problem+json';

/** Refusals of what is no operation: of paths and methods that are not served, and what is refused before those. */
const OF_NO_OPERATION: ReadonlySet<number> = new Set([400, 403, 404, 405, 408, 431, 503]);

const ajv = createAjv(member(member(OPENAPI_DOCUMENT, 'components'), 'schemas'));
const compiled = new Map<string, ValidateFunction>();

/**
 * Compares an answer with what openapi.yaml says about its operation: status, media type and schema.
 *
 * @param path of the call, or the template in openapi.yaml
 * @throws {Error} that says what does not fit
 */
export function requireConforming(method: string, path: string, answer: SeenAnswer): void {
  const place = `${method} ${path} ${answer.status}`;
  const mediaType = (answer.contentType ?? '').split(';', 1)[0]?.trim() ?? '';
  const operation = templatesOf(path)
    .map((template) => at(OPENAPI_DOCUMENT, ['paths', template, methodOf(path, method)]))
    .find((found) => found !== undefined);
  if (operation === undefined) {
    if (!OF_NO_OPERATION.has(answer.status) || mediaType !== PROBLEM) throw new Error(`${place} is not declared`);
    requireSchema(place, { $ref: '#/components/schemas/Problem' }, answer.body);
    return;
  }
  const response = at(operation, ['responses', String(answer.status)]);
  if (!isObject(response)) throw new Error(`${place} is not declared`);
  const { content } = resolve(response);
  if (content === undefined) {
    if (mediaType !== '' || answer.body !== '') throw new Error(`${place} has a body`);
    return;
  }
  const media = member(resolve(response), 'content')[mediaType];
  if (!isObject(media)) throw new Error(`${place} is not declared as ${mediaType}`);
  requireSchema(place, member(media, 'schema'), answer.body);
}

/** A gate answers every method as it is for GET, whatever follows. */
function methodOf(path: string, method: string): string {
  return path.startsWith('/authorize') ? 'get' : method.toLowerCase();
}

/** Templates of openapi.yaml that a path may be one of. */
function templatesOf(path: string): readonly string[] {
  if (path.startsWith('/authorize')) return ['/authorize/{gate}/{path}'];
  return [
    path,
    path.replace(/\/[^/:]+(:[a-z]+)?$/, '/{id}$1'),
    path.replace(/\/[^/:]+$/, '/{sha256}'),
    path.replace(/\/[^/:]+(\/[^/:]+)$/, '/{keyId}$1'),
  ];
}

/** A response is written in place, or named. */
function resolve(response: JsonObject): JsonObject {
  const ref = response['$ref'];
  if (typeof ref !== 'string') return response;
  const target = at(OPENAPI_DOCUMENT, ref.split('/').slice(1));
  if (!isObject(target)) throw new Error(`nothing at ${ref}`);
  return target;
}

function requireSchema(place: string, schema: JsonObject, body: unknown): void {
  const key = JSON.stringify(schema);
  const validate = compiled.get(key) ?? ajv.compile(JSON.parse(key.replaceAll('"#/', `"${SCHEMA_ROOT}#/`)));
  compiled.set(key, validate);
  if (!validate(body)) throw new Error(`${place}: ${ajv.errorsText(validate.errors)}`);
}

function at(value: JsonValue | undefined, names: readonly string[]): JsonValue | undefined {
  return names.reduce<JsonValue | undefined>((found, name) => (isObject(found) ? found[name] : undefined), value);
}

function member(object: JsonObject, name: string): JsonObject {
  const found = object[name];
  if (!isObject(found)) throw new Error(`no object ${name}`);
  return found;
}
