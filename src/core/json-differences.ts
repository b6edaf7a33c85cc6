import { isObject, type JsonValue, jsonPointer } from './json.js';

/** A place with different values in two JSON documents. */
export interface JsonDifference {
  /** JSON pointer. */
  readonly pointer: string;
  /** Undefined if the first value has no such member. */
  readonly before: JsonValue | undefined;
  /** Undefined if the second value has no such member. */
  readonly after: JsonValue | undefined;
}

/**
 * Lists the places where two values differ, in the member order of the first. Lists of different lengths differ as a whole.
 * @param without top-level members that are not compared
 */
export function jsonDifferences(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  without: ReadonlySet<string> = new Set(),
): readonly JsonDifference[] {
  return [...differencesAt([], before, after, without)];
}

const NOTHING: ReadonlySet<string> = new Set();

function* differencesAt(
  path: readonly (string | number)[],
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  without: ReadonlySet<string>,
): Generator<JsonDifference> {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    for (const name of names) {
      if (!without.has(name)) yield* differencesAt([...path, name], before[name], after[name], NOTHING);
    }
  } else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const [index, value] of before.entries()) yield* differencesAt([...path, index], value, after[index], NOTHING);
  } else if (JSON.stringify(before) !== JSON.stringify(after)) {
    yield { pointer: jsonPointer(path), before, after };
  }
}
