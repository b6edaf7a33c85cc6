import { base64, fromHex, looseBytes } from '../core/bytes.js';
import { FormatError } from '../core/errors.js';
import { HEX_PREFIX, hexLook } from '../core/hex-like.js';

/**
 * Reads base64url or base64 (RFC 4648 sections 4 and 5), with or without padding. One text uses one alphabet.
 *
 * `looseBytes` skips unknown characters, so its result alone proves nothing. A text is accepted if encoding the decoded
 * bytes gives the same text again. This rejects blanks, foreign characters, a mix of both
 * alphabets, and unused bits that are not zero.
 *
 * @throws {FormatError} `encoding`
 */
export function decodeBase64(text: string): Uint8Array {
  const digits = withoutPadding(text);
  const alphabet = digits.includes('+') || digits.includes('/') ? 'base64' : 'base64url';
  const bytes = looseBytes(digits, alphabet);
  if (withoutPadding(base64(bytes, alphabet)) !== digits) throw new FormatError('encoding', base64Problem(digits));
  // RFC 4648 section 3.2: padding is optional here, but must be complete if present
  if (digits.length < text.length && text.length % 4 !== 0)
    throw new FormatError('encoding', 'base64 padding is wrong');
  return bytes;
}

/** A text of hex digits that is not base64 counts as hex, even if it is too short for `hexLook`: a nonce of 9 bytes. */
const SHORT_HEX = /^(?:[0-9a-f]{2}){8,}$/i;

/** Describes why a text is not base64, without its content. */
function base64Problem(digits: string): string {
  if (/^\s*-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY-----/.test(digits))
    return 'this is a private key, which must not be sent';
  if (digits.trimStart().startsWith('-----BEGIN')) return 'this is PEM: expected the DER in it, in base64url or base64';
  const look = hexLook(digits) ?? (SHORT_HEX.test(digits) ? 'hex' : null);
  if (look !== null) return `this is ${look}: expected base64url or base64`;
  if (/\s/.test(digits)) return 'not base64url or base64: it has spaces or line feeds';
  if (/[^A-Za-z0-9+/_-]/.test(digits)) return 'not base64url or base64: it has other characters';
  if (/[+/]/.test(digits) && /[_-]/.test(digits)) return 'not base64url or base64: it mixes the two alphabets';
  return 'not base64url or base64: it is cut short, or its last character has bits that no byte uses';
}

/**
 * Reads base64 in its one canonical spelling (RFC 4648 section 4): standard alphabet, padding, nothing else.
 *
 * @throws {FormatError} `encoding`
 */
export function decodeStandardBase64(text: string): Uint8Array {
  const bytes = looseBytes(text, 'base64');
  if (base64(bytes, 'base64') !== text) throw new FormatError('encoding', 'not base64 with padding');
  return bytes;
}

/** Writes base64url without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return base64(bytes, 'base64url');
}

const HEX = /^(?:[0-9a-f]{2})*$/i;

/**
 * Reads hex in either case, two digits a byte.
 *
 * @throws {FormatError} `encoding`
 */
export function decodeHex(text: string): Uint8Array {
  // Node's Buffer decodes a part of any other text, and reads U+0141 as the A in its low byte
  if (!HEX.test(text)) throw new FormatError('encoding', hexProblem(text));
  return fromHex(text);
}

function hexProblem(text: string): string {
  if (/^[0-9a-f]*$/i.test(text)) return 'not hex with two digits a byte: the number of digits is odd';
  if (HEX_PREFIX.test(text)) return 'not hex with two digits a byte: it starts with 0x';
  const isBase64 = /^[A-Za-z0-9+/_-]+={0,2}$/.test(text);
  return `not hex with two digits a byte${isBase64 ? ': this looks like base64' : ': it has other characters'}`;
}

function withoutPadding(text: string): string {
  if (!text.endsWith('=')) return text;
  return text.slice(0, text.endsWith('==') ? -2 : -1);
}
