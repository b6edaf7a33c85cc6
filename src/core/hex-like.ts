/** A shorter text can be hex by chance, and zeros are valid in both encodings. */
const SHORTEST = 32;
const FEWEST_DISTINCT = 8;
/** Characters that are examined: enough even for a text of a megabyte. */
const SAMPLE = 1024;

/**
 * Whether a text that should be base64 is probably hex: long, an even number of digits of one
 * case, with many different digits. Every such text is also base64, of other bytes. Used for messages, and
 * for structures whose base64 never looks so.
 */
export function looksLikeHex(text: string): boolean {
  return (
    text.length >= SHORTEST &&
    text.length % 2 === 0 &&
    (/^[0-9a-f]+$/.test(text) || /^[0-9A-F]+$/.test(text)) &&
    new Set(text.slice(0, SAMPLE)).size >= FEWEST_DISTINCT
  );
}

/** Describes a text of such digits, with or without 0x; null for any other text. */
export function hexLook(text: string): 'hex' | 'hex, and starts with 0x' | null {
  if (looksLikeHex(text)) return 'hex';
  return HEX_PREFIX.test(text) && looksLikeHex(text.slice(2)) ? 'hex, and starts with 0x' : null;
}

/** The prefix of hex in programming languages. It is no hex itself. */
export const HEX_PREFIX = /^0x/i;
