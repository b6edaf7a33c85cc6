import { describe, expect, it } from 'vitest';
import {
  DER,
  malformed,
  oidText,
  parseDer,
  parseDerSequence,
  smallUnsigned,
  unsignedOctets,
  withoutFilling,
} from '../../../src/formats/der.js';
import { bitString, der, integer, oid, sequence, tagged } from '../../lab/der-writer.js';
import { formatErrorOf } from '../small-pki.js';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hexOf = (value: Uint8Array) => Buffer.from(value).toString('hex');

function nested(levels: number): Uint8Array {
  let value = integer(1);
  for (let level = 1; level < levels; level += 1) value = sequence(value);
  return value;
}

describe('bounds', () => {
  const dotted = (arcs: number) => ['1', '2', ...Array(arcs - 2).fill('3')].join('.');

  it('REQ-19 reads an object identifier of 32 arcs, and refuses one of 33', () => {
    const read = (arcs: number) => oidText(parseDer(oid(dotted(arcs))).content);
    expect(read(32)).toBe(dotted(32));
    expect(formatErrorOf(() => read(33)).code).toBe('cert_format');
    expect(formatErrorOf(() => parseDer(sequence(der(0x06, new Uint8Array(700_000).fill(0x2a))))).code).toBe(
      'cert_format',
    );
  });

  it('REQ-19 reads 160 000 elements, and refuses one more, however they are nested', () => {
    const flat = (count: number) => sequence(Buffer.from('0500'.repeat(count), 'hex'));
    expect(parseDer(flat(159_999)).tag).toBe(DER.sequence);
    expect(formatErrorOf(() => parseDer(flat(160_000))).code).toBe('cert_format');
    expect(formatErrorOf(() => parseDer(sequence(flat(80_000), flat(80_000)))).code).toBe('cert_format');
  });
});

describe('withoutFilling', () => {
  it.each([
    ['no filling', '020101', '020101'],
    ['zeros', '0201010000', '020101'],
    ['zeros after an empty value', '30000000', '3000'],
    ['anything else after zeros', '020101000001', '020101000001'],
    ['a second value', '02010130000000', '02010130000000'],
    ['a value that is cut short', '02820000', '02820000'],
    ['nothing', '', ''],
    ['zeros alone', '0000', '0000'],
  ])('reads %s', (_what, hex, rest) => {
    expect(hexOf(withoutFilling(bytes(hex)))).toBe(rest);
  });
});

describe('parseDer', () => {
  it.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['a length that is cut short', '3082'],
    ['content that is cut short', '300302'],
    ['bytes after the end', '300000'],
    ['a second value after the first', '30003000'],
    ['a second value that is cut short', '02010002'],
    ['a length of five octets', '30850100000000'],
    ['a length of 126 octets', `30fe${'ff'.repeat(126)}`],
    ['a length that overruns its parent', '3003040500'],
    ['a length of 2^32 - 1', '3084ffffffff'],
    ['the end-of-contents tag', '30020000'],
    ['a tag number over 30', '30021f00'],
    ['a boolean that is 01', '3003010101'],
    ['a boolean of two octets', '30040102ffff'],
    ['an empty boolean', '30020100'],
    ['an empty integer', '30020200'],
    ['a zero-padded integer', '30040202007f'],
    ['an ff-padded integer', '30040202ff80'],
    ['a zero-padded enumerated', '30040a02007f'],
    ['null with content', '3003050100'],
    ['an empty object identifier', '30020600'],
    ['an object identifier that is cut short', '3003060188'],
    ['an object identifier whose second arc is cut short', '300406022a88'],
    ['an object identifier with a padded arc', '30050603558001'],
    ['a bit string without any octet', '30020300'],
    ['a bit string of no octets with unused bits', '3003030101'],
    ['a bit string with eight unused bits', '3004030208' + '00'],
    ['a bit string whose unused bits are set', '300403020401'],
    ['a sequence that is primitive', '30021000'],
    ['a constructed octet string', '30042402' + '0400'],
    ['a constructed bit string', '30052303' + '030100'],
  ])('refuses %s', (_what, hex) => {
    expect(formatErrorOf(() => parseDer(bytes(hex))).code).toBe('cert_format');
  });

  it.each([
    ['an indefinite length', '3080020101' + '0000'],
    ['a length in more octets than it needs', '308103020101'],
    ['a length with a leading zero octet', `30820080${'0500'.repeat(64)}`],
    ['an arc of 2^32', `3009${hexOf(oid('2.5.4294967296'))}`],
    ['an arc far over 2^32', hexOf(sequence(oid('1.2.340282366920938463463374607431768211455')))],
  ])('CRT-06 refuses %s', (_what, hex) => {
    expect(formatErrorOf(() => parseDer(bytes(hex))).code).toBe('cert_format');
  });

  it('CRT-06 refuses 33 levels, and a hundred thousand, without running out of stack', () => {
    expect(formatErrorOf(() => parseDer(nested(33))).message).toBe('more than 32 levels');
    const deep = Buffer.from('3080'.repeat(100_000), 'hex');
    expect(formatErrorOf(() => parseDer(deep)).code).toBe('cert_format');
    expect(formatErrorOf(() => parseDer(nested(2_000))).code).toBe('cert_format');
  });

  it('reads 32 levels', () => {
    expect(parseDer(nested(32)).tag).toBe(DER.sequence);
  });

  it.each([
    ['a long length that needs its octets', sequence(der(0x04, new Uint8Array(128)))],
    ['a length of two octets', sequence(der(0x04, new Uint8Array(256)))],
    ['an integer of 128', sequence(integer(128))],
    ['a negative integer', sequence(integer(-129))],
    ['an empty bit string', sequence(bitString(new Uint8Array()))],
    ['unused bits that are zero', sequence(bitString(bytes('80'), 7))],
    ['an arc of 2^32 - 1', sequence(oid('2.5.4294967295'))],
    ['a context tag', sequence(tagged(3, integer(5)))],
    ['an empty sequence', sequence()],
  ])('reads %s', (_what, value) => {
    expect(hexOf(parseDer(value).bytes)).toBe(hexOf(value));
  });

  it('reads from the middle of a larger buffer', () => {
    const buffer = Buffer.concat([Buffer.alloc(7, 0xff), sequence(integer(9)), Buffer.alloc(5, 0xff)]);
    const reader = parseDerSequence(buffer.subarray(7, 12), 'value');
    expect(hexOf(reader.read(DER.integer, 'number').content)).toBe('09');
    expect(reader.done).toBe(true);
  });
});

describe('DerReader', () => {
  it('refuses another type, a missing element and one too many', () => {
    const reader = () => parseDerSequence(sequence(integer(1), integer(2)), 'value');
    expect(formatErrorOf(() => reader().read(DER.oid, 'name')).message).toBe('name is of another type');
    expect(formatErrorOf(() => parseDerSequence(sequence(), 'value').any('name')).message).toBe('name is missing');
    expect(formatErrorOf(() => reader().end('value')).message).toBe('unexpected element in value');
    expect(formatErrorOf(() => parseDerSequence(integer(1), 'value')).message).toBe(
      'value is not DER, which starts with a sequence (30)',
    );
    expect(formatErrorOf(() => parseDerSequence(new Uint8Array(), 'value')).message).toBe('value is empty');
  });

  it('reads an optional element only where it is', () => {
    const reader = parseDerSequence(sequence(integer(1), tagged(0, integer(2))), 'value');
    expect(reader.optional(DER.oid, 'id')).toBeNull();
    expect(reader.openOptional(0xa0, 'more')).toBeNull();
    expect(reader.optional(DER.integer, 'number')).not.toBeNull();
    expect(hexOf(reader.openOptional(0xa0, 'more')?.any('number').content ?? new Uint8Array())).toBe('02');
    expect(reader.nextTag).toBeNull();
  });
});

describe('values', () => {
  it.each(['2.5.29.19', '1.3.6.1.4.1.3704.1.3.8', '0.9.2342', '2.999.3', '1.2.840.113549.1.1.10', '2.5.4294967295'])(
    'writes the object identifier %s as text',
    (text) => {
      expect(oidText(parseDer(oid(text)).content)).toBe(text);
    },
  );

  it('reads small numbers and refuses negative and larger ones', () => {
    const read = (value: number | bigint) => smallUnsigned(parseDer(integer(value)).content, 255, 'number');
    expect([0, 127, 128, 219, 255].map(read)).toEqual([0, 127, 128, 219, 255]);
    expect(formatErrorOf(() => read(256)).message).toBe('number is over 255');
    expect(formatErrorOf(() => read(2n ** 32n + 1n)).message).toBe('number is over 255');
    expect(formatErrorOf(() => read(-1)).message).toBe('number is negative');
  });

  it('strips the sign octet of an unsigned number, and keeps zero', () => {
    expect(hexOf(unsignedOctets(bytes('00ff'), 'number'))).toBe('ff');
    expect(hexOf(unsignedOctets(bytes('00'), 'number'))).toBe('00');
  });

  it('keeps the cause of a malformed value', () => {
    const cause = new Error('inner');
    expect(malformed('outer', cause).cause).toBe(cause);
  });
});
