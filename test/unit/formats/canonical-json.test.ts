import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../src/formats/canonical-json.js';

describe('canonical JSON', () => {
  it('sorts members by UTF-16 code units, as in the example of RFC 8785, section 3.2.3', () => {
    const members = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(canonicalJson(members)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
  });

  it('writes numbers, escapes and literals as in RFC 8785, section 3.2.2', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0],
      string: '\u20ac$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('is what another implementation makes of any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
    );
  });

  it('is the same for members in any order, and however often it is made', () => {
    expect(canonicalJson({ b: { d: 1, c: 2 }, a: [] })).toBe('{"a":[],"b":{"c":2,"d":1}}');
    expect(canonicalJson({ a: [], b: { c: 2, d: 1 } })).toBe('{"a":[],"b":{"c":2,"d":1}}');
  });

  it('leaves out members that are undefined', () => {
    expect(canonicalJson({ b: undefined, a: 1, c: undefined })).toBe('{"a":1}');
  });

  it('refuses what JSON does not have', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { '\udc00': 1 }, [undefined], 1n]) {
      expect(() => canonicalJson(value)).toThrow(TypeError);
    }
  });

  it('writes more and longer names than it remembers', () => {
    const names = Array.from({ length: 5000 }, (_, index) => `name-${index}`);
    const object = Object.fromEntries([...names, 'x'.repeat(100)].map((name) => [name, 0]));
    expect(canonicalJson(object)).toBe(canonicalize(object));
    expect(canonicalJson(object)).toBe(canonicalize(object));
  });
});
