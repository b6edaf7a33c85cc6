import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isObject, type JsonObject, type JsonValue } from '../../src/core/json.js';
import { readOpenapi } from '../read-openapi.js';
import { type AnsweringService, answerTo } from './default-service.js';

/**
 * openapi.yaml with a value in each example. It has the values that people write, and names the files of a verify request and its
 * answer. The other examples are made here: parts of that request, and the answers of a service of today.
 */

/** An Example Object of OpenAPI 3.1: its value, or the file that has it. */
export interface ExampleObject {
  readonly value?: JsonValue;
  readonly externalValue?: string;
}

/** An example of a request body, and the one of the same name of the answer with status 200. */
export interface RequestExample {
  readonly path: string;
  readonly name: string;
  readonly request: ExampleObject;
  readonly answer: ExampleObject;
}

/** Where the hardware report is in an Azure one, bytes. */
const HARDWARE_REPORT = { start: 32, end: 32 + 1184 };

export async function documentWithExamples(service: AnsweringService): Promise<JsonObject> {
  const document = withFiles(readOpenapi() as unknown as JsonValue) as JsonObject;
  const made = partsOfRequest(document);
  for (const { path, request, answer } of requestExamplesOf(document)) {
    if (answer.value !== undefined) continue;
    made.set(answer, await answerTo(service, path, made.get(request) ?? request.value ?? null));
  }
  return withValues(document, made) as JsonObject;
}

/** Every example of a request body in a document, except for paths with a parameter, which need an existing object. @throws {Error} if a request has no answer */
export function requestExamplesOf(document: JsonObject): readonly RequestExample[] {
  return Object.entries(objectAt(document, ['paths'])).flatMap(([path, operations]) => {
    const post = isObject(operations) ? operations['post'] : undefined;
    if (!isObject(post) || path.includes('{')) return [];
    const requests = objectAt(post, ['requestBody', 'content', 'application/json', 'examples']);
    const answers = objectAt(post, ['responses', '200', 'content', 'application/json', 'examples']);
    return Object.keys(requests).map((name) => ({
      path,
      name,
      request: referenced(document, objectAt(requests, [name])),
      answer: referenced(document, objectAt(answers, [name])),
    }));
  });
}

/** An object, or the one that it refers to. */
export function referenced(document: JsonObject, object: JsonObject): JsonObject {
  const { $ref } = object;
  return typeof $ref === 'string' ? objectAt(document, $ref.split('/').slice(1)) : object;
}

/** @throws {Error} if there is none */
export function objectAt(value: JsonObject, names: readonly string[]): JsonObject {
  return names.reduce<JsonObject>((found, name) => {
    const next = found[name];
    if (!isObject(next)) throw new Error(`openapi.yaml has no object ${names.join(' ')}`);
    return next;
  }, value);
}

/** The report and the VCEK of the verify request, in the examples that show one of them. */
function partsOfRequest(document: JsonObject): Map<ExampleObject, JsonValue> {
  const exampleOf = (names: readonly string[], name: string) =>
    objectAt(document, ['paths', ...names, 'content', 'application/json', 'examples', name]);
  const evidence = objectAt(exampleOf(['/verify', 'post', 'requestBody'], 'lab'), ['value', 'evidence']);
  const azureReport = Buffer.from(String(evidence['hclReport']), 'base64url');
  const report = azureReport.subarray(HARDWARE_REPORT.start, HARDWARE_REPORT.end).toString('base64url');
  const vek = String(objectAt(evidence, ['endorsements'])['vek']);
  const der = Buffer.from(vek, 'base64');
  const sha256 = createHash('sha256').update(der).digest('hex');
  const held = { kind: 'vcek', sha256, value: der.toString('base64url') };
  return new Map<ExampleObject, JsonValue>([
    [exampleOf(['/inspect', 'post', 'requestBody'], 'report'), { type: 'snp', report }],
    [exampleOf(['/inspect', 'post', 'requestBody'], 'structure'), { type: 'bytes', value: vek }],
    [exampleOf(['/endorsements/{sha256}', 'get', 'responses', '200'], 'vcek'), held],
  ]);
}

/** Puts the content of a file in the place of its name: a service answers the document alone. */
function withFiles(value: JsonValue): JsonValue {
  return mapped(value, (object) => {
    const { externalValue, ...others } = object;
    return typeof externalValue === 'string' ? { ...others, value: readExample(externalValue) } : object;
  });
}

function withValues(value: JsonValue, made: ReadonlyMap<ExampleObject, JsonValue>): JsonValue {
  return mapped(value, (object) => {
    const found = made.get(object);
    return found === undefined ? object : { ...object, value: found };
  });
}

/** A copy in which each object is replaced, and then each object in it. */
function mapped(value: JsonValue, replaced: (object: JsonObject) => JsonObject): JsonValue {
  if (Array.isArray(value)) return value.map((item) => mapped(item, replaced));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(replaced(value)).map(([name, member]) => [name, mapped(member, replaced)]));
}

/** @param path from the root of the project, as openapi.yaml has it */
function readExample(path: string): JsonValue {
  return JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
}
