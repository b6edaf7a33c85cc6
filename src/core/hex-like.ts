/** Fewer characters can be hex by chance, and zeros are so in either encoding. */
const SHORTEST = 32;
const FEWEST_DISTINCT = 8;
/** Looked at for these: a text of a megabyte needs no more. */
const SAMPLE = 1024;

/**
 * Whether a text that should be base64 was in all likelihood written as hex: long, an even number of digits of one
 * case, and not only a few different ones. Every such text is base64 too, of other bytes: this is for messages, and
 * for structures that no such base64 can be.
 */
export function looksLikeHex(text: string): boolean {
  return (
    text.length >= SHORTEST &&
    text.length % 2 === 0 &&
    (/^[0-9a-f]+$/.test(text) || /^[0-9A-F]+$/.test(text)) &&
    new Set(text.slice(0, SAMPLE)).size >= FEWEST_DISTINCT
  );
}

/** The bytes of a text of such digits, with 0x in front or without; null if it is none. */
export function hexLook(text: string): 'hex' | 'hex, and starts with 0x' | null {
  if (looksLikeHex(text)) return 'hex';
  return HEX_PREFIX.test(text) && looksLikeHex(text.slice(2)) ? 'hex, and starts with 0x' : null;
}

/** Two digits that a language writes in front. They are no hex. */
export const HEX_PREFIX = /^0x/i;
