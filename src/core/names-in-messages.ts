/** Repeats names from outside in messages, and lists known names. */

/** Printable ASCII without quotes, and short: the form of a name. Other text may be a secret. */
const PLAIN = /^[\x20\x21\x23-\x7e]{1,64}$/;

/** Most listed names. */
const LISTED = 16;

/** Audiences are mostly URLs. */
const PLAIN_AUDIENCE = /^[\x20\x21\x23-\x7e]{1,512}$/;

/** Whether a name from outside has the form of a name, and may be repeated. */
export function isPlainName(name: string): boolean {
  return PLAIN.test(name);
}

/** Quotes the name of a relying party. A name with other characters than printable ASCII is not repeated. */
export function quotedAudience(audience: string): string {
  return PLAIN_AUDIENCE.test(audience) ? `"${audience}"` : '(name withheld)';
}

/** Quotes a name from outside. A text without the form of a name is not repeated. */
export function quotedName(name: string): string {
  return isPlainName(name) ? `"${name}"` : '(name withheld)';
}

/** Lists known names, as the end of a message. */
export function listedNames(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const rest = names.length - LISTED;
  return names.slice(0, LISTED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** Longer names are not compared, so that a sender cannot cause much work. */
const LONGEST_COMPARED = 64;

/** Names that differ from a sent one in a few characters only, the nearest first. */
export function nearNames(name: string, names: readonly string[]): readonly string[] {
  if (name.length > LONGEST_COMPARED) return [];
  return names
    .map((known) => ({ known, distance: distanceIfNear(name, known) }))
    .filter(({ distance }) => distance !== null)
    .sort((a, b) => Number(a.distance) - Number(b.distance))
    .map(({ known }) => known);
}

/** The end of a message about an unknown name: the nearest known one, or nothing. */
export function meantHint(name: string, names: Iterable<string>): string {
  const [near] = nearNames(name, [...names]);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** The nearest known name as a question; other words if there is none. */
export function meantOr(name: string, known: readonly string[], otherwise: string): string {
  const [near] = nearNames(name, known);
  return near === undefined ? otherwise : `did you mean ${near}?`;
}

/** The number of characters in which a name differs from a known one; null if it is too large, or a name too long. */
function distanceIfNear(name: string, known: string): number | null {
  if (name.length > LONGEST_COMPARED) return null;
  const few = Math.max(2, Math.floor(known.length / 3));
  // Otherwise two names of three letters with one in common would be near.
  const half = Math.floor(Math.max(known.length, name.length) / 2);
  return editDistance(name.toLowerCase(), known.toLowerCase(), Math.min(few, half));
}

/**
 * Returns the probably intended name for an unknown one; null if none is near. Words that both begin or
 * end with do not count, since names of one family share most of their letters.
 */
export function meantName(name: string, names: readonly string[]): string | null {
  let meant: { readonly known: string; readonly distance: number } | null = null;
  for (const known of names) {
    const distance = distanceIfNear(...whereTheyDiffer(name, known));
    if (distance !== null && (meant === null || distance < meant.distance)) meant = { known, distance };
  }
  return meant?.known ?? null;
}

/** The rest of two names without the whole words that they share at either end. */
function whereTheyDiffer(a: string, b: string): readonly [string, string] {
  const shortest = Math.min(a.length, b.length);
  let [same, start] = [0, 0];
  for (; same < shortest && a[same] === b[same]; same++) if (isBetweenWords(a[same])) start = same + 1;
  let [alike, end] = [1, 0];
  for (; alike <= shortest - start && a.at(-alike) === b.at(-alike); alike++)
    if (isBetweenWords(a.at(-alike))) end = alike;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}

function isBetweenWords(character: string | undefined): boolean {
  return character === '-' || character === '_' || character === '.';
}

/**
 * Edit distance of two names (Levenshtein), row by row; null if it is more than `most`.
 * Many names are compared with many, and most are far apart: the function stops once that is certain.
 */
function editDistance(a: string, b: string, most: number): number | null {
  let row = new Uint16Array(b.length + 1).map((_, index) => index);
  let next = new Uint16Array(b.length + 1);
  for (let i = 1; i <= a.length; i++) {
    next[0] = i;
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const exchanged = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const distance = Math.min(exchanged, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      next[j] = distance;
      least = Math.min(least, distance);
    }
    if (least > most) return null;
    [row, next] = [next, row];
  }
  const distance = row[b.length] ?? 0;
  return distance > most ? null : distance;
}
