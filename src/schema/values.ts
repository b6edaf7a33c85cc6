import type { JsonValue } from '../core/json.js';
import { NOTHING_BELOW, refined, type Schema } from './schema.js';

const MAX_TEXT = 4096;

/** A single value. `read` returns undefined if the value does not match `what`. */
export function single<T>(spelling: 'text' | 'json', what: string, read: (raw: JsonValue) => T | undefined): Schema<T> {
  return {
    spelling,
    below: NOTHING_BELOW,
    what,
    nullable: false,
    read(raw, at) {
      if (raw === undefined) return at.refuse('is missing');
      const value = read(raw);
      if (value !== undefined) return value;
      const isQuoted = typeof raw === 'string' && spelling === 'json' && read(unquoted(raw)) !== undefined;
      return at.refuse(`must be ${what}${isQuoted ? ', without quotes' : ''}`);
    },
  };
}

/** The value of the text without quotes: a number, true or false. */
function unquoted(text: string): JsonValue {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() === '' ? null : Number(text);
}

/** Any value. */
export const anything: Schema<JsonValue> = single('json', 'a value', (raw) => raw);

/** A forbidden value, with the reason. */
export function refused(why: string): Schema<never> {
  return { spelling: 'json', below: NOTHING_BELOW, nullable: false, read: (_raw, at) => at.refuse(why) };
}

/** One line of text. */
export function text(what = 'text'): Schema<string> {
  return pattern(/^/, `${what}, not empty`);
}

/** One line of text in one form, kept as written. */
export function pattern(form: RegExp, what: string): Schema<string> {
  return textThat((raw) => form.test(raw), what);
}

/** One line of text that meets a condition, kept as written. */
export function textThat(holds: (raw: string) => boolean, what: string): Schema<string> {
  return single('text', what, (raw) => (isPrintableLine(raw) && holds(raw) ? raw : undefined));
}

export function lowerCase(schema: Schema<string>): Schema<string> {
  return refined(schema, (value) => value.toLowerCase());
}

export const uuid: Schema<string> = pattern(/^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 'a UUID');

/** Bytes of one length in hex, in either case; kept in lower case. */
export function hex(bytes: number): Schema<string> {
  const what = `${bytes} bytes in hex`;
  const schema = lowerCase(pattern(new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`), what));
  return {
    ...schema,
    // YAML reads digits alone as a number.
    read: (raw, at) => (typeof raw === 'number' ? at.refuse(`must be ${what}, in quotes`) : schema.read(raw, at)),
  };
}

export function choice<const T extends string>(...words: readonly T[]): Schema<T> {
  const what = words.length > 2 ? `one of ${words.join(', ')}` : words.join(' or ');
  return { ...single('text', what, (raw) => words.find((word) => word === raw)), words };
}

export const flag: Schema<boolean> = single('json', 'true or false', (raw) =>
  typeof raw === 'boolean' ? raw : undefined,
);

export function integer(min: number, max: number): Schema<number> {
  return single('json', `a whole number from ${min} to ${max}`, (raw) =>
    Number.isInteger(raw) && isBetween(raw, min, max) ? raw : undefined,
  );
}

export function number(min: number, max: number): Schema<number> {
  return single('json', `a number from ${min} to ${max}`, (raw) => (isBetween(raw, min, max) ? raw : undefined));
}

/** A day in UTC, kept as `YYYY-MM-DD`. */
export const day: Schema<string> = textThat(
  (raw) => /^\d{4}-\d{2}-\d{2}$/.test(raw) && isInCalendar(raw),
  'a date such as 2027-01-31',
);

const INSTANT = /^\d{4}-\d{2}-\d{2}(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?Z)?$/;

/** A date (its first moment in UTC) or a time in UTC, kept as ISO text: a Date could not be frozen. */
export const instant: Schema<string> = refined(
  textThat((raw) => INSTANT.test(raw) && isInCalendar(raw), 'a date such as 2027-01-31, or with a time in UTC'),
  (value) => new Date(value).toISOString(),
);

/** Whether a date exists: Date turns 30 February into 2 March. */
function isInCalendar(raw: string): boolean {
  const read = new Date(raw);
  return !Number.isNaN(read.getTime()) && read.toISOString().slice(0, 10) === raw.slice(0, 10);
}

function isPrintableLine(raw: JsonValue): raw is string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds these characters
  return typeof raw === 'string' && raw.length > 0 && raw.length <= MAX_TEXT && !/[\u0000-\u001f\u007f]/.test(raw);
}

function isBetween(raw: JsonValue, min: number, max: number): raw is number {
  return typeof raw === 'number' && raw >= min && raw <= max;
}

export const someText = single('text', 'text that is not blank', (raw) =>
  typeof raw === 'string' && /\S/.test(raw) ? raw : undefined,
);
