import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FormatError } from '../../../src/core/errors.js';
import { jsonPointer } from '../../../src/core/json.js';
import { parseStrictJson, STRICT_JSON_LIMITS } from '../../../src/formats/strict-json.js';
import { formatErrorOf } from '../../format-error-of.js';
import { isJson } from '../../is-json.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const parse = (text: string) => parseStrictJson(bytesOf(text));
const errorOf = (text: string) => formatErrorOf(() => parse(text));

describe('values', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const document = JSON.stringify(JSON.parse(text), null, indent);
        fc.pre(isStrict(JSON.parse(text)));
        expect(JSON.stringify(parse(document))).toBe(JSON.stringify(JSON.parse(document)));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what JSON.parse refuses', () => {
    const unit = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '1',
      '-',
      '.5',
      'e1',
      'true',
      'nul',
      ' ',
      '\\',
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), (text) => {
        if (isJson(text)) return;
        expect(['schema', 'duplicate_key']).toContain(errorOf(text).code);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['escapes', String.raw`"\"\\\/\b\f\n\r\t\u00e9"`, '"\\/\b\f\n\r\té'],
    ['an escaped pair of surrogates', String.raw`"\ud83d\ude00"`, '😀'],
    ['text outside ASCII', '"é€😀"', 'é€😀'],
    ['a string that ends in a backslash', String.raw`"a\\"`, 'a\\'],
    ['an empty string', '""', ''],
    ['delete, which JSON allows as it is', '"\x7f"', '\x7f'],
    ['white space around', ' \t\r\n1 \t\r\n', 1],
    ['a number with fraction and exponent', '-12.5E-1', -1.25],
    ['the largest integer', '9007199254740991', 9007199254740991],
    ['zero', '0', 0],
  ])('reads %s', (_, text, value) => {
    expect(parse(text)).toBe(value);
  });

  it('reads a line feed between strings, and strings after it', () => {
    expect(parse('[\n"a",\n"b\\n",\n"c"\n]')).toEqual(['a', 'b\n', 'c']);
  });

  it('REQ-07 makes objects without prototype, at every level', () => {
    const value = parse('{"a":[{"b":{}}]}') as { a: [{ b: object }] };
    for (const object of [value, value.a[0], value.a[0].b]) expect(Object.getPrototypeOf(object)).toBeNull();
  });
});

describe('member names', () => {
  it.each([
    ['at the top', '{"nonce":1,"nonce":1}', '/nonce'],
    ['in an escaped spelling', String.raw`{"nonce":1,"\u006eonce":2}`, '/nonce'],
    ['deep inside', '{"a":[0,{"b":{"c":1,"d":2,"c":3}}]}', '/a/1/b/c'],
    ['as an index', '{"0":1,"0":1}', '/0'],
    ['as the empty name', '{"":1,"":1}', '/'],
    ['as names of Object.prototype', '{"toString":1,"toString":1}', '/toString'],
  ])('REQ-06 refuses a duplicate %s', (_, text, pointer) => {
    expect(errorOf(text)).toEqual({ code: 'duplicate_key', pointer });
  });

  it('REQ-06 reads the same name in two objects, and names of Object.prototype once', () => {
    expect(JSON.stringify(parse('{"a":{"a":1},"toString":{"a":2}}'))).toBe('{"a":{"a":1},"toString":{"a":2}}');
  });

  it.each([
    ['__proto__', '{"a":{"__proto__":{"polluted":1}}}', '/a/__proto__'],
    ['__proto__ in an escaped spelling', String.raw`{"__pr\u006fto__":{"polluted":1}}`, '/__proto__'],
    ['constructor', '{"constructor":{"prototype":{"polluted":1}}}', '/constructor'],
    ['prototype', '[{"prototype":{}}]', '/0/prototype'],
  ])('REQ-07 refuses %s', (_, text, pointer) => {
    expect(errorOf(text)).toEqual({ code: 'forbidden_key', pointer });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('limits', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  const list = (items: number) => `[${Array(items).fill(0).join(',')}]`;
  const object = (members: number) => `{${Array.from({ length: members }, (_, i) => `"m${i}":0`).join(',')}}`;
  const string = (length: number) => JSON.stringify('a'.repeat(length));

  it.each([
    ['32 levels', nested(32)],
    ['10 000 items', list(10_000)],
    ['10 000 members', object(10_000)],
    ['20 000 values in all', `[${list(9_999)},${list(9_998)}]`],
    ['a string of 1 MiB', string(1_048_576)],
    ['a name of 256 bytes', `{${string(256)}:0}`],
    ['a name of 256 bytes outside ASCII', `{"${'é'.repeat(128)}":0}`],
  ])('REQ-08 reads %s', (_, text) => {
    expect(JSON.stringify(parse(text))).toBe(text);
  });

  it.each([
    ['33 levels', nested(33)],
    ['33 levels of objects', '{"a":'.repeat(33)],
    ['10 001 items', list(10_001)],
    ['10 001 members', object(10_001)],
    ['20 001 values in all', `[${list(9_999)},${list(9_999)}]`],
    [
      '340 000 empty objects',
      `[${Array(34)
        .fill(`[${Array(10_000).fill('{}').join(',')}]`)
        .join(',')}]`,
    ],
    [
      '20 001 values in objects of one member',
      `[${Array(101)
        .fill(`[${Array(100).fill('{"a":0}').join(',')}]`)
        .join(',')}]`,
    ],
    ['a string of more than 1 MiB', string(1_048_577)],
    ['a name of 257 bytes', `{${string(257)}:0}`],
    ['a name of 257 bytes outside ASCII', `{"a${'é'.repeat(128)}":0}`],
  ])('REQ-08 refuses %s', (_, text) => {
    expect(errorOf(text).code).toBe('too_complex');
  });

  it('REQ-08 stops at the limit, whatever follows', () => {
    expect(errorOf('['.repeat(1_000_000)).code).toBe('too_complex');
    expect(errorOf(`[${'0,'.repeat(500_000)}`).code).toBe('too_complex');
  });

  it('REQ-08 reads 262 144 characters of member names, and refuses one more', () => {
    const names = (last: number) => {
      const all = Array.from({ length: 1024 }, (_, i) => String(i).padStart(i < 1023 ? 256 : last, 'n'));
      return `{${all.map((name) => `"${name}":0`).join(',')}}`;
    };
    expect(Object.keys(parse(names(256)) as object)).toHaveLength(1024);
    expect(errorOf(`[${names(256)},{"a":0}]`).code).toBe('too_complex');
  });

  it('says where the value stands that is one too many', () => {
    expect(errorOf(`{"a":${list(9_999)},"b":${list(9_998)},"c":0}`)).toEqual({
      code: 'too_complex',
      pointer: '/c',
    });
  });

  it('takes other limits', () => {
    const limits = { ...STRICT_JSON_LIMITS, depth: 1 };
    expect(formatErrorOf(() => parseStrictJson(bytesOf('[[]]'), limits)).code).toBe('too_complex');
    expect(parseStrictJson(bytesOf('[]'), limits)).toEqual([]);
    const values = { ...STRICT_JSON_LIMITS, values: 2 };
    expect(formatErrorOf(() => parseStrictJson(bytesOf('[0,0]'), values)).code).toBe('too_complex');
    expect(parseStrictJson(bytesOf('[0]'), values)).toEqual([0]);
  });
});

describe('numbers', () => {
  it.each([
    '1e400',
    '-1e400',
    '9007199254740993',
    '9007199254740992',
    '-9007199254740992',
    '1e16',
    '-0',
    '-0.0',
    '-0e5',
    '-1e-400',
  ])('REQ-09 refuses %s', (text) => {
    expect(errorOf(`{"svn":[${text}]}`)).toEqual({ code: 'schema', pointer: '/svn/0' });
  });

  it.each(['01', '+1', '.5', '1.', '1e', '0x10', 'NaN', 'Infinity', '1_000', '-'])(
    'REQ-09 refuses %s, which is no JSON',
    (text) => {
      expect(errorOf(text).code).toBe('schema');
    },
  );
});

describe('encoding', () => {
  it.each([
    ['a byte that no UTF-8 has', [0x22, 0xff, 0x22]],
    ['a truncated sequence', [0x22, 0xe2, 0x82, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate as three bytes', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ['UTF-16 without mark', [0x7b, 0x00, 0x7d, 0x00]],
    ['a NUL in a string', [0x22, 0x61, 0x00, 0x22]],
    ['a NUL after the text', [0x31, 0x00]],
  ])('REQ-11 refuses %s', (_, bytes) => {
    expect(formatErrorOf(() => parseStrictJson(Uint8Array.from(bytes))).code).toBe('encoding');
  });

  it.each([
    ['a lone high surrogate', String.raw`{"a":"\ud800"}`, '/a'],
    ['a lone low surrogate', String.raw`{"a":"\udc00x"}`, '/a'],
    ['surrogates in the wrong order', String.raw`{"a":"\udc00\ud800"}`, '/a'],
    ['a lone surrogate in a name', String.raw`{"\ud800":1}`, null],
    ['an escaped NUL', String.raw`{"a":"\u0000"}`, '/a'],
    ['a NUL in a name', String.raw`{"a\u0000":1}`, null],
  ])('REQ-11 refuses %s', (_, text, pointer) => {
    expect(errorOf(text)).toEqual({ code: 'encoding', pointer });
  });
});

describe('syntax', () => {
  it.each([
    ['nothing', ''],
    ['white space alone', ' \n'],
    ['a value after the value', '{}{}'],
    ['a comma at the end of an object', '{"a":1,}'],
    ['a comma at the end of an array', '[1,]'],
    ['a missing colon', '{"a" 1}'],
    ['a name without quotes', '{a:1}'],
    ['single quotes', "{'a':1}"],
    ['a comment', '{/* */}'],
    ['an open object', '{"a":1'],
    ['an open array', '[1'],
    ['an open string', '"abc'],
    ['a string that ends in an escaped quote', '"abc\\"'],
    ['an unknown escape', '"\\x41"'],
    ['a short escape', '"\\u12"'],
    ['a raw line feed in a string', '"a\nb"'],
    ['a raw tab after other strings', '{"a":"b",\n"c":"d\te"}'],
    ['a word that is no literal', 'tru'],
    ['a literal that goes on', 'nullx'],
    ['white space of another kind', '\u00a01'],
  ])('refuses %s', (_, text) => {
    expect(errorOf(text).code).toBe('schema');
  });
});

describe('what is said of a text that is no JSON', () => {
  const SECRET = 'hunter2';
  const text = JSON.stringify({ evidence: { type: 'snp', report: SECRET }, list: [1, true, null], nonce: SECRET });

  function messageFor(broken: string): string {
    try {
      parseStrictJson(Buffer.from(broken));
    } catch (error) {
      return (error as FormatError).message;
    }
    return '';
  }

  it('LOG-03 is neither what it holds nor where, wherever it is cut, changed or filled', () => {
    const broken = Array.from(text, (_, at) => [
      text.slice(0, at),
      `${text.slice(0, at)}'${SECRET}'${text.slice(at)}`,
      `${text.slice(0, at)}${SECRET}${text.slice(at + 1)}`,
      `${text.slice(0, at)}\u0001${text.slice(at + 1)}`,
    ]).flat();
    const messages = new Set(broken.map(messageFor));
    expect(messages.size).toBeGreaterThan(5);
    for (const message of messages) expect(message).not.toMatch(/hunter|\d|offset|position|character \w+ of/);
  });

  it.each([
    ["{'a': 1}", 'not JSON: expected double quotes, not single ones'],
    ['{"a": 1,}', 'not JSON: expected a member name in double quotes'],
    ['{"a" 1}', 'not JSON: expected a colon after a member name'],
    ['{"a": 1 "b": 2}', 'not JSON: expected a comma or the end of the object'],
    ['[1 2]', 'not JSON: expected a comma or the end of the array'],
    ['[1]]', 'not JSON: expected nothing after the value'],
    ['[1', 'not JSON: the text ends too early'],
    ['nope', 'not JSON: expected an object, array, string, number, true, false or null'],
  ])('is what should come next: %s', (broken, message) => {
    expect(messageFor(broken)).toBe(message);
  });
});

describe('jsonPointer', () => {
  it('escapes tilde and slash', () => {
    expect(jsonPointer(['a/b', 'c~d', 0, ''])).toBe('/a~1b/c~0d/0/');
  });
});

/** Whether a value has only what the strict reader takes. */
function isStrict(value: unknown): boolean {
  if (typeof value === 'number')
    return !Object.is(value, -0) && (!Number.isInteger(value) || Number.isSafeInteger(value));
  if (typeof value === 'string') return !value.includes('\0') && !/\p{Surrogate}/u.test(value);
  if (typeof value !== 'object' || value === null) return true;
  const forbidden = ['__proto__', 'constructor', 'prototype'].some((name) => Object.hasOwn(value, name));
  return !forbidden && Object.entries(value).every(([name, member]) => isStrict(name) && isStrict(member));
}
