import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/core/json.js';
import { either, optional, orNull, Place, refined, type Schema } from '../../../src/schema/schema.js';
import { entries, list, naming, object, section, someOf, variants } from '../../../src/schema/structures.js';
import { choice, flag, hex, integer, refused, text } from '../../../src/schema/values.js';

/** The value that is read, or all errors. */
function reading(schema: Schema<unknown>, raw: JsonValue | undefined): unknown {
  const place = new Place();
  const value = schema.read(raw, place);
  expect(place.problems.length === 0).toBe(value !== undefined);
  return value ?? (value === null ? null : place.problems.map(({ path, what }) => `${path.join('/')}: ${what}`));
}

describe('an object', () => {
  const schema = object({ a: integer(0, 9), b: optional(flag, false), c: orNull(text()) });

  it('names twenty unknown keys, and counts the others', () => {
    const raw = Object.fromEntries(Array.from({ length: 23 }, (_, index) => [`unknown${index}`, 1]));
    const found = reading(object({ a: integer(0, 9) }), { a: 1, ...raw });
    expect(found).toHaveLength(21);
    expect(found).toContain(': has 3 more unknown keys');
  });

  it('has every member, those that are absent as their defaults', () => {
    expect(reading(schema, { a: 1 })).toEqual({ a: 1, b: false, c: null });
    expect(reading(schema, { a: 1, c: null })).toEqual({ a: 1, b: false, c: null });
  });

  it('is refused with all that is wrong, what is unknown first', () => {
    expect(reading(schema, { a: 10, b: null, toString: 1 })).toEqual([
      'toString: unknown key; there are a, b, c',
      'a: must be a whole number from 0 to 9',
      'b: must be true or false',
    ]);
  });

  it('is missing where it is absent, and a section is empty', () => {
    expect(reading(object({ a: optional(flag, true) }), undefined)).toEqual([': is missing']);
    expect(reading(section({ a: optional(flag, true) }), undefined)).toEqual({ a: true });
    expect(reading(section({ a: flag }), undefined)).toEqual(['a: is missing']);
  });

  it('that has to name something is refused where it names nothing', () => {
    expect(reading(naming(object({ a: optional(flag, true) })), {})).toEqual([': names nothing']);
    expect(
      reading(
        someOf(['a', 'b'], () => flag),
        {},
      ),
    ).toEqual([': names nothing']);
    expect(
      reading(
        someOf(['a', 'b'], () => flag),
        { b: true },
      ),
    ).toEqual({ b: true });
  });

  it('of free names takes no name from the prototype', () => {
    const named = entries(/^\w+$/, flag);
    expect(Object.keys(reading(named, { constructor: true }) as object)).toEqual(['constructor']);
    expect(reading(named, { 'a b': true })).toEqual(['a b: is not a name']);
  });
});

describe('one of several objects', () => {
  const schema = variants('kind', [
    object({ kind: choice('a'), size: integer(0, 9) }),
    object({ kind: choice('b'), none: optional(refused('takes none'), null) }),
  ]);

  it('is that of its kind', () => {
    expect(reading(schema, { kind: 'a', size: 1 })).toEqual({ kind: 'a', size: 1 });
    expect(reading(schema, { kind: 'b', none: null })).toEqual(['none: takes none']);
    expect(reading(schema, { kind: 'b', size: 1 })).toEqual(['size: unknown key; there are kind, none']);
  });

  it.each([[{}], [{ kind: 'c' }], [{ kind: null }]])('has a kind that there is, and not %j', (raw) => {
    expect(reading(schema, raw)).toEqual(['kind: must be a or b']);
  });
});

describe('a list', () => {
  it('may have to hold something, and nothing twice', () => {
    expect(reading(list(integer(0, 9)), [])).toEqual([]);
    expect(reading(list(integer(0, 9)), [1, 1])).toEqual([1, 1]);
    expect(reading(list(integer(0, 9), 'filled'), [])).toEqual([': must not be empty']);
    expect(reading(list(hex(1), 'distinct'), ['aB', 'Ab'])).toEqual([': repeats an item']);
  });
});

describe('either of two', () => {
  it('says what is wrong inside of what looks like the second, else what it may be', () => {
    const schema = either('any, or an object', choice('any'), object({ a: flag }));
    expect(reading(schema, { a: 1 })).toEqual(['a: must be true or false']);
    expect(reading(schema, ['a'])).toEqual([': must be any, or an object']);
    expect(reading(schema, null)).toEqual([': must be any, or an object']);
  });
});

describe('a value', () => {
  it('is told to lose its quotes, or to get some', () => {
    expect(reading(integer(0, 9), '7')).toEqual([': must be a whole number from 0 to 9, without quotes']);
    expect(reading(hex(1), 12)).toEqual([': must be 1 bytes in hex, in quotes']);
  });

  it('can be refused for what it says', () => {
    const even = refined(integer(0, 9), (value, at) => (value % 2 === 0 ? value / 2 : at.refuse('is odd')));
    expect(reading(even, 8)).toBe(4);
    expect(reading(even, 7)).toEqual([': is odd']);
  });
});
