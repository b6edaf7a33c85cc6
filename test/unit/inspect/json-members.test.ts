import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import { parseStrictJson } from '../../../src/formats/strict-json.js';
import { memberFields } from '../../../src/inspect/json-members.js';

const fieldsOf = (text: string) => {
  const bytes = Buffer.from(text);
  return memberFields(bytes, parseStrictJson(bytes) as JsonObject).map((field) => ({
    ...field,
    written: bytes.subarray(field.offset ?? 0, (field.offset ?? 0) + (field.length ?? 0)).toString(),
  }));
};

describe('the members of a JSON object', () => {
  it.each([
    ['numbers, words and null', '{"a":1,"b":true,"c":null,"d":-1.5e2}'],
    ['lists and objects, and what is in them', '{"a":[1,[2],{"a":3}],"b":{"b":{"c":[]}},"c":{}}'],
    ['blanks everywhere', ' \n{ "a" : 1 ,\t"b" :\r\n [ 1 , 2 ] , "c" : "x" }  '],
    ['what gives JSON its structure, in strings', '{"a":"}],:{[","b":"\\"","c":"\\\\","},:":1}'],
    ['characters of more than one byte', '{"é":"ü€😀","b":"\u2028"}'],
    ['names that are escaped', '{"\\u0061\\n":1,"b\\"c":[2]}'],
    ['no members', '{}'],
  ])('are placed where their values are written: %s', (_, text) => {
    const fields = fieldsOf(text);
    expect(fields.map(({ name, written }) => [name, JSON.parse(written)])).toEqual(Object.entries(JSON.parse(text)));
    expect(fields.every(({ written }) => written === written.trim())).toBe(true);
  });

  it('are placed in a text with a string of a megabyte', () => {
    const fields = fieldsOf(`{"a":"${'x\\\\'.repeat(250_000)}","b":2}`);
    expect(fields.map(({ name, length }) => [name, length])).toEqual([
      ['a', 750_002],
      ['b', 1],
    ]);
  });
});
