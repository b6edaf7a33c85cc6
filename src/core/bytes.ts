/**
 * Conversions between bytes and text, and comparisons. Of all parsers, only this file uses Node's `Buffer`. Browsers lack it, so
 * the build of the inspector replaces these functions. Results are Buffers. A caller that takes many parts uses
 * a plain view, since parts of Buffers are Buffers, which take several times as long to make.
 */

/** Lower-case hex. */
export function hex(bytes: Uint8Array): string {
  return view(bytes).toString('hex');
}

/** @param digits an even number of hex digits, in either case; not checked here */
export function fromHex(digits: string): Uint8Array {
  return Buffer.from(digits, 'hex');
}

/** One character per byte, U+0000 to U+00FF. */
export function latin1(bytes: Uint8Array): string {
  return view(bytes).toString('latin1');
}

/** @param text characters up to U+00FF */
export function fromLatin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Decodes UTF-16 in little endian. Drops an odd last byte; keeps surrogates without their other half. */
export function utf16le(bytes: Uint8Array): string {
  return view(bytes).toString('utf16le');
}

/** UTF-16 in little endian. */
export function fromUtf16le(text: string): Uint8Array {
  return Buffer.from(text, 'utf16le');
}

/** Decodes UTF-8. Invalid bytes become U+FFFD. */
export function utf8(bytes: Uint8Array): string {
  return view(bytes).toString('utf8');
}

export function fromUtf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

/** Length of a text in UTF-8 bytes. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text);
}

export type Base64Alphabet = 'base64' | 'base64url';

/** Base64 with padding, or base64url without. */
export function base64(bytes: Uint8Array, alphabet: Base64Alphabet): string {
  return view(bytes).toString(alphabet);
}

/**
 * Decodes a text in one alphabet, and skips other characters. For text from outside, the caller compares it with the
 * encoding of the result.
 */
export function looseBytes(text: string, alphabet: Base64Alphabet): Uint8Array {
  return Buffer.from(text, alphabet);
}

/** Compares byte by byte, and stops at the first difference: not for secrets. */
export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Concatenates parts. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
