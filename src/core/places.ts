/** Where something stands in a configuration: names of keys, and indices of items. */
export type KeyPath = readonly (string | number)[];

/** A place one level further in, as documents and messages name it. */
export function placeIn(place: string, step: string | number): string {
  if (typeof step === 'number') return `${place}[${step}]`;
  return place === '' ? step : `${place}.${step}`;
}

/** Something that is wrong in a configuration, and where. */
export interface PlacedProblem {
  /** Empty for the whole. */
  readonly path: KeyPath;
  /** Lower case, without period, and without the place. */
  readonly what: string;
  /** The same with its place, for logs and people. Left out, it is `place: what`. */
  readonly text?: string;
}

/** A problem with its place, for logs and people. */
export function placedText({ path, what, text }: PlacedProblem): string {
  return text ?? (path.length === 0 ? what : `${path.reduce(placeIn, '')}: ${what}`);
}
