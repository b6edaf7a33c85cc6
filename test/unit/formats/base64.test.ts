import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, decodeHex, decodeStandardBase64, encodeBase64Url } from '../../../src/formats/base64.js';
import { formatErrorOf } from '../../format-error-of.js';

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('decodeBase64', () => {
  it('refuses a text of millions of words behind the beginning of PEM', () => {
    const text = `-----BEGIN ${'A '.repeat(4_000_000)}`;
    expect(formatErrorOf(() => decodeBase64(text))).toMatchObject({ code: 'encoding' });
  });

  it.each([
    ['base64url without padding', '-_8', 'fbff'],
    ['base64url with padding', '-_8=', 'fbff'],
    ['base64 without padding', '+/8', 'fbff'],
    ['base64 with padding', '+/8=', 'fbff'],
    ['two padding characters', 'QQ==', '41'],
    ['no padding needed', 'QUJD', '414243'],
    ['nothing', '', ''],
  ])('REQ-10 reads %s', (_, text, hex) => {
    expect(hexOf(decodeBase64(text))).toBe(hex);
  });

  it.each([
    ['a blank', 'QUJD QUJD'],
    ['a blank at the end', 'QUJD '],
    ['a line feed', 'QUJD\nQUJD'],
    ['a star', 'QUJ*'],
    ['a dot', 'QUJD.QUJD'],
    ['both alphabets', '-_+/'],
    ['unused bits that are not zero, padded', 'QUJDRB=='],
    ['unused bits that are not zero', 'QUJDRB'],
    ['unused bits that are not zero in a group of three', 'QUJDREV'],
    ['too little padding', 'QQ='],
    ['too much padding', 'QUI=='],
    ['padding that is not needed', 'QUJD===='],
    ['padding alone', '===='],
    ['padding inside', 'QQ==QUJD'],
    ['a single digit', 'Q'],
    ['a digit over whole groups', 'QUJDQ'],
    ['a letter whose low byte is a digit', 'QU\u0141D'],
    ['a NUL', 'QUJ\0'],
  ])('REQ-10 refuses %s', (_, text) => {
    expect(formatErrorOf(() => decodeBase64(text))).toEqual({ code: 'encoding', pointer: null });
  });

  it.each([
    ['QUJD\nQUJD', 'not base64url or base64: it has spaces or line feeds'],
    ['QUJ*', 'not base64url or base64: it has other characters'],
    ['-_+/', 'not base64url or base64: it mixes the two alphabets'],
    ['QUJDQ', 'not base64url or base64: it is cut short, or its last character has bits that no byte uses'],
    ['QQ=', 'base64 padding is wrong'],
  ])('says what is wrong with %j, and not what it says', (text, message) => {
    expect(() => decodeBase64(text)).toThrow(message);
  });

  it('reads what either alphabet writes, and encodeBase64Url writes it back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        expect(hexOf(decodeBase64(buffer.toString('base64')))).toBe(hexOf(bytes));
        expect(hexOf(decodeBase64(encodeBase64Url(bytes)))).toBe(hexOf(bytes));
      }),
    );
  });

  it('accepts exactly one text of each alphabet for the same bytes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('A', 'B', '-', '+', '/', '_', '=', ' '), maxLength: 9 }),
        (text) => {
          let bytes: Buffer;
          try {
            bytes = Buffer.from(decodeBase64(text));
          } catch {
            return;
          }
          const spellings = (['base64', 'base64url'] as const).map((alphabet) => bytes.toString(alphabet));
          const padding = '='.repeat((4 - ((spellings[1] ?? '').length % 4)) % 4);
          const legal = [...spellings, (spellings[0] ?? '').replaceAll('=', ''), (spellings[1] ?? '') + padding];
          expect(legal).toContain(text);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a text that is no base64', () => {
  it.each([
    ['6368616c6c656e6765', 'this is hex: expected base64url or base64'],
    ['6368616C6C656E6765', 'this is hex: expected base64url or base64'],
    ['challenge', 'not base64url or base64: it is cut short, or its last character has bits that no byte uses'],
    ['abcde', 'not base64url or base64: it is cut short, or its last character has bits that no byte uses'],
  ])('is said to be hex where it has such digits alone: %s', (text, message) => {
    expect(() => decodeBase64(text)).toThrow(message);
  });
});

describe('encodeBase64Url', () => {
  it('writes only the bytes of the view it is given', () => {
    const view = new Uint8Array([1, 2, 251, 255, 5]).subarray(2, 4);
    expect(encodeBase64Url(view)).toBe('-_8');
  });
});

describe('decodeHex', () => {
  it.each([
    ['lower case', 'ab01', 'ab01'],
    ['upper case', 'AB01', 'ab01'],
    ['nothing', '', ''],
    ['half a mebibyte', '5a'.repeat(524_288), '5a'.repeat(524_288)],
  ])('REQ-10 reads %s', (_, text, hex) => {
    expect(hexOf(decodeHex(text))).toBe(hex);
  });

  it.each([
    ['an odd number of digits', 'abc'],
    ['letters that are no digits', 'zz'],
    ['a letter after digits', 'ab0g'],
    ['a prefix', '0xab'],
    ['a blank', 'ab 01'],
    ['a line feed at the end', 'ab01\n'],
    ['letters whose low byte is a digit', '\u0141\u0141'],
  ])('REQ-10 refuses hex with %s', (_, text) => {
    expect(formatErrorOf(() => decodeHex(text))).toEqual({ code: 'encoding', pointer: null });
  });
});

describe('decodeStandardBase64', () => {
  it.each([
    ['', ''],
    ['+/8=', 'fbff'],
    ['AAAA', '000000'],
  ])('reads %j', (text, hex) => {
    expect(hexOf(decodeStandardBase64(text))).toBe(hex);
  });

  it.each(['-_8=', '+/8', '+/9=', '+/8==', ' +/8=', 'AA\nAA', 'AAAA====', 'A'])('refuses %j', (text) => {
    expect(formatErrorOf(() => decodeStandardBase64(text)).code).toBe('encoding');
  });
});

describe('what decodeHex says', () => {
  it.each([
    ['abc', 'not hex with two digits a byte: the number of digits is odd'],
    ['0xab', 'not hex with two digits a byte: it starts with 0x'],
    ['0XAB', 'not hex with two digits a byte: it starts with 0x'],
    ['3q2-7w==', 'not hex with two digits a byte: this looks like base64'],
    ['ab cd', 'not hex with two digits a byte: it has other characters'],
  ])('of %j', (text, message) => {
    expect(() => decodeHex(text)).toThrow(message);
  });
});
