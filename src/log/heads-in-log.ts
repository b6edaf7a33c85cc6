import { isObject, type JsonObject, type JsonValue, parsedObject } from '../core/json.js';
import { readHeadLine } from './staged-lines.js';

/** The member `head` of the line by which a process logs a signed head. */
export const HEAD_MESSAGE = 'decision log head';

const BARE_HEAD = /^\s*([\w-]+\.[\w-]+\.[\w-]+)\s*$/;

/** Levels of objects and of JSON in texts that a log collector may have wrapped around a line. */
const DEEPEST = 6;

/**
 * Finds the signed heads of a line: a single head, a head of an export, or a line of the service's log. A log collector may have
 * prefixed text to that line, or wrapped it in JSON. Texts of callers are ignored: nothing inside a line of the service is searched.
 */
export function headsInLine(text: string): readonly string[] {
  const [, bare] = BARE_HEAD.exec(text) ?? [];
  if (bare !== undefined) return [bare];
  const exported = readHeadLine(parsedObject(text) ?? {});
  return exported === null ? headsIn(text, DEEPEST) : [exported.jws];
}

function headsIn(value: JsonValue, levels: number): readonly string[] {
  if (levels === 0) return [];
  if (typeof value === 'string') return headsIn(objectIn(value), levels - 1);
  if (Array.isArray(value)) return value.flatMap((each) => headsIn(each, levels - 1));
  if (!isObject(value)) return [];
  const { msg, head } = value;
  if (msg === HEAD_MESSAGE && typeof head === 'string') return [head];
  return isOurs(value) ? [] : Object.values(value).flatMap((each) => headsIn(each, levels - 1));
}

/** Whether an object is a line of the service's log, or a record of its decision log: both contain texts of callers. */
function isOurs({ msg, contentSha256 }: JsonObject): boolean {
  return contentSha256 !== undefined || (typeof msg === 'string' && objectIn(msg) === null);
}

/** The object that the text is, or ends with; null if there is none. */
function objectIn(text: string): JsonObject | null {
  const start = text.indexOf('{');
  return start < 0 ? null : parsedObject(text.slice(start));
}
