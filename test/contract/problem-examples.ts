import { objectAt, referenced } from '../../scripts/pages/openapi-examples.js';
import { isObject, type JsonObject } from '../../src/core/json.js';

/** An example of a problem document, by the name that the answers of a status have for it. */
export interface ProblemExample {
  readonly status: string;
  readonly name: string;
  readonly value: JsonObject;
}

/** Every problem document that an operation has as an example, once. @throws {Error} if an answer has none */
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
