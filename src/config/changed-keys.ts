import { isDeepStrictEqual } from 'node:util';
import { isRecord, placeIn } from './setting.js';

/** Keys whose values differ, as the documents name them. A list is one value. */
export function changedKeys(before: unknown, after: unknown, place = ''): readonly string[] {
  if (isRecord(before) && isRecord(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) => changedKeys(before[name], after[name], placeIn(place, name)));
  }
  return isDeepStrictEqual(before, after) ? [] : [place];
}
