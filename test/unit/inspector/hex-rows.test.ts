import { describe, expect, it } from 'vitest';
import type { FieldDescription, StructureDescription } from '../../../src/inspect/field-description.js';
import { hexRows, numbered, PAGE_BYTES, placedFields } from '../../../src/inspector/hex-rows.js';

const field = (name: string, offset: number | null, length: number | null): FieldDescription => ({
  name,
  offset,
  length,
  value: null,
  meaning: null,
});
const structure = (start: number | null, ...fields: FieldDescription[]): StructureDescription => ({
  name: 's',
  about: '',
  start,
  length: 0,
  fields,
});
const bytes = Uint8Array.from({ length: 40 }, (_, index) => index);
const shown = (page: number, fields: Parameters<typeof hexRows>[2], of = bytes) =>
  hexRows(of, page, fields).map(({ offset, runs }) => [
    offset,
    ...runs.map((run) => [run.at, run.bytes.length, run.field]),
  ]);

describe('placed fields', () => {
  it('are numbered over all structures, and stand where their structure starts', () => {
    const structures = [structure(0, field('a', 0, 4), field('text', null, null)), structure(10, field('b', 2, 8))];
    expect(numbered(structures).map(({ first }) => first)).toEqual([0, 2]);
    expect(placedFields(structures)).toEqual([
      { index: 2, from: 12, to: 20 },
      { index: 0, from: 0, to: 4 },
    ]);
  });

  it('are none of a structure without a place, or without bytes', () => {
    expect(placedFields([structure(null, field('a', 0, 4)), structure(0, field('b', 3, 0))])).toEqual([]);
  });
});

describe('rows of bytes', () => {
  it('are cut where a field begins or ends, and where a row does', () => {
    expect(shown(0, [{ index: 0, from: 4, to: 20 }])).toEqual([
      [0, [0, 4, null], [4, 12, 0]],
      [16, [16, 4, 0], [20, 12, null]],
      [32, [32, 8, null]],
    ]);
  });

  it('give bytes to the field inside of another one', () => {
    const fields = placedFields([structure(0, field('inside', 2, 2), field('outside', 0, 8))]);
    expect(shown(0, fields)[0]).toEqual([0, [0, 2, 1], [2, 2, 0], [4, 4, 1], [8, 8, null]]);
  });

  it('are those of one page, with fields that begin before it', () => {
    const long = new Uint8Array(PAGE_BYTES + 20);
    expect(shown(1, [{ index: 5, from: PAGE_BYTES - 3, to: PAGE_BYTES + 2 }], long)).toEqual([
      [PAGE_BYTES, [PAGE_BYTES, 2, 5], [PAGE_BYTES + 2, 14, null]],
      [PAGE_BYTES + 16, [PAGE_BYTES + 16, 4, null]],
    ]);
    expect(shown(2, [], long)).toEqual([]);
    expect(shown(0, [], new Uint8Array())).toEqual([]);
  });
});
