import type { JsonObject, JsonValue } from '../../src/core/json.js';

/** The answer of a service, as received. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: JsonValue;
}

/** Texts for people. They say what codes, pointers and compared values say too. */
const TEXTS: ReadonlySet<string> = new Set(['detail', 'remedy', 'message', 'title', 'notice']);
/** Made anew for each answer. */
const OF_THE_ANSWER: ReadonlySet<string> = new Set(['decisionId', 'decidedAt', 'requestId']);
/** They follow from the clock of the service, unless the request names an instant. */
const OF_NOW: ReadonlySet<string> = new Set(['at', 'validUntil', 'clockSkewSeconds']);
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
const TOLERANCE_MS = 10 * 60 * 1000;
/** Names in here are the evidence's own, whatever they are. */
const CLAIMS: ReadonlySet<string> = new Set(['claims', 'maaView']);

/**
 * The answer without what differs from one call to the next and without texts for people, members in order of their
 * names. The order of lists is kept: that of checks and reasons is part of the answer.
 *
 * @param now when it was answered, where the request names no instant; else null
 */
export function canonicalAnswer({ status, contentType, body }: Answer, now: Date | null): JsonValue {
  return { body: withoutTexts(body, now), contentType: contentType.split(';', 1)[0] ?? '', status };
}

function withoutTexts(value: JsonValue, now: Date | null): JsonValue {
  if (isList(value)) return value.map((item) => withoutTexts(item, now));
  if (typeof value === 'string') return now !== null && isAbout(value, now) ? 'now' : value;
  if (!isMembers(value)) return value;
  const isLeftOut = (name: string) => TEXTS.has(name) || OF_THE_ANSWER.has(name) || (now !== null && OF_NOW.has(name));
  const kept = Object.entries(value).filter(([name]) => !isLeftOut(name));
  return sortedObject(
    kept.map(([name, member]) => [name, CLAIMS.has(name) ? sorted(member) : withoutTexts(member, now)]),
  );
}

/** Whether a compared value is the time of the service's clock. */
function isAbout(text: string, now: Date): boolean {
  return INSTANT.test(text) && Math.abs(Date.parse(text) - now.getTime()) < TOLERANCE_MS;
}

/** The value with the members of each object in order of their names. */
function sorted(value: JsonValue): JsonValue {
  if (isList(value)) return value.map(sorted);
  if (!isMembers(value)) return value;
  return sortedObject(Object.entries(value).map(([name, member]) => [name, sorted(member)]));
}

function sortedObject(members: readonly (readonly [string, JsonValue])[]): JsonValue {
  return Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** `Array.isArray` does not tell a read-only list from an object. */
export function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function isMembers(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}
