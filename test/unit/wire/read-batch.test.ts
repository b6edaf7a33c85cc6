import { describe, expect, it } from 'vitest';
import { MOST_REQUESTS, requireFittingRequest, splitBatch } from '../../../src/wire/read-batch.js';
import { formatErrorOf } from '../../format-error-of.js';

const split = (text: string) => splitBatch(Buffer.from(text)).map((bytes) => Buffer.from(bytes).toString());
const refused = (text: string) => formatErrorOf(() => split(text));

describe('splitBatch', () => {
  it.each([
    ['one', '{"requests":[{}]}', ['{}']],
    ['blanks around everything', ' {\n"requests" :\t[ {"a": 1} ,\r\n{} ] } ', ['{"a": 1} ', '{} ']],
    ['the name in another spelling', '{"\\u0072equests":[{}]}', ['{}']],
    ['brackets, commas and quotes in strings', '{"requests":[{"a":"]}\\",[{"},"x"]}', ['{"a":"]}\\",[{"}', '"x"']],
    ['a string that ends with backslashes', '{"requests":["\\\\","\\\\\\""]}', ['"\\\\"', '"\\\\\\""']],
    ['objects in lists in objects', '{"requests":[{"a":[{"b":[1,2]},3]},{}]}', ['{"a":[{"b":[1,2]},3]}', '{}']],
    ['what is no request', '{"requests":[null,1,"a",[1]]}', ['null', '1', '"a"', '[1]']],
    ['a member that stands twice in a request', '{"requests":[{"a":1,"a":2}]}', ['{"a":1,"a":2}']],
  ])('gives the texts of the requests, unread: %s', (_title, text, expected) => {
    expect(split(text)).toEqual(expected);
  });

  it.each([
    ['nothing', '', 'schema', ''],
    ['a list', '[{}]', 'schema', ''],
    ['no requests', '{}', 'schema', '/requests'],
    ['requests that are no list', '{"requests":{}}', 'schema', '/requests'],
    ['an empty list', '{"requests":[]}', 'schema', '/requests'],
    ['the list twice', '{"requests":[{}],"requests":[{}]}', 'duplicate_key', '/requests'],
    ['the list twice in two spellings', '{"requests":[{}],"\\u0072equests":[{}]}', 'duplicate_key', '/requests'],
    ['another member', '{"request":[{}]}', 'unknown_property', ''],
    ['another member behind it', '{"requests":[{}],"policy":"a"}', 'unknown_property', ''],
    ['a comma too many in the list', '{"requests":[{},]}', 'schema', ''],
    ['a comma too many behind it', '{"requests":[{}],}', 'schema', ''],
    ['two commas', '{"requests":[{},,{}]}', 'schema', ''],
    ['no comma', '{"requests":[{} {}]', 'schema', ''],
    ['no colon', '{"requests"[{}]}', 'schema', ''],
    ['a name without quotes', '{requests:[{}]}', 'schema', ''],
    ['a name that is no string', '{"\\x":[{}]}', 'schema', ''],
    ['a string that does not end', '{"requests":["a]}', 'schema', ''],
    ['a text that was cut short', '{"requests":[{"a":1}', 'schema', ''],
    ['a text that was cut in a request', '{"requests":[{"a":[1', 'schema', ''],
    ['brackets that do not match', '{"requests":[{"a":[1}]}', 'schema', ''],
    ['something behind the end', '{"requests":[{}]} {}', 'schema', ''],
  ])('refuses %s', (_title, text, code, pointer) => {
    expect(refused(text)).toEqual({ code, pointer });
  });

  it.each([
    ['nothing', ''],
    ['a list, which is JSON', '[{}]'],
    ['a form', 'requests=1'],
  ])('says of %s what a batch looks like', (_title, text) => {
    expect(() => split(text)).toThrow(/expected \{ "requests": \[ … \] \}$/);
  });

  it('takes 256 requests and not one more', () => {
    const of = (count: number) => `{"requests":[${Array(count).fill('{}').join(',')}]}`;
    expect(split(of(MOST_REQUESTS))).toHaveLength(256);
    expect(refused(of(MOST_REQUESTS + 1))).toEqual({ code: 'schema', pointer: '/requests' });
  });

  it('follows 1024 levels and not one more', () => {
    const of = (levels: number) => `{"requests":[${'['.repeat(levels)}${']'.repeat(levels)}]}`;
    expect(split(of(1_024))).toHaveLength(1);
    expect(refused(of(1_025))).toEqual({ code: 'too_complex', pointer: '/requests' });
  });

  it('refuses what is not UTF-8', () => {
    const body = Buffer.concat([Buffer.from('{"requests":["'), Buffer.from([0xff]), Buffer.from('"]}')]);
    expect(formatErrorOf(() => splitBatch(body))).toEqual({ code: 'encoding', pointer: '' });
  });
});

describe('requireFittingRequest', () => {
  it('takes a request as long as one by itself may be, and not one byte more', () => {
    expect(() => requireFittingRequest(new Uint8Array(100), 100)).not.toThrow();
    expect(() => requireFittingRequest(new Uint8Array(101), 100)).toThrow(
      expect.objectContaining({ code: 'body_too_large' }),
    );
  });
});
