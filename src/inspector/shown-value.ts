/** Longer texts are cut, so that no answer makes the page slow. */
const LONGEST = 2_000;

/** Characters that are invisible, reorder text or end a line: controls, formats, lone surrogates (Unicode general categories). */
const HIDDEN = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Formats a value of evidence or of an answer as harmless text.
 *
 * @param longest most shown characters
 */
export function shownValue(value: unknown, longest = LONGEST): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const cut = text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text;
  return cut.replaceAll(HIDDEN, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}
