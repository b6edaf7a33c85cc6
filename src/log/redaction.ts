import { createHash } from 'node:crypto';
import { isObject, type JsonValue } from '../core/json.js';

/** Shorter text occurs in many places by chance: it is only withheld as a whole member. */
const LEAST_LENGTH = 8;

/** Most encodings to search for. With more, texts are not recorded at all. */
const MOST_FORMS = 2048;

const NOT_RECORDED = 'not recorded: the evidence has too many values to keep out of the log';

const HEX = /^(?:[0-9a-f]{2})+$/i;

/** Replaces identifiers by digests, and replaces their occurrences in texts. */
export interface Redaction {
  /** Replaces each text in a value by its digest; keeps numbers, booleans and null. */
  withhold(value: JsonValue): JsonValue;
  withholdBytes(bytes: Uint8Array): JsonValue;
  /** Removes the strings of an unrecorded value from later texts. */
  hide(value: JsonValue): void;
  /** Removes everything withheld before from the strings of a value, in any encoding. */
  scrub<T extends JsonValue>(value: T): T;
}

/** For records with kept evidence, which need no redaction. */
export const NO_REDACTION: Redaction = {
  withhold: (value) => value,
  withholdBytes: () => null,
  hide: () => {},
  scrub: (value) => value,
};

/** Writes `sha256:` and the digest of salt and value in hex. For hex text, the digest covers the decoded bytes. */
export class SaltedRedaction implements Redaction {
  readonly #salt: Uint8Array;
  /** Encodings of withheld values, with the digest that replaces each. */
  readonly #forms = new Map<string, string>();
  /** Finds all encodings, the longest first. Null: compiled at the next use. */
  #finder: RegExp | null = null;

  constructor(salt: Uint8Array) {
    this.#salt = salt;
  }

  withhold(value: JsonValue): JsonValue {
    if (Array.isArray(value)) return value.map((each) => this.withhold(each));
    if (isObject(value)) {
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, this.withhold(member)]));
    }
    if (typeof value !== 'string' || value === '') return value;
    return HEX.test(value) ? this.withholdBytes(Buffer.from(value, 'hex')) : this.#withholdText(value);
  }

  withholdBytes(bytes: Uint8Array): string {
    const digest = this.#digest(bytes);
    if (isFiller(bytes)) return digest;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const hex = buffer.toString('hex');
    this.#add(digest, hex, hex.toUpperCase(), ...base64Forms(buffer));
    return digest;
  }

  scrub<T extends JsonValue>(value: T): T;
  scrub(value: JsonValue): JsonValue {
    if (typeof value === 'string') return this.#scrubText(value);
    if (Array.isArray(value)) return value.map((each) => this.scrub(each));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [this.#scrubText(name), this.scrub(member)]),
    );
  }

  hide(value: JsonValue): void {
    if (this.#isFull) return;
    if (typeof value === 'string') this.withhold(value);
    else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) this.hide(each);
  }

  /** Whether there are too many values to search for. A caller chooses their number. */
  get #isFull(): boolean {
    return this.#forms.size > MOST_FORMS;
  }

  /** Replaces in one pass, so that no chosen value can change the digest of another. */
  #scrubText(text: string): string {
    if (this.#forms.size === 0) return text;
    if (this.#isFull) return NOT_RECORDED;
    this.#finder ??= finderOf([...this.#forms.keys()]);
    return text.replace(this.#finder, (form) => this.#forms.get(form) ?? form);
  }

  #withholdText(text: string): string {
    const bytes = Buffer.from(text, 'utf8');
    const digest = this.#digest(bytes);
    this.#add(digest, text, text.toLowerCase(), text.toUpperCase(), ...base64Forms(bytes));
    return digest;
  }

  #digest(bytes: Uint8Array): string {
    return `sha256:${createHash('sha256').update(this.#salt).update(bytes).digest('hex')}`;
  }

  #add(digest: string, ...forms: readonly string[]): void {
    for (const form of forms) {
      if (form.length >= LEAST_LENGTH) this.#forms.set(form, digest);
    }
    this.#finder = null;
  }
}

function finderOf(forms: readonly string[]): RegExp {
  const longestFirst = forms.toSorted((one, other) => other.length - one.length);
  return new RegExp(longestFirst.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
}

/**
 * Whether the value fills an unused field: all ones, as REPORT_ID_MA without a migration agent, or zeros. It identifies nothing,
 * and also occurs in PCRs and registers.
 */
function isFiller(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0xff) || bytes.every((byte) => byte === 0);
}

/** Encodings without padding, which also match padded text. */
function base64Forms(bytes: Buffer): readonly string[] {
  return [bytes.toString('base64url'), bytes.toString('base64').replace(/=+$/, '')];
}
