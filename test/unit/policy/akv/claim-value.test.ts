import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { parseStrictJson } from '../../../../src/formats/strict-json.js';
import { claimAt } from '../../../../src/policy/akv/claim-value.js';

const CLAIMS = parseStrictJson(
  Buffer.from(
    JSON.stringify({
      a: { b: { c: 1 }, none: null },
      'a.b': { c: 2 },
      'd.e': 3,
      f: false,
      list: [{ g: 4 }],
      text: 'x',
    }),
  ),
) as JsonObject;

describe('a path of a release policy', () => {
  it('walks into nested objects, and reads a dot as nothing else', () => {
    expect(claimAt(CLAIMS, 'a.b.c')).toEqual({ value: 1, absent: null });
    expect(claimAt(CLAIMS, 'd.e')).toEqual({ value: null, absent: 'd is absent' });
  });

  it('finds false', () => {
    expect(claimAt(CLAIMS, 'f')).toEqual({ value: false, absent: null });
  });

  it.each([
    ['x', 'x is absent'],
    ['x.y', 'x is absent'],
    ['a.x', 'a.x is absent'],
    ['a.x.y', 'a.x is absent'],
    ['a.none', 'a.none is null, which counts as absent'],
    ['a.none.x', 'a.none is null, which counts as absent'],
    ['text.length', 'text is no object'],
    ['list.length', 'list is no object'],
    ['list.g', 'list is no object'],
  ])('%s leads to nothing: %s', (path, absent) => {
    expect(claimAt(CLAIMS, path)).toEqual({ value: null, absent });
  });

  it.each(['constructor', 'toString', '__proto__', 'a.constructor.name', 'hasOwnProperty'])(
    '%s leads to nothing, also in an object that inherits it',
    (path) => {
      expect(claimAt({ a: {} }, path).value).toBeNull();
    },
  );
});
