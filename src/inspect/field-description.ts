import { base64, hex } from '../core/bytes.js';
import type { JsonValue } from '../core/json.js';

/** One field of a structure, for display. Nothing in it is verified. */
export interface FieldDescription {
  readonly name: string;
  /** Offset in the structure (for a certificate or CRL, in its DER); null if the field has no place in it. */
  readonly offset: number | null;
  readonly length: number | null;
  readonly value: JsonValue;
  readonly meaning: string | null;
}

/** A structure, field by field. */
export interface StructureDescription {
  /** Name in its specification. */
  readonly name: string;
  /** JSON pointer into the evidence. */
  readonly about: string;
  /** Offset of the structure in `about`; null if it is encoded there, as in PEM, JSON or a token. */
  readonly start: number | null;
  readonly length: number;
  readonly fields: readonly FieldDescription[];
}

/** Offset of a part in bytes; null if it is no part of them. */
export function startIn(whole: Uint8Array, part: Uint8Array): number | null {
  return part.buffer === whole.buffer ? part.byteOffset - whole.byteOffset : null;
}

/** A field of text, or without a fixed place. */
export function textField(name: string, value: JsonValue, meaning: string | null = null): FieldDescription {
  return { name, offset: null, length: null, value, meaning };
}

/** Bound bytes in base64url, like the nonce of a request: without trailing zeros. Null if there is nothing else. */
export function inBase64Url(field: Uint8Array): string | null {
  const length = field.findLastIndex((byte) => byte !== 0) + 1;
  return length === 0 ? null : `base64url ${base64(field.subarray(0, length), 'base64url')}`;
}

/** Names the fields of a structure with fixed offsets. */
export class FieldTable {
  readonly #bytes: Uint8Array;
  readonly #fields: FieldDescription[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get fields(): readonly FieldDescription[] {
    return this.#fields;
  }

  /** Adds a field whose value the caller has decoded. */
  add(name: string, offset: number, length: number, value: JsonValue, meaning: string | null = null): this {
    this.#fields.push({ name, offset, length, value, meaning });
    return this;
  }

  /** Adds a decoded field of DER, at the part of the bytes with it; null: without a place. */
  part(name: string, part: Uint8Array | null, value: JsonValue, meaning: string | null = null): this {
    const offset = part === null ? null : startIn(this.#bytes, part);
    this.#fields.push({ name, offset, length: offset === null ? null : (part?.byteLength ?? null), value, meaning });
    return this;
  }

  /** Adds a field shown as hex. */
  hex(name: string, offset: number, length: number, meaning: string | null = null): this {
    const value = hex(this.#bytes.subarray(offset, offset + length));
    return this.add(name, offset, length, value, meaning);
  }

  /** Adds a field that can contain the nonce of a request, shown as hex and as base64url. */
  bound(name: string, offset: number, length: number, what: string | null = null): this {
    const meanings = [what, inBase64Url(this.#bytes.subarray(offset, offset + length))].filter((each) => each !== null);
    return this.hex(name, offset, length, meanings.length === 0 ? null : meanings.join('; '));
  }
}
