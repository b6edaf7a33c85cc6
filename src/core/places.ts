/** A place in a configuration: names of keys, and indices of items. */
export type KeyPath = readonly (string | number)[];

/** The name of a place one level deeper, as in documents and messages. */
export function placeIn(place: string, step: string | number): string {
  if (typeof step === 'number') return `${place}[${step}]`;
  return place === '' ? step : `${place}.${step}`;
}

/** A problem of a configuration, with its place. */
export interface PlacedProblem {
  /** Empty for the whole. */
  readonly path: KeyPath;
  /** Lower case, without period, and without the place. */
  readonly what: string;
  /** The problem with its place, for logs and messages. Defaults to `place: what`. */
  readonly text?: string;
}

/** A problem with its place, for logs and messages. */
export function placedText({ path, what, text }: PlacedProblem): string {
  return text ?? (path.length === 0 ? what : `${path.reduce(placeIn, '')}: ${what}`);
}
