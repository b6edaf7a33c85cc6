/** How messages repeat a name that somebody sent, and list the names that there are. */

/** Printable ASCII without quotes, and short: what a name looks like. Anything else may be what nobody should see. */
const PLAIN = /^[\x20\x21\x23-\x7e]{1,64}$/;

/** Names that are listed at most. */
const LISTED = 16;

/** A name from outside in quotes. One that does not look like a name is not repeated. */
export function quotedName(name: string): string {
  return PLAIN.test(name) ? `"${name}"` : '(name withheld)';
}

/** The names that there are, as the end of a message. */
export function listedNames(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const rest = names.length - LISTED;
  return names.slice(0, LISTED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** Longer names are not compared: what somebody sends must not cost more than it is worth. */
const LONGEST_COMPARED = 64;

/** Names that differ from one that was sent in a few characters only, the nearest first. */
export function nearNames(name: string, names: readonly string[]): readonly string[] {
  if (name.length > LONGEST_COMPARED) return [];
  return (
    names
      .map((known) => ({ known, distance: editDistance(name.toLowerCase(), known.toLowerCase()) }))
      .filter(({ known, distance }) => distance <= Math.max(2, Math.floor(known.length / 3)))
      // Of names of three letters, any two would be near that share one.
      .filter(({ known, distance }) => 2 * distance <= Math.max(known.length, name.length))
      .sort((a, b) => a.distance - b.distance)
      .map(({ known }) => known)
  );
}

/** Characters that have to be put in, taken out or exchanged (Levenshtein), row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchanged = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(exchanged, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
