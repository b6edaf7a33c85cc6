import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningService, startService } from '../../src/app/service.js';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { isObject, type JsonObject, type JsonValue } from '../../src/core/json.js';
import type { Clock, Log } from '../../src/core/ports.js';
import { labLookup } from '../integration/lab-lookup.js';

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

/** Every example of a request body in a document, but for paths with a parameter: those are about something that is there. @throws {Error} where a request has no answer */
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

/** An example of a problem document, by the name that the answers of a status have for it. */
export interface ProblemExample {
  readonly status: string;
  readonly name: string;
  readonly value: JsonObject;
}

/** Every problem document that an operation has as an example, once. @throws {Error} where an answer has none */
export function problemExamplesOf(document: JsonObject): readonly ProblemExample[] {
  const operations = Object.values(objectAt(document, ['paths'])).flatMap((path) => Object.values(path as JsonObject));
  const responses = operations.flatMap((operation) => Object.entries(objectAt(operation as JsonObject, ['responses'])));
  const examples = responses.flatMap(([status, response]) => problemsOf(document, status, response as JsonObject));
  return [...new Map(examples.map((example) => [JSON.stringify(example), example])).values()];
}

function problemsOf(document: JsonObject, status: string, response: JsonObject): readonly ProblemExample[] {
  const { content } = referenced(document, response);
  const problem = isObject(content) ? content['application/problem+json'] : undefined;
  if (!isObject(problem)) return [];
  const examples = objectAt(problem, ['examples']);
  return Object.keys(examples).map((name) => {
    return { status, name, value: objectAt(referenced(document, objectAt(examples, [name])), ['value']) };
  });
}

/** An object, or the one that it refers to. */
function referenced(document: JsonObject, object: JsonObject): JsonObject {
  const { $ref } = object;
  return typeof $ref === 'string' ? objectAt(document, $ref.split('/').slice(1)) : object;
}

/** @throws {Error} where there is none */
export function objectAt(value: JsonObject, names: readonly string[]): JsonObject {
  return names.reduce<JsonObject>((found, name) => {
    const next = found[name];
    if (!isObject(next)) throw new Error(`openapi.yaml has no object ${names.join(' ')}`);
    return next;
  }, value);
}

const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };

export type LabRoots = Pick<Parameters<typeof startService>[1], 'amdRootPins' | 'intelRootPins'>;

export interface DefaultService extends RunningService {
  /** Closes the service, and removes what it wrote. */
  close(): Promise<void>;
}

/**
 * A service with its defaults but for the port, and for folders of its own. No vendor is contacted: their names do not
 * resolve.
 *
 * @param configuration what is not to be as it is by default
 * @param roots those of a lab, which no configuration can name
 */
export async function startDefaultService(
  clock: Clock,
  configuration: object = {},
  roots: LabRoots = {},
): Promise<DefaultService> {
  const folder = await mkdtemp(join(tmpdir(), 'veritee-examples-'));
  const policies = join(folder, 'policies');
  await mkdir(policies);
  const text = JSON.stringify({
    listen: { port: 0 },
    policies: { directory: policies },
    stores: { url: `sqlite:${join(folder, 'veritee.db')}` },
    ...configuration,
  });
  const service = await startService(loadConfiguration({ text, environment: {} }), {
    ...roots,
    log: SILENT,
    clock,
    connect: { lookup: labLookup(() => false) },
  });
  const close = async () => {
    await service.close();
    await rm(folder, { recursive: true });
  };
  return { ...service, close };
}
