/** Parts up to this length use `includes`, which is fast for short parts of any text. */
const SHORT = 16;

/**
 * Whether a text contains another, in time linear in the sum of their lengths (Knuth, Morris, Pratt). `includes` can
 * need the product. Both texts can be claims, so an attacker could block the service.
 */
export function containsText(text: string, part: string): boolean {
  if (part.length <= SHORT) return text.includes(part);
  if (part.length > text.length) return false;
  const repeats = repeatsIn(part);
  let matched = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    while (matched > 0 && part.charCodeAt(matched) !== unit) matched = repeats[matched] ?? 0;
    if (part.charCodeAt(matched) === unit) matched++;
    if (matched === part.length) return true;
  }
  return false;
}

/** For each prefix of a text, by its length: the length of its longest proper prefix that is also its suffix. */
function repeatsIn(part: string): Uint32Array {
  const repeats = new Uint32Array(part.length + 1);
  let matched = 0;
  for (let index = 1; index < part.length; index++) {
    const unit = part.charCodeAt(index);
    while (matched > 0 && part.charCodeAt(matched) !== unit) matched = repeats[matched] ?? 0;
    if (part.charCodeAt(matched) === unit) matched++;
    repeats[index + 1] = matched;
  }
  return repeats;
}
