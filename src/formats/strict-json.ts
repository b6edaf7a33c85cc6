import { utf8Length } from '../core/bytes.js';
import type { MalformedCode } from '../core/codes.js';
import { FormatError } from '../core/errors.js';
import { type JsonObject, type JsonValue, jsonPointer, PROTOTYPE_NAMES } from '../core/json.js';

export interface StrictJsonLimits {
  /** Levels of arrays and objects. */
  readonly depth: number;
  /** Items of one array, members of one object. */
  readonly items: number;
  /** All values: objects, arrays and their content. */
  readonly values: number;
  /** UTF-8 bytes of one string. */
  readonly stringBytes: number;
  /** UTF-8 bytes of one member name. */
  readonly keyBytes: number;
  /** Characters of all member names: a new name costs many times as much as a text of the same length. */
  readonly keyCharacters: number;
}

export const STRICT_JSON_LIMITS: StrictJsonLimits = {
  depth: 32,
  items: 10_000,
  values: 20_000,
  stringBytes: 1_048_576,
  keyBytes: 256,
  keyCharacters: 262_144,
};

/**
 * Reads one JSON text (RFC 8259) without ambiguity: it rejects texts that two parsers could read
 * differently. Objects have no prototype.
 *
 * @throws {FormatError} `encoding` invalid UTF-8, a byte order mark, a lone surrogate or NUL
 * @throws {FormatError} `duplicate_key`, `forbidden_key` in any spelling
 * @throws {FormatError} `too_complex` over a limit
 * @throws {FormatError} `schema` not JSON, or a number that a double does not hold: 1e400, an unsafe integer, -0
 */
export function parseStrictJson(
  bytes: Uint8Array,
  limits: StrictJsonLimits = STRICT_JSON_LIMITS,
  isIgnored: IsIgnored = () => false,
): JsonValue {
  return new StrictJsonReader(decodeUtf8(bytes), limits, isIgnored).document();
}

/** Whether the value at a path is ignored. An inexact number there is read as null. */
export type IsIgnored = (path: readonly (string | number)[]) => boolean;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const BYTE_ORDER_MARK = '\ufeff';

function decodeUtf8(bytes: Uint8Array): string {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch (cause) {
    throw new FormatError('encoding', 'not UTF-8', { cause });
  }
  if (text.startsWith(BYTE_ORDER_MARK)) throw new FormatError('encoding', 'byte order mark before the text');
  return text;
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds these characters
const CONTROL = /[\0-\x1f]/g;
const LONE_SURROGATE = /\p{Surrogate}/u;
const LITERALS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

const BACKSLASH = 0x5c;
const NOT_BLANK = /[^ \n\r\t]/g;

const NO_VALUE = 'expected an object, array, string, number, true, false or null';

/**
 * Reads the text in one pass. Most of a request is long strings without escapes. So the reader searches for the end of
 * a string, and remembers the next backslash and control character across strings.
 */
class StrictJsonReader {
  readonly #text: string;
  readonly #limits: StrictJsonLimits;
  readonly #isIgnored: IsIgnored;
  /** Names and indices that lead to the value being read. */
  readonly #path: (string | number)[] = [];
  #position = 0;
  #values = 0;
  #keyCharacters = 0;
  #nextBackslash = -1;
  #nextControl = -1;

  constructor(text: string, limits: StrictJsonLimits, isIgnored: IsIgnored) {
    this.#text = text;
    this.#limits = limits;
    this.#isIgnored = isIgnored;
  }

  document(): JsonValue {
    const value = this.#value();
    if (this.#peek() !== '') throw this.#unexpected('expected nothing after the value');
    return value;
  }

  #value(): JsonValue {
    this.#values += 1;
    if (this.#values > this.#limits.values) throw this.#error('too_complex', `more than ${this.#limits.values} values`);
    switch (this.#peek()) {
      case '"':
        return this.#string(this.#limits.stringBytes);
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case 't':
      case 'f':
      case 'n':
        return this.#literal();
      default:
        return this.#number();
    }
  }

  #object(): JsonObject {
    this.#enter();
    const object: Record<string, JsonValue> = Object.create(null);
    if (this.#takes('}')) return object;
    let members = 0;
    do {
      if (++members > this.#limits.items) throw this.#error('too_complex', 'object has too many members');
      const key = this.#key(object);
      this.#path.push(key);
      object[key] = this.#value();
      this.#path.pop();
    } while (this.#takes(','));
    this.#expect('}', 'expected a comma or the end of the object');
    return object;
  }

  #key(object: Readonly<Record<string, JsonValue>>): string {
    if (this.#peek() !== '"') throw this.#unexpected('expected a member name in double quotes');
    const key = this.#string(this.#limits.keyBytes);
    this.#keyCharacters += key.length;
    if (this.#keyCharacters > this.#limits.keyCharacters)
      throw this.#error('too_complex', 'member names are too long in total');
    if (PROTOTYPE_NAMES.has(key)) throw this.#error('forbidden_key', 'forbidden member name', key);
    // Not `in`, which leaves compiled code for objects without a prototype.
    if (Object.hasOwn(object, key)) throw this.#error('duplicate_key', 'member appears twice', key);
    this.#expect(':', 'expected a colon after a member name');
    return key;
  }

  #array(): readonly JsonValue[] {
    this.#enter();
    const items: JsonValue[] = [];
    if (this.#takes(']')) return items;
    do {
      if (items.length === this.#limits.items) throw this.#error('too_complex', 'array has too many items');
      this.#path.push(items.length);
      items.push(this.#value());
      this.#path.pop();
    } while (this.#takes(','));
    this.#expect(']', 'expected a comma or the end of the array');
    return items;
  }

  #enter(): void {
    if (this.#path.length >= this.#limits.depth) throw this.#error('too_complex', 'nested too deeply');
    this.#position++;
  }

  #string(maximumBytes: number): string {
    const start = this.#position + 1;
    const end = this.#closingQuote(start);
    this.#refuseControls(start, end);
    const plain = this.#backslashFrom(start) > end;
    const value = plain ? this.#text.slice(start, end) : this.#escaped(start, end);
    if (isLonger(value, maximumBytes)) {
      throw this.#error('too_complex', `string of more than ${maximumBytes} bytes`);
    }
    this.#position = end + 1;
    return value;
  }

  #closingQuote(start: number): number {
    const text = this.#text;
    let end = text.indexOf('"', start);
    if (end > this.#backslashFrom(start)) while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
    if (end < 0) throw this.#error('schema', 'string without end');
    return end;
  }

  /** Reads a string with escapes. `JSON.parse` decodes them; it gets only this string. */
  #escaped(start: number, end: number): string {
    const written = this.#text.slice(start - 1, end + 1);
    let value: string;
    try {
      value = JSON.parse(written);
    } catch (cause) {
      throw this.#error('schema', 'unknown escape in a string', undefined, cause);
    }
    // Raw control characters were rejected before: they can only come from escapes.
    if (!written.includes('\\u')) return value;
    if (LONE_SURROGATE.test(value)) throw this.#error('encoding', 'lone surrogate in a string');
    if (value.includes('\0')) throw this.#error('encoding', 'NUL in a string');
    return value;
  }

  #refuseControls(start: number, end: number): void {
    if (this.#nextControl < start) {
      CONTROL.lastIndex = start;
      this.#nextControl = CONTROL.test(this.#text) ? CONTROL.lastIndex - 1 : Number.POSITIVE_INFINITY;
    }
    if (this.#nextControl > end) return;
    if (this.#text.charCodeAt(this.#nextControl) === 0) throw this.#error('encoding', 'NUL in a string');
    throw this.#error('schema', 'control character in a string');
  }

  #backslashFrom(start: number): number {
    if (this.#nextBackslash < start) {
      const found = this.#text.indexOf('\\', start);
      this.#nextBackslash = found < 0 ? Number.POSITIVE_INFINITY : found;
    }
    return this.#nextBackslash;
  }

  #literal(): JsonValue {
    for (const [word, value] of LITERALS) {
      if (this.#text.startsWith(word, this.#position)) {
        this.#position += word.length;
        return value;
      }
    }
    throw this.#unexpected(NO_VALUE);
  }

  #number(): number | null {
    NUMBER.lastIndex = this.#position;
    if (!NUMBER.test(this.#text)) throw this.#unexpected(NO_VALUE);
    const value = Number(this.#text.slice(this.#position, NUMBER.lastIndex));
    const inexact = Number.isInteger(value) ? !Number.isSafeInteger(value) : !Number.isFinite(value);
    const isExact = !inexact && !Object.is(value, -0);
    if (!isExact && !this.#isIgnored(this.#path)) throw this.#error('schema', 'number that cannot be kept exactly');
    this.#position = NUMBER.lastIndex;
    return isExact ? value : null;
  }

  /** The next character that is no white space; empty at the end. */
  #peek(): string {
    const character = this.#text.charAt(this.#position);
    if (!isBlank(character)) return character;
    NOT_BLANK.lastIndex = this.#position;
    this.#position = NOT_BLANK.test(this.#text) ? NOT_BLANK.lastIndex - 1 : this.#text.length;
    return this.#text.charAt(this.#position);
  }

  #takes(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#position++;
    return true;
  }

  #expect(character: string, otherwise: string): void {
    if (!this.#takes(character)) throw this.#unexpected(otherwise);
  }

  /** The error for an unexpected character, with its pointer. Omits the character and its offset, which may reveal a secret. */
  #unexpected(expected: string): FormatError {
    const next = this.#text.charAt(this.#position);
    if (next === '\0') return this.#error('encoding', 'NUL in the text');
    if (next === '') return this.#error('schema', 'not JSON: the text ends too early');
    return this.#error('schema', `not JSON: ${next === "'" ? 'expected double quotes, not single ones' : expected}`);
  }

  #error(code: MalformedCode, message: string, key?: string, cause?: unknown): FormatError {
    const path = key === undefined ? this.#path : [...this.#path, key];
    return new FormatError(code, message, path.length === 0 ? { cause } : { cause, pointer: jsonPointer(path) });
  }
}

/** UTF-8 takes one to three bytes for each UTF-16 unit. */
function isLonger(text: string, bytes: number): boolean {
  return text.length > bytes || (text.length * 3 > bytes && utf8Length(text) > bytes);
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t';
}

/** Whether an odd number of backslashes stands before a position; false for no position. */
function isEscaped(text: string, position: number): boolean {
  let first = position;
  while (text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (position - first) % 2 === 1;
}
