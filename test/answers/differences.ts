import type { JsonValue } from '../../src/core/json.js';
import { isList, isMembers } from './canonical.js';

/** One place where two canonical answers differ. `undefined`: nothing is there. */
export interface Difference {
  /** JSON pointer into the answer before, or into the one after where nothing was there before. */
  readonly pointer: string;
  /** Of the check that the place is in. */
  readonly check: string | null;
  /** `order`: the list has the same items in another order; they are not shown. */
  readonly kind: 'value' | 'order';
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
}

/** A difference that a change is meant to make. */
export interface MeantDifference {
  /** `*` stands for any one part; a pattern covers what is below it. */
  readonly pointer: string;
  /** Only differences in checks of this id. */
  readonly check?: string;
  readonly why: string;
}

type Place = Pick<Difference, 'pointer' | 'check'>;

/** Where two canonical answers differ. */
export function differencesOf(before: JsonValue, after: JsonValue): readonly Difference[] {
  return compared(before, after, { pointer: '', check: null });
}

export function isMeant({ pointer, check }: Place, meant: MeantDifference): boolean {
  const wanted = meant.pointer.split('/');
  const parts = pointer.split('/');
  const fits = wanted.length <= parts.length && wanted.every((part, index) => part === '*' || part === parts[index]);
  return fits && (meant.check === undefined || meant.check === check);
}

/** Entries that fit none of the differences: what they were written for is not so, or not any more. */
export function unusedOf(meant: readonly MeantDifference[], differences: readonly Place[]): readonly MeantDifference[] {
  return meant.filter((one) => !differences.some((difference) => isMeant(difference, one)));
}

function compared(before: JsonValue | undefined, after: JsonValue | undefined, place: Place): readonly Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isListed(before) && isListed(after)) return comparedLists(before, after, place);
  if (isMembers(before) && isMembers(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => compared(before[name], after[name], below(place, name)));
  }
  return [{ ...place, kind: 'value', before, after }];
}

/**
 * Items are paired by what they are about, so that one that is missing does not make all after it differ. Where nothing
 * tells what an item is about and the lists do not have the same items, they are paired by position.
 */
function comparedLists(before: readonly JsonValue[], after: readonly JsonValue[], place: Place): readonly Difference[] {
  const byName = [...before, ...after].every((item) => typeof item !== 'object' || nameOf(item) !== null);
  const keys = (list: readonly JsonValue[]) => numbered(list.map((item) => nameOf(item) ?? JSON.stringify(item)));
  const [first, second] = [keys(before), keys(after)];
  const isSameItems = first.length === second.length && new Set([...first, ...second]).size === first.length;
  if (!byName && !isSameItems) return comparedByPosition(before, after, place);
  const common = first.filter((key) => second.includes(key));
  const gone = first.flatMap((key, index) => {
    const other = second.indexOf(key);
    return compared(before[index], other < 0 ? undefined : after[other], inside(place, index, before[index]));
  });
  const added = second.flatMap((key, index) =>
    first.includes(key) ? [] : compared(undefined, after[index], inside(place, index, after[index])),
  );
  const isInOrder = second.filter((key) => first.includes(key)).every((key, index) => key === common[index]);
  const order: Difference = { ...place, kind: 'order', before: undefined, after: undefined };
  return [...gone, ...added, ...(isInOrder ? [] : [order])];
}

function comparedByPosition(before: readonly JsonValue[], after: readonly JsonValue[], place: Place) {
  const indices = Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index);
  return indices.flatMap((index) => compared(before[index], after[index], below(place, String(index))));
}

/** A check is about a place, under a policy; a policy has an id, a used endorsement a kind and a digest. */
function nameOf(item: JsonValue | undefined): string | null {
  if (!isMembers(item)) return null;
  const { id, about, policy, kind, sha256 } = item;
  if (typeof id === 'string') return JSON.stringify([id, about, policy]);
  return typeof kind === 'string' && typeof sha256 === 'string' ? JSON.stringify([kind, sha256]) : null;
}

/** The second of the same keys becomes another key, and so on. */
function numbered(keys: readonly string[]): readonly string[] {
  const seen = new Map<string, number>();
  return keys.map((key) => {
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    return count === 0 ? key : `${key} ${count}`;
  });
}

function inside(place: Place, index: number, item: JsonValue | undefined): Place {
  const { pointer } = below(place, String(index));
  const isCheck = isMembers(item) && typeof item['id'] === 'string' && item['result'] !== undefined;
  return { pointer, check: isCheck ? String(item['id']) : place.check };
}

function below({ pointer, check }: Place, name: string): Place {
  return { pointer: `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, check };
}

function isListed(value: JsonValue | undefined): value is readonly JsonValue[] {
  return value !== undefined && isList(value);
}
