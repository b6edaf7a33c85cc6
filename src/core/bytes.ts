/**
 * Bytes as text and back, compared and put together. This file alone of those that read formats knows Node's `Buffer`. Browsers have
 * none: the build of the inspector takes functions of the same names in place of these. What makes bytes makes Buffers here: whoever takes many parts of them
 * takes them of a plain view, since parts of Buffers are Buffers, which take several times as long to make.
 */

/** Lower-case hex. */
export function hex(bytes: Uint8Array): string {
  return view(bytes).toString('hex');
}

/** @param digits an even number of hex digits, of either case; nothing else is checked here */
export function fromHex(digits: string): Uint8Array {
  return Buffer.from(digits, 'hex');
}

/** One character a byte, U+0000 to U+00FF. */
export function latin1(bytes: Uint8Array): string {
  return view(bytes).toString('latin1');
}

/** @param text of characters up to U+00FF */
export function fromLatin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** UTF-16 in little endian. A last byte that is none of a pair is left out; surrogates without the other half stay. */
export function utf16le(bytes: Uint8Array): string {
  return view(bytes).toString('utf16le');
}

/** UTF-16 in little endian. */
export function fromUtf16le(text: string): Uint8Array {
  return Buffer.from(text, 'utf16le');
}

/** Bytes that are no UTF-8 become U+FFFD. */
export function utf8(bytes: Uint8Array): string {
  return view(bytes).toString('utf8');
}

export function fromUtf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

/** Bytes that a text takes in UTF-8. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text);
}

export type Base64Alphabet = 'base64' | 'base64url';

/** Base64 with padding, or base64url without. */
export function base64(bytes: Uint8Array, alphabet: Base64Alphabet): string {
  return view(bytes).toString(alphabet);
}

/**
 * Bytes of a text in one alphabet, whatever else the text has. Who reads a text that somebody sent compares it with what its
 * bytes are written as.
 */
export function looseBytes(text: string, alphabet: Base64Alphabet): Uint8Array {
  return Buffer.from(text, alphabet);
}

/** Stops at the first byte that differs: not for secrets. */
export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Parts one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
