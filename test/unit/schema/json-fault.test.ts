import { describe, expect, it } from 'vitest';
import { jsonFault } from '../../../src/schema/json-fault.js';
import { isJson } from '../../is-json.js';

const COMMA_TOO_MANY = 'there is a comma too many before }';
const NO_END = 'a text has no end, or has a line end, tab or unknown escape in it';

describe('the first fault of a JSON text', () => {
  it.each<[string, number, number, string]>([
    ['a: 1', 1, 1, 'a value is expected'],
    ['', 1, 1, 'the text ends too early'],
    ['{\n  "a": 1,\n}', 3, 1, COMMA_TOO_MANY],
    ['{\r\n"a": [1, 2,]}', 2, 12, 'there is a comma too many before ]'],
    ['{"a": 1', 1, 8, 'the text ends too early'],
    ['{"a" 1}', 1, 6, 'a colon is expected after a name'],
    ['{"a": 1 "b": 2}', 1, 9, 'a comma or the closing bracket is expected'],
    ['{"a": [1}', 1, 9, 'a comma or the closing bracket is expected'],
    ['{a: 1}', 1, 2, 'a name in double quotes or } is expected'],
    ['{"a": 1, b: 2}', 1, 10, 'a name in double quotes is expected'],
    ["['a']", 1, 2, 'a value or ] is expected'],
    ['{"a": # comment\n1}', 1, 7, 'a value is expected'],
    ['[,]', 1, 2, 'a value or ] is expected'],
    ['[1] 2', 1, 5, 'nothing is expected after the value'],
    ['[01]', 1, 3, 'a comma or the closing bracket is expected'],
    ['["a', 1, 2, NO_END],
    ['["a\tb"]', 1, 2, NO_END],
    ['{"\\x": 1}', 1, 2, NO_END],
    ['[\u00a01]', 1, 2, 'a value or ] is expected'],
  ])('of %j is in line %i, column %i', (text, line, column, what) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(jsonFault(text)).toEqual({ line, column, what });
  });

  it.each(['{}', ' [ ] ', '0', '"a"', '{"a": [1, -2.5e+3, true, false, null, "\\u00e9\\n", {"b": {}}]}\n'])(
    'is none of %j',
    (text) => {
      expect(() => JSON.parse(text)).not.toThrow();
      expect(jsonFault(text)).toBeNull();
    },
  );

  it('is found exactly where Node refuses the text, wherever one character is left out or put in', () => {
    const text = '{"a": [1, -2.5e3, true, {"b\\n": null}], "c": {}}';
    for (let index = 0; index <= text.length; index++) {
      for (const put of ['', ',', ']', '}', '"', ':', ' ', '0', '\\']) {
        const changed = text.slice(0, index) + put + text.slice(put === '' ? index + 1 : index);
        expect([changed, jsonFault(changed) === null]).toEqual([changed, isJson(changed)]);
      }
    }
  });

  it('of a long text costs one pass', () => {
    expect(jsonFault(`["${'a'.repeat(260_000)}", ${'['.repeat(50_000)}`)).toEqual({
      line: 1,
      column: 310_006,
      what: 'the text ends too early',
    });
  });
});
