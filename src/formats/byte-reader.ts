import type { MalformedCode } from '../core/codes.js';
import { FormatError } from '../core/errors.js';

/**
 * Reads integers and byte ranges of a structure from front to back. A read past the end is a FormatError with the
 * code of the structure: `subarray` past the end would be short, not an error.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #code: MalformedCode;
  #offset = 0;

  constructor(bytes: Uint8Array, code: MalformedCode) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#code = code;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.byteLength - this.#offset;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#advance(1, field));
  }

  /** Big endian, as the TPM writes. */
  u16be(field: string): number {
    return this.#view.getUint16(this.#advance(2, field));
  }

  /** Big endian, as the TPM writes. */
  u32be(field: string): number {
    return this.#view.getUint32(this.#advance(4, field));
  }

  /** Big endian, as the TPM writes. */
  u64be(field: string): bigint {
    return this.#view.getBigUint64(this.#advance(8, field));
  }

  /** Little endian, as Intel writes. */
  u16le(field: string): number {
    return this.#view.getUint16(this.#advance(2, field), true);
  }

  /** Little endian, as Intel writes. */
  u32le(field: string): number {
    return this.#view.getUint32(this.#advance(4, field), true);
  }

  /** Little endian, as Intel writes. */
  u64le(field: string): bigint {
    return this.#view.getBigUint64(this.#advance(8, field), true);
  }

  /** A view of the next `length` bytes. */
  bytes(length: number, field: string): Uint8Array {
    const start = this.#advance(length, field);
    return this.#bytes.subarray(start, start + length);
  }

  /** A TPM2B: 16-bit big endian size, then as many bytes. */
  sized(maximum: number, field: string): Uint8Array {
    const size = this.u16be(field);
    if (size > maximum) throw new FormatError(this.#code, `${field} is ${size} bytes, at most ${maximum} are allowed`);
    return this.bytes(size, field);
  }

  /** Every byte has been read. */
  expectEnd(): void {
    if (this.remaining > 0) throw new FormatError(this.#code, `${this.remaining} bytes after the end`);
  }

  #advance(length: number, field: string): number {
    const start = this.#offset;
    if (length > this.remaining) {
      throw new FormatError(
        this.#code,
        `${field} needs ${length} bytes at offset ${start}, ${this.remaining} are left`,
      );
    }
    this.#offset = start + length;
    return start;
  }
}

/** Whether every byte of a range is zero. By index: a report has a thousand such bytes, and an iterator is slow. */
export function isZero(bytes: Uint8Array, start = 0, end = bytes.byteLength): boolean {
  for (let index = start; index < end; index++) {
    if (bytes[index] !== 0) return false;
  }
  return true;
}
