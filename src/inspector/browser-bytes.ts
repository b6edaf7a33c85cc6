import type { Base64Alphabet } from '../core/bytes.js';

/** The functions of src/core/bytes.ts for browsers. The build of the inspector replaces that module by this one. */

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function hex(bytes: Uint8Array): string {
  let digits = '';
  for (const byte of bytes) digits += HEX[byte];
  return digits;
}

export function fromHex(digits: string): Uint8Array {
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
}

/** Less than the most arguments of a call. */
const AT_ONCE = 8192;

export function latin1(bytes: Uint8Array): string {
  return decodeUnits(bytes);
}

export function fromLatin1(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
}

/** Not with a TextDecoder, which returns U+FFFD for a surrogate without its other half. */
export function utf16le(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decodeUnits(
    Uint16Array.from({ length: Math.floor(bytes.byteLength / 2) }, (_, at) => view.getUint16(2 * at, true)),
  );
}

export function fromUtf16le(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < text.length; index += 1) view.setUint16(2 * index, text.charCodeAt(index), true);
  return bytes;
}

export function utf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

export function fromUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function utf8Length(text: string): number {
  return fromUtf8(text).byteLength;
}

export function base64(bytes: Uint8Array, alphabet: Base64Alphabet): string {
  const text = btoa(decodeUnits(bytes));
  return alphabet === 'base64' ? text : text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

export function looseBytes(text: string, alphabet: Base64Alphabet): Uint8Array {
  const digits = alphabet === 'base64' ? text : text.replaceAll('-', '+').replaceAll('_', '/');
  try {
    return fromLatin1(atob(digits));
  } catch {
    // The caller compares the encoded result with the text, and so detects invalid text.
    return new Uint8Array();
  }
}

export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index]);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function decodeUnits(units: Uint8Array | Uint16Array): string {
  let text = '';
  for (let at = 0; at < units.length; at += AT_ONCE) text += String.fromCharCode(...units.subarray(at, at + AT_ONCE));
  return text;
}
