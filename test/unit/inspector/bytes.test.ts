import { describe, expect, it } from 'vitest';
import * as inNode from '../../../src/core/bytes.js';
import * as inBrowsers from '../../../src/inspector/browser-bytes.js';

/** The build takes one in place of the other. */
const same: typeof inNode = inBrowsers;

const ALL = Uint8Array.from({ length: 256 }, (_, byte) => byte);
/** A part of a longer buffer. */
const part = ALL.subarray(7, 12);
const long = Uint8Array.from({ length: 40_000 }, (_, index) => (index * 7) % 256);

describe.each([
  ['of Node', inNode],
  ['of browsers', same],
])('bytes %s', (_whose, bytes) => {
  it('are written in lower-case hex, and read', () => {
    expect(bytes.hex(part)).toBe('0708090a0b');
    expect(bytes.hex(new Uint8Array())).toBe('');
    expect(plain(bytes.fromHex('00fFa5'))).toEqual([0, 255, 0xa5]);
    expect(bytes.hex(bytes.fromHex(bytes.hex(ALL)))).toBe(bytes.hex(ALL));
  });

  it('are one character each in Latin-1', () => {
    const text = String.fromCharCode(...ALL);
    expect(bytes.latin1(ALL)).toBe(text);
    expect(plain(bytes.fromLatin1(text))).toEqual(plain(ALL));
    expect(bytes.latin1(part)).toBe('\x07\b\t\n\v');
    expect(bytes.latin1(long)).toHaveLength(long.length);
  });

  it('are UTF-16 in little endian, halves of surrogate pairs among them', () => {
    const text = 'a\u20ac\ud800\u{1f600}';
    const written = [0x61, 0, 0xac, 0x20, 0, 0xd8, 0x3d, 0xd8, 0, 0xde];
    expect(plain(bytes.fromUtf16le(text))).toEqual(written);
    expect(bytes.utf16le(Uint8Array.from([...written, 7]))).toBe(text);
    expect(bytes.utf16le(Uint8Array.from([9, ...written]).subarray(1))).toBe(text);
  });

  it('are UTF-8, with U+FFFD for what is none', () => {
    const text = '\ufeffa\u20ac\u{1f600}';
    const written = [0xef, 0xbb, 0xbf, 0x61, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80];
    expect(plain(bytes.fromUtf8(text))).toEqual(written);
    expect(bytes.utf8(Uint8Array.from(written))).toBe(text);
    expect(bytes.utf8Length(text)).toBe(written.length);
    expect(bytes.utf8(Uint8Array.of(0x61, 0xff, 0x62))).toBe('a\ufffdb');
  });

  it('are base64 with padding, and base64url without', () => {
    const some = Uint8Array.of(0xfb, 0xff, 0xbf, 1);
    expect([bytes.base64(some, 'base64'), bytes.base64(some, 'base64url')]).toEqual(['+/+/AQ==', '-_-_AQ']);
    expect(plain(bytes.looseBytes('+/+/AQ==', 'base64'))).toEqual(plain(some));
    expect(plain(bytes.looseBytes('-_-_AQ', 'base64url'))).toEqual(plain(some));
    expect(plain(bytes.looseBytes(bytes.base64(long, 'base64url'), 'base64url'))).toEqual(plain(long));
  });

  it.each(['A', 'AB', 'AQ=', 'AQ==x', 'A Q', 'AQ\n', 'A\u0141', '-_', '+/', '%%%%', '=', 'AQ==AQ=='])(
    'of %j are written otherwise where it is no base64 of them',
    (text) => {
      const again = (['base64', 'base64url'] as const).map((alphabet) =>
        bytes.base64(bytes.looseBytes(text, alphabet), alphabet),
      );
      expect(again).not.toContain(text);
    },
  );

  it('are the same or not, and are joined', () => {
    expect(bytes.isSameBytes(part, Uint8Array.of(7, 8, 9, 10, 11))).toBe(true);
    expect(bytes.isSameBytes(part, Uint8Array.of(7, 8, 9, 10))).toBe(false);
    expect(bytes.isSameBytes(part, Uint8Array.of(7, 8, 9, 10, 12))).toBe(false);
    expect(bytes.isSameBytes(new Uint8Array(), new Uint8Array())).toBe(true);
    expect(plain(bytes.joined([part, new Uint8Array(), Uint8Array.of(1)]))).toEqual([7, 8, 9, 10, 11, 1]);
    expect(bytes.joined([])).toHaveLength(0);
  });
});

function plain(bytes: Uint8Array): readonly number[] {
  return Array.from(bytes);
}
