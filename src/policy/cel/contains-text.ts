/** Longer parts are looked for here. For short ones `includes` is fast whatever the texts are. */
const SHORT = 16;

/**
 * Whether a text contains another, in time that grows with the sum of their lengths (Knuth, Morris, Pratt). `includes` can
 * take their product, and both can be claims, so that whoever made these could hold up the service.
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

/** For each beginning of a text, by its length: how much of that stands at its end once more. */
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
