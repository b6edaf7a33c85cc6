import type { StructureDescription } from '../inspect/field-description.js';
import { fieldRange } from './structures.js';

/** The range of a field in bytes, both ends included. */
export interface PlacedField {
  /** Index across the fields of all structures, for links in both directions. */
  readonly index: number;
  readonly from: number;
  readonly to: number;
}

/** Bytes of a row that belong to one field, or to none. */
export interface Run {
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Null: no named field. */
  readonly field: number | null;
}

export interface HexRow {
  readonly offset: number;
  readonly runs: readonly Run[];
}

const ROW_BYTES = 16;
/** Rows on a page of the view, so that a log of a megabyte is not rendered at once. */
const PAGE_ROWS = 64;
export const PAGE_BYTES = ROW_BYTES * PAGE_ROWS;

/** Structures, each with the number of its first field among the fields of all. */
export function numbered(structures: readonly StructureDescription[]) {
  let next = 0;
  return structures.map((structure) => {
    const first = next;
    next += structure.fields.length;
    return { structure, first };
  });
}

/** The fields with a place. Longer fields come first, so that an inner field is drawn on top. */
export function placedFields(structures: readonly StructureDescription[]): readonly PlacedField[] {
  const placed = numbered(structures).flatMap(({ structure, first }) =>
    structure.fields.flatMap((field, at) => {
      const place = fieldRange(structure, field);
      return place === null || place.to === place.from ? [] : [{ index: first + at, ...place }];
    }),
  );
  return placed.toSorted((a, b) => b.to - b.from - (a.to - a.from));
}

/** The rows of a page, split at the bounds of fields. */
export function hexRows(bytes: Uint8Array, page: number, fields: readonly PlacedField[]): readonly HexRow[] {
  const start = page * PAGE_BYTES;
  const end = Math.min(start + PAGE_BYTES, bytes.byteLength);
  const owner = new Array<number | null>(Math.max(0, end - start)).fill(null);
  for (const { index, from, to } of fields) owner.fill(index, Math.max(0, from - start), Math.max(0, to - start));
  const rows: HexRow[] = [];
  for (let offset = start; offset < end; offset += ROW_BYTES) {
    rows.push({
      offset,
      runs: runsOf(bytes, offset, Math.min(offset + ROW_BYTES, end), (at) => owner[at - start] ?? null),
    });
  }
  return rows;
}

function runsOf(bytes: Uint8Array, from: number, to: number, ownerAt: (at: number) => number | null): readonly Run[] {
  const runs: Run[] = [];
  for (let at = from; at < to; ) {
    const field = ownerAt(at);
    let end = at + 1;
    while (end < to && ownerAt(end) === field) end += 1;
    runs.push({ at, bytes: bytes.subarray(at, end), field });
    at = end;
  }
  return runs;
}
