import { fromUtf8, utf8 } from '../../../core/bytes.js';
import { FormatError } from '../../../core/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.js';
import { decodeHex } from '../../../formats/base64.js';
import { parseStrictJson } from '../../../formats/strict-json.js';

/** RFC 3339 in the form that Intel writes: UTC, with seconds and optional fractions. */
const INSTANT = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?Z$/;

/** One level of a module or enclave. */
export interface SvnLevel extends RatedLevel {
  readonly isvSvn: number;
}

/** Status, date and advisories of a level in the collateral. */
export interface RatedLevel {
  /** The unchanged text, RFC 3339. */
  readonly tcbDate: string;
  /** The unchanged text. The verifier handles unknown statuses. */
  readonly tcbStatus: string;
  readonly advisoryIds: readonly string[];
}

/**
 * Reads typed members of a JSON object in Intel's collateral. Ignores unknown members.
 *
 * Every method throws a {FormatError} `schema` if the member is missing or of another type.
 */
export class CollateralMembers {
  readonly #object: JsonObject;

  constructor(value: JsonValue | undefined, what: string) {
    if (typeof value !== 'object' || value === null || isList(value)) throw fault(`${what} is not an object`);
    this.#object = value;
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined;
  }

  object(name: string): CollateralMembers {
    return new CollateralMembers(this.#object[name], name);
  }

  /** Items of a list of objects. */
  objects(name: string): readonly CollateralMembers[] {
    return this.#list(name).map((item) => new CollateralMembers(item, `an item of ${name}`));
  }

  /** Like `objects`, but rejects an empty list. */
  levels(name: string): readonly CollateralMembers[] {
    const levels = this.objects(name);
    if (levels.length === 0) throw fault(`${name} is empty`);
    return levels;
  }

  text(name: string): string {
    const value = this.#object[name];
    if (typeof value !== 'string') throw fault(`${name} is not a string`);
    return value;
  }

  /** An absent member is an empty list. */
  texts(name: string): readonly string[] {
    if (!this.has(name)) return [];
    return this.#list(name).map((item) => {
      if (typeof item !== 'string') throw fault(`an item of ${name} is not a string`);
      return item;
    });
  }

  integer(name: string, maximum: number): number {
    const value = this.#object[name];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > maximum) {
      throw fault(`${name} is not an integer from 0 to ${maximum}`);
    }
    return value;
  }

  /** Hex in upper or lower case, of an exact number of bytes. */
  hex(name: string, bytes: number): Uint8Array {
    const text = this.text(name);
    if (text.length !== 2 * bytes) throw fault(`${name} is not ${bytes} bytes of hex`);
    return decodeHex(text);
  }

  /** An RFC 3339 time on an existing day. */
  instant(name: string): Date {
    const text = this.text(name);
    const seconds = INSTANT.exec(text)?.[1];
    const date = new Date(text);
    // Date converts a day that does not exist, such as 30 February, to another day, so the text then differs.
    if (seconds === undefined || Number.isNaN(date.getTime()) || !date.toISOString().startsWith(seconds)) {
      throw fault(`${name} is not an RFC 3339 time`);
    }
    return date;
  }

  #list(name: string): readonly JsonValue[] {
    const value = this.#object[name];
    if (value === undefined || !isList(value)) throw fault(`${name} is not a list`);
    return value;
  }
}

/**
 * Reads the signed text of TCB info or QE identity.
 *
 * @throws {FormatError} `schema`, `duplicate_key` and the others of `parseStrictJson`
 */
export function readCollateralText(text: string, what: string): CollateralMembers {
  return new CollateralMembers(parseStrictJson(fromUtf8(text)), what);
}

/** Status, date and advisories of a level. */
export function readRating(level: CollateralMembers): RatedLevel {
  level.instant('tcbDate');
  return {
    tcbDate: level.text('tcbDate'),
    tcbStatus: level.text('tcbStatus'),
    advisoryIds: level.texts('advisoryIDs'),
  };
}

/** Sorts levels by ISVSVN, the highest first, because the order of the list is not specified. */
export function readSvnLevels(members: CollateralMembers): readonly SvnLevel[] {
  const levels = members.levels('tcbLevels').map((level) => ({
    isvSvn: level.object('tcb').integer('isvsvn', 0xffff),
    ...readRating(level),
  }));
  return levels.sort((a, b) => b.isvSvn - a.isvSvn);
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function fault(message: string): FormatError {
  return new FormatError('schema', message);
}

/** A signed JSON text and its signature. */
export interface SignedJson {
  /** The exact text, because the signature covers its bytes. */
  readonly text: string;
  readonly signature: Uint8Array;
}

/**
 * Extracts the signed text from an answer of Intel's provisioning certification service (PCS v4). The answer is an
 * object with the signed member, itself an object, and `signature` in hex, in any order.
 *
 * @throws {FormatError} `schema`, `encoding` and the others of `parseStrictJson`
 */
export function cutSignedJson(bytes: Uint8Array, member: string): SignedJson {
  const answer = parseStrictJson(bytes);
  if (!isObject(answer) || Object.keys(answer).length !== 2 || !isObject(answer[member])) {
    throw new FormatError('schema', `answer is not ${member} and its signature`);
  }
  const { signature } = answer;
  if (typeof signature !== 'string') throw new FormatError('schema', 'signature is not a string');
  return { signature: decodeHex(signature), text: onlyObjectIn(utf8(bytes)) };
}

/**
 * Extracts the only inner object. Names and signature contain no braces, so its braces are the second and the last but
 * one.
 */
function onlyObjectIn(json: string): string {
  const start = json.indexOf('{', json.indexOf('{') + 1);
  const end = json.lastIndexOf('}', json.lastIndexOf('}') - 1);
  return json.slice(start, end + 1);
}
