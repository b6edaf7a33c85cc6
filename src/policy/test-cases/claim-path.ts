import { isObject, type JsonObject, type JsonValue, PROTOTYPE_NAMES } from '../../core/json.js';
import type { Place } from '../../schema/schema.js';

/** Names of members and indices of items, the section first. */
export type ClaimPath = readonly (string | number)[];

const LONGEST_PATH = 1024;

/** `.name`, `["name"]`, `['name']` or `[0]`. A name after a dot may be a number, such as that of a PCR. */
const STEP = /\.([A-Za-z0-9_]+)|\[("(?:[^"\\]|\\.)*"|'[^'\\]*')\]|\[(0|[1-9]\d{0,8})\]/y;

/** Reads the path of a claim in the syntax of rules, or with `.7` for `["7"]`; null if it is malformed. */
export function parseClaimPath(text: string): ClaimPath | null {
  if (text.length > LONGEST_PATH) return null;
  const steps: (string | number)[] = [];
  const whole = `.${text}`;
  STEP.lastIndex = 0;
  while (STEP.lastIndex < whole.length) {
    const found = STEP.exec(whole);
    if (found === null) return null;
    const [, name, quoted, index] = found;
    const step = index === undefined ? (name ?? unquoted(quoted ?? '')) : Number(index);
    if (step === null || PROTOTYPE_NAMES.has(String(step))) return null;
    steps.push(step);
  }
  return steps;
}

function unquoted(text: string): string | null {
  if (text.startsWith("'")) return text.slice(1, -1);
  try {
    return String(JSON.parse(text));
  } catch {
    return null;
  }
}

/**
 * Returns claims with one change. Creates the objects around it if they are absent. Null removes a claim, which must
 * exist: a misspelt path would change nothing without an error.
 *
 * @param at takes the error; then undefined is returned
 */
export function withClaim(claims: JsonObject, path: ClaimPath, value: JsonValue, at: Place): JsonObject | undefined {
  const changed = change(claims, path, value, at);
  return isObject(changed) ? changed : undefined;
}

function change(
  current: JsonValue | undefined,
  [step, ...rest]: ClaimPath,
  value: JsonValue,
  at: Place,
): JsonValue | undefined {
  if (step === undefined) return value;
  if (typeof step === 'number') return changeItem(current, step, rest, value, at);
  const isAbsent = current === undefined || current === null;
  if (!isAbsent && !isObject(current)) return at.refuse(`${step} is a member of what is no object`);
  const members = new Map(Object.entries(isAbsent ? {} : current));
  if (value === null && (members.get(step) ?? null) === null) return at.refuse('removes a claim that is not there');
  if (value === null && rest.length === 0) members.delete(step);
  else {
    const member = change(members.get(step), rest, value, at);
    if (member === undefined) return undefined;
    members.set(step, member);
  }
  return Object.fromEntries(members);
}

function changeItem(
  current: JsonValue | undefined,
  index: number,
  rest: ClaimPath,
  value: JsonValue,
  at: Place,
): JsonValue | undefined {
  if (!Array.isArray(current) || index >= current.length) return at.refuse(`there is no item ${index} to change`);
  if (value === null && rest.length === 0) return at.refuse('cannot remove an item of a list: set the whole list');
  const item = change(current[index], rest, value, at);
  return item === undefined ? undefined : current.map((each, place) => (place === index ? item : each));
}
