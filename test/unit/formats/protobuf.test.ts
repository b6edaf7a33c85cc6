import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/core/errors.js';
import { type ProtobufMessage, parseProtobuf } from '../../../src/formats/protobuf.js';
import { joinBytes } from '../../lab/byte-patch.js';
import { protobufField, varint } from '../../lab/go-tpm-attestation-builder.js';

const MESSAGE = {
  name: 'Message',
  code: 'tpm_format',
  fields: {
    one: { number: 1, kind: 'bytes' },
    many: { number: 2, kind: 'bytes', most: 3 },
    count: { number: 3, kind: 'uint32' },
    far: { number: 2 ** 29 - 1, kind: 'bytes' },
  },
} as const satisfies ProtobufMessage;

const parse = (...parts: readonly Uint8Array[]) => parseProtobuf(joinBytes(...parts), MESSAGE);
const of = (...bytes: readonly number[]) => Uint8Array.of(...bytes);

function refusalOf(...parts: readonly Uint8Array[]): readonly [string, string] {
  try {
    parse(...parts);
  } catch (error) {
    if (error instanceof FormatError) return [error.code, error.message];
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseProtobuf', () => {
  it('reads fields in any order, and keeps the order of those of one number', () => {
    const read = parse(protobufField(2, of(1)), protobufField(3, 300), protobufField(1, of()), protobufField(2, of(2)));
    expect(read).toEqual({ one: [of()], many: [of(1), of(2)], count: [300], far: [] });
  });

  it('reads nothing as no field, and the largest numbers', () => {
    expect(parse()).toEqual({ one: [], many: [], count: [], far: [] });
    expect(parse(protobufField(3, 2 ** 32 - 1)).count).toEqual([2 ** 32 - 1]);
    expect(parse(protobufField(2 ** 29 - 1, of(7))).far).toEqual([of(7)]);
  });

  it('gives out views, and no copies', () => {
    const bytes = protobufField(1, of(1, 2, 3));
    expect(parseProtobuf(bytes, MESSAGE).one[0]?.buffer).toBe(bytes.buffer);
  });

  it.each<[string, Uint8Array, string, string]>([
    ['a field that is not known', protobufField(4, of()), 'unknown_property', 'Message has the field 4, which'],
    ['the field 0', of(0x02, 0x00), 'unknown_property', 'Message has the field 0, which'],
    ['a number where bytes belong', protobufField(1, 5), 'tpm_format', 'Message.one has wire type 0, expected 2'],
    [
      'bytes where a number belongs',
      protobufField(3, of(5)),
      'tpm_format',
      'Message.count has wire type 2, expected 0',
    ],
    ['8 bytes', of(0x09, 0, 0, 0, 0, 0, 0, 0, 0), 'tpm_format', 'Message.one has wire type 1'],
    ['the start of a group', of(0x0b, 0x0c), 'tpm_format', 'Message.one has wire type 3'],
    ['the end of a group', of(0x0c), 'tpm_format', 'Message.one has wire type 4'],
    ['4 bytes', of(0x0d, 0, 0, 0, 0), 'tpm_format', 'Message.one has wire type 5'],
    ['a length over the end', of(0x0a, 0x02, 0x00), 'tpm_format', 'Message.one needs 2 bytes at offset 2, 1 are left'],
    ['a length of 4 GiB', joinBytes(of(0x0a), varint(2 ** 32 - 1)), 'tpm_format', 'Message.one needs 4294967295 bytes'],
    ['a tag alone', of(0x0a), 'tpm_format', 'Message.one needs 1 bytes at offset 1, 0 are left'],
    ['a number that is cut', of(0x18, 0x80), 'tpm_format', 'Message.count needs 1 bytes at offset 2'],
    ['33 bits', joinBytes(of(0x18), varint(2 ** 32)), 'tpm_format', 'Message.count has more than 32 bits'],
    ['a negative number', of(0x18, ...Array(9).fill(0xff), 1), 'tpm_format', 'Message.count has more than 32 bits'],
    ['a number without end', of(0x18, ...Array(20).fill(0x80)), 'tpm_format', 'Message.count has more than 32 bits'],
    ['a zero that is too long', of(0x18, 0x80, 0x00), 'tpm_format', 'Message.count is not in the shortest form'],
    ['a length that is too long', of(0x0a, 0x81, 0x00, 7), 'tpm_format', 'Message.one is not in the shortest form'],
    ['a tag that is too long', of(0x8a, 0x00, 0), 'tpm_format', 'the tag of a field of Message is not in the shortest'],
    [
      'a tag of 33 bits',
      joinBytes(varint(2 ** 32 + 10), of(0)),
      'tpm_format',
      'the tag of a field of Message has more',
    ],
  ])('refuses %s', (_title, bytes, code, message) => {
    expect(refusalOf(bytes)).toEqual([code, expect.stringContaining(message)]);
    expect(refusalOf(protobufField(2, of(1)), bytes)[0]).toBe(code);
  });

  it('refuses a second value of a field, equal or not, and one too many of a list', () => {
    for (const value of [of(1), of(2)]) {
      const again = [protobufField(1, of(1)), protobufField(2, of()), protobufField(1, value)];
      expect(refusalOf(...again)).toEqual(['duplicate_key', 'Message.one is there twice']);
    }
    expect(refusalOf(protobufField(3, 0), protobufField(3, 0))[0]).toBe('duplicate_key');
    const three = Array.from({ length: 3 }, () => protobufField(2, of(1)));
    expect(parse(...three).many).toHaveLength(3);
    expect(refusalOf(...three, ...three)).toEqual(['schema', 'Message.many is there more than 3 times']);
  });

  const FIELDS = fc.record({
    one: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null }),
    many: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }),
    count: fc.option(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { nil: null }),
  });
  const encode = ({ one, many, count }: { one: Uint8Array | null; many: Uint8Array[]; count: number | null }) =>
    joinBytes(
      ...(one === null ? [] : [protobufField(1, one)]),
      ...many.map((value) => protobufField(2, value)),
      ...(count === null ? [] : [protobufField(3, count)]),
    );

  it('reads what was written', () => {
    fc.assert(
      fc.property(FIELDS, (fields) => {
        const { one, many, count } = parseProtobuf(encode(fields), MESSAGE);
        expect({ one: one[0] ?? null, many, count: count[0] ?? null }).toEqual(fields);
      }),
    );
  });

  it('reads a part of a message as the fields that it has, or refuses it', () => {
    fc.assert(
      fc.property(FIELDS, fc.nat(), (fields, cut) => {
        const bytes = encode(fields);
        const shorter = bytes.subarray(0, bytes.byteLength === 0 ? 0 : cut % bytes.byteLength);
        try {
          const read = parseProtobuf(shorter, MESSAGE);
          const [one = null, count = null] = [read.one[0], read.count[0]];
          expect(encode({ one, many: [...read.many], count })).toEqual(Uint8Array.from(shorter));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
    );
  });
});
