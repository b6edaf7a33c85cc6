/** Common mistakes by the text at which the parser stopped, with the CEL form. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/^and\b/i, 'write &&'],
  [/^or\b/i, 'write ||'],
  [/^not\b/i, 'write !'],
  [/^=/, 'write =='],
  [/^<>/, 'write !='],
  [/^&/, 'write &&'],
  [/^\|/, 'write ||'],
  [/^\.\d+/, 'a name that is a number stands in brackets and quotes: ["7"]'],
  [/^$/, 'the expression ends too early'],
];

/** Returns a hint for a place that is not CEL; null if there is none. @param at index of the character */
export function syntaxHint(text: string, at: number): string | null {
  // The parser stops at what it does not expect, a character behind it, or at the next word.
  const [before = ''] = /\w*\s*$/.exec(text.slice(0, at)) ?? [];
  const places = [at, at - 1, at - before.length];
  const rests = places.map((place) => text.slice(Math.max(place, 0)).trim());
  const hints = rests.flatMap((rest) => HINTS.filter(([pattern]) => pattern.test(rest)));
  return hints[0]?.[1] ?? null;
}
