import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseAllDocuments } from 'yaml';
import type { JsonObject, JsonValue } from '../model/json.js';
import { PolicyError, type PolicyProblem, schemaProblem } from './policy-problem.js';
import { Place } from './readers.js';

/** Room for some 2 600 launch measurements. */
const MAX_BYTES = 262_144;
const MAX_DEPTH = 32;
/** One fault of syntax makes others behind it; the first say what is wrong. */
const MAX_FAULTS = 20;

/** Names that mean something to the language this runs in. None is a member of a policy. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads one YAML 1.2 document under the core schema, as plain values: no anchors, aliases, merge keys or tags, no
 * version directive, every key a text and used once. JSON is read as the part of YAML that it is.
 *
 * @throws {PolicyError} where the text is anything else
 */
export function parseStrictYaml(text: string): JsonValue {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw refusal(`larger than ${MAX_BYTES} bytes`);
  }
  const problems: PolicyProblem[] = [];
  const value = plainValue(contentsOf(text), new Place('', problems), 0);
  if (problems.length > 0) throw new PolicyError(problems);
  return value;
}

/**
 * Reads a JSON text under the same rules.
 *
 * @throws {PolicyError} where the text is no JSON, or breaks one of them
 */
export function parseStrictJson(text: string): JsonValue {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw refusal('is not JSON', cause);
  }
  // JSON.parse keeps the last of two equal keys and says nothing, so its value is not used.
  return parseStrictYaml(text);
}

function contentsOf(text: string): Node {
  const lineCounter = new LineCounter();
  // Duplicate keys are looked for below, where the place is known and the work grows with the text only.
  const documents = parseAllDocuments(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    stringKeys: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    lineCounter,
  });
  const faults = [...documents].flatMap((document) => [...document.errors, ...document.warnings]);
  if (faults.length > 0) {
    throw new PolicyError(
      faults.slice(0, MAX_FAULTS).map(({ pos, message }) => ({
        ...schemaProblem('', lowerFirst(message)),
        line: lineCounter.linePos(pos[0]).line,
      })),
    );
  }
  const [document, second] = documents;
  if (document?.contents == null) throw refusal('is empty');
  if (second !== undefined) throw refusal('holds more than one document');
  // It can change the version, and with it what a plain word means. A tag directive cannot do anything without tags.
  if (document.directives?.yaml.explicit === true) throw refusal('has a version directive');
  return document.contents;
}

function plainValue(node: Node | null, at: Place, depth: number): JsonValue {
  if (node === null) return null;
  if (isAlias(node)) return refused(at, 'aliases are not allowed');
  if (node.anchor !== undefined) return refused(at, 'anchors are not allowed');
  if (node.tag !== undefined) return refused(at, 'tags are not allowed');
  if (isScalar(node)) return plainScalar(node.value, at);
  if (depth >= MAX_DEPTH) return refused(at, `nested deeper than ${MAX_DEPTH} levels`);
  if (isMap<Node, Node | null>(node)) return plainObject(node.items, at, depth);
  if (!isSeq<Node | null>(node)) return refused(at, 'is no value');
  return node.items.map((item, index) => plainValue(item, at.member(String(index)), depth + 1));
}

function plainObject(pairs: readonly Pair<Node, Node | null>[], at: Place, depth: number): JsonObject {
  const object: { [member: string]: JsonValue } = Object.create(null);
  for (const { key, value } of pairs) {
    const name = plainValue(key, at, depth);
    if (typeof name !== 'string') continue;
    if (FORBIDDEN_KEYS.has(name) || name === '<<') at.member(name).refuse('this key is not allowed');
    else if (Object.hasOwn(object, name)) at.member(name).refuse('is there twice');
    else object[name] = plainValue(value, at.member(name), depth + 1);
  }
  return object;
}

function plainScalar(value: unknown, at: Place): JsonValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return refused(at, 'is no text, finite number, boolean or null');
}

function refused(at: Place, what: string): null {
  at.refuse(what);
  return null;
}

/** Of the document as a whole. */
function refusal(message: string, cause?: unknown): PolicyError {
  return new PolicyError([schemaProblem('', message)], cause === undefined ? {} : { cause });
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
