import { describe, expect, it } from 'vitest';
import { isCanonicalJson, parseCanonicalEventLog } from '../../../../src/boot/format/canonical-event-log.js';
import { FormatError } from '../../../../src/core/errors.js';
import { formatErrorOf } from '../../../format-error-of.js';
import { bigEndian, flipBit, joinBytes } from '../../../lab/byte-patch.js';
import { buildCelJson, buildCelTlv, type CelJsonForm, type LogEvent, tlv } from '../../../lab/event-log-builder.js';

const LIMIT = 2 ** 16;
const NONE = new Uint8Array();
const text = (value: string) => Uint8Array.from(Buffer.from(value, 'utf8'));
const EVENTS: readonly LogEvent[] = [
  { pcr: 11, type: 0xd, data: text('enter-initrd') },
  { pcr: 15, type: 0xd, data: text('machine-id:é') },
];
const FORMS = ['array', 'sequence', 'lines'] as const;

const parse = (bytes: Uint8Array, limit = LIMIT) => parseCanonicalEventLog(bytes, limit);
const codeOf = (bytes: Uint8Array, limit = LIMIT) => formatErrorOf(() => parse(bytes, limit)).code;

const SHA256 = tlv(0x0b, new Uint8Array(32).fill(2));

interface Told {
  readonly number?: Uint8Array;
  readonly pcr?: Uint8Array;
  readonly digests?: Uint8Array;
  readonly content?: Uint8Array;
}

const record = (told: Told = {}) =>
  joinBytes(
    told.number ?? tlv(0, bigEndian(0, 8)),
    told.pcr ?? tlv(1, Uint8Array.of(13)),
    told.digests ?? tlv(3, SHA256),
    told.content ?? tlv(80, text('content')),
  );

describe('a Canonical Event Log in TLV', () => {
  it('has its records, with offsets, digests and content', () => {
    const log = buildCelTlv(EVENTS, { banks: ['sha1', 'sha256', 'sha384', 'sha512'] });
    const { format, header, algorithms, events } = parse(log);
    expect({ format, header }).toEqual({ format: 'cel-tlv', header: null });
    expect([...algorithms]).toEqual([
      [0x04, 20],
      [0x0b, 32],
      [0x0c, 48],
      [0x0d, 64],
    ]);
    expect(events.map(({ index, type, data }) => [index, type, Buffer.from(data).toString()])).toEqual([
      [11, null, 'enter-initrd'],
      [15, null, 'machine-id:é'],
    ]);
    expect(events.map(({ offset }) => log[offset])).toEqual([0, 0]);
    expect(events[0]?.digests.map(({ algorithm, value }) => [algorithm, value.byteLength])).toEqual([...algorithms]);
  });

  it.each([1, 2, 4])('has the index of a PCR in %i bytes', (length) => {
    expect(parse(record({ pcr: tlv(1, bigEndian(13, length)) })).events[0]?.index).toBe(13);
  });

  it.each([4, 5, 6, 7, 80])('has content of type %i, which may be empty', (type) => {
    expect(parse(record({ content: tlv(type, NONE) })).events[0]?.data).toHaveLength(0);
  });

  it('is refused with content of any other type', () => {
    for (let type = 0; type < 256; type++) {
      const log = record({ content: tlv(type, NONE) });
      if (![4, 5, 6, 7, 80].includes(type)) expect(codeOf(log)).toBe('eventlog_format');
    }
  });

  it('TPM-14 has up to eight digests', () => {
    const digests = tlv(3, joinBytes(...Array.from({ length: 7 }, (_, id) => tlv(64 + id, NONE)), SHA256));
    expect(parse(record({ digests })).events).toHaveLength(1);
  });

  it('leaves out digests of algorithms that are not known', () => {
    const digests = tlv(3, joinBytes(tlv(0x12, new Uint8Array(32)), SHA256));
    expect(parse(record({ digests })).events[0]?.digests.map(({ algorithm }) => algorithm)).toEqual([0x0b]);
  });

  it('is refused where it is cut anywhere inside a record', () => {
    const log = joinBytes(record(), record());
    for (let length = 1; length < log.byteLength; length++) {
      if (length === log.byteLength / 2) expect(parse(log.subarray(0, length)).events).toHaveLength(1);
      else expect(codeOf(log.subarray(0, length))).toBe('eventlog_format');
    }
  });

  it.each<[string, Uint8Array, string]>([
    ['with another TLV first', record({ number: tlv(1, Uint8Array.of(0)) }), 'eventlog_format'],
    ['with another record number in place of a PCR', record({ pcr: tlv(0, Uint8Array.of(13)) }), 'eventlog_format'],
    ['with digests in place of a PCR', record({ pcr: tlv(3, Uint8Array.of(13)) }), 'eventlog_format'],
    ['with content in place of digests', record({ digests: tlv(80, SHA256) }), 'eventlog_format'],
    ['with no digest that is known', record({ digests: tlv(3, tlv(0x12, new Uint8Array(32))) }), 'eventlog_format'],
    ['with a digest of 31 bytes', record({ digests: tlv(3, tlv(0x0b, new Uint8Array(31))) }), 'eventlog_format'],
    ['with a digest of 33 bytes', record({ digests: tlv(3, tlv(0x0b, new Uint8Array(33))) }), 'eventlog_format'],
    ['with a digest that ends behind its TLV', record({ digests: tlv(3, SHA256.subarray(0, 36)) }), 'eventlog_format'],
    [
      'with bytes behind its last digest',
      record({ digests: tlv(3, joinBytes(SHA256, NONE, Uint8Array.of(4))) }),
      'eventlog_format',
    ],
    [
      'TPM-14 with a digest of 2^32-1 bytes',
      record({ digests: tlv(3, Uint8Array.of(0x0b, 255, 255, 255, 255)) }),
      'eventlog_format',
    ],
    ['TPM-14 with digests of no bytes', record({ digests: tlv(3, NONE) }), 'eventlog_limit'],
    ['TPM-14 with a digest twice', record({ digests: tlv(3, joinBytes(SHA256, SHA256)) }), 'eventlog_limit'],
    [
      'TPM-14 with nine digests',
      record({ digests: tlv(3, joinBytes(...Array.from({ length: 9 }, (_, id) => tlv(64 + id, NONE)))) }),
      'eventlog_limit',
    ],
    ['TPM-14 with a number of 9 bytes', record({ number: tlv(0, new Uint8Array(9)) }), 'eventlog_limit'],
    ['TPM-14 with a number of no bytes', record({ number: tlv(0, NONE) }), 'eventlog_limit'],
    ['TPM-14 with the index of a PCR in 5 bytes', record({ pcr: tlv(1, new Uint8Array(5)) }), 'eventlog_limit'],
    [
      'TPM-14 with digests of 2^32-1 bytes',
      record({ digests: Uint8Array.of(3, 255, 255, 255, 255) }),
      'eventlog_limit',
    ],
    ['with content of 2^32-1 bytes', record({ content: Uint8Array.of(80, 255, 255, 255, 255) }), 'eventlog_format'],
  ])('is refused: a record %s', (_name, log, code) => {
    expect(codeOf(log)).toBe(code);
  });

  it('TPM-14 is refused beyond the limit of bytes, and at the first record over 2048', () => {
    const log = buildCelTlv(EVENTS);
    expect(parse(log, log.byteLength).events).toHaveLength(2);
    expect(codeOf(log, log.byteLength - 1)).toBe('eventlog_limit');
    expect(codeOf(NONE)).toBe('eventlog_limit');
    const many = (count: number) => joinBytes(...Array.from({ length: count }, () => record()));
    expect(parse(many(2048), 2 ** 20).events).toHaveLength(2048);
    expect(codeOf(many(2049), 2 ** 20)).toBe('eventlog_limit');
  });
});

describe.each<CelJsonForm>(FORMS)('a Canonical Event Log in JSON, as %s', (form) => {
  const log = buildCelJson(EVENTS, form, ['sha1', 'sha256']);

  it('is told by how it begins', () => {
    expect(isCanonicalJson(log)).toBe(true);
  });

  it('has its records, with digests and text', () => {
    const { format, header, algorithms, events } = parse(log);
    expect({ format, header, algorithms: [...algorithms.keys()] }).toEqual({
      format: 'cel-json',
      header: null,
      algorithms: [0x04, 0x0b],
    });
    expect(events.map(({ index, type, data }) => [index, type, Buffer.from(data).toString()])).toEqual([
      [11, null, 'enter-initrd'],
      [15, null, 'machine-id:é'],
    ]);
    if (form !== 'array') expect(events.map(({ offset }) => log[offset])).toEqual([0x7b, 0x7b]);
  });

  it('is refused, or shorter, where it is cut', () => {
    for (let length = 1; length < log.byteLength; length++) {
      try {
        expect(parse(log.subarray(0, length)).events.length).toBeLessThanOrEqual(EVENTS.length);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }
  });

  it('is read, or refused with a declared error, where a bit is changed', () => {
    for (let offset = 0; offset < log.byteLength; offset++) {
      try {
        parse(flipBit(log, offset, offset & 7));
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }
  });

  it('TPM-14 is refused at the first record over 2048', () => {
    const many = (count: number) =>
      buildCelJson(
        Array.from({ length: count }, () => EVENTS[0] as LogEvent),
        form,
      );
    expect(parse(many(2048), 2 ** 20).events).toHaveLength(2048);
    expect(codeOf(many(2049), 2 ** 20)).toBe('eventlog_limit');
  });
});

describe('records in JSON', () => {
  const DIGEST = { hashAlg: 'sha256', digest: '00'.repeat(32) };
  const jsonOf = (value: unknown) => text(JSON.stringify(value));
  const good = { pcr: 11, digests: [DIGEST], content: { string: 'text' } };

  it.each<[string, object]>([
    ['no content', { pcr: 11, digests: [DIGEST] }],
    ['content without text', { ...good, content: { pcr: 7 } }],
    ['text that is no text', { ...good, content: { string: 1 } }],
    ['content that is no object', { ...good, content: 'text' }],
  ])('have no data with %s', (_name, value) => {
    expect(parse(jsonOf(value)).events[0]?.data).toHaveLength(0);
  });

  it('leave out digests of algorithms that are not known', () => {
    const digests = [{ hashAlg: 'sm3_256', digest: 'zz' }, DIGEST, { hashAlg: '__proto__', digest: '' }];
    expect(parse(jsonOf({ ...good, digests })).events[0]?.digests.map(({ algorithm }) => algorithm)).toEqual([0x0b]);
  });

  it('TPM-14 have up to eight digests', () => {
    const digests = [...Array(7).fill({ hashAlg: 'x', digest: '' }), DIGEST];
    expect(parse(jsonOf({ ...good, digests })).events).toHaveLength(1);
  });

  it.each([{ nv_index: 1 }, { content: { nvIndexName: 'login' } }])('are of a PCR where they name one: %j', (more) => {
    expect(parse(jsonOf({ ...good, ...more })).events.map(({ index }) => index)).toEqual([11]);
  });

  it.each<[string, unknown, string]>([
    ['no PCR', { digests: [DIGEST] }, 'eventlog_format'],
    ['half a PCR', { ...good, pcr: 1.5 }, 'eventlog_format'],
    ['a PCR as text', { ...good, pcr: '11' }, 'eventlog_format'],
    ['no digests', { pcr: 11 }, 'eventlog_format'],
    ['an empty list of digests', { ...good, digests: [] }, 'eventlog_format'],
    ['digests that are no list', { ...good, digests: DIGEST }, 'eventlog_format'],
    ['a digest that is no object', { ...good, digests: [1] }, 'eventlog_format'],
    ['a digest without algorithm', { ...good, digests: [{ digest: '' }] }, 'eventlog_format'],
    ['a digest without value', { ...good, digests: [{ hashAlg: 'sha256' }] }, 'eventlog_format'],
    ['a digest that is not hex', { ...good, digests: [{ ...DIGEST, digest: 'zz'.repeat(32) }] }, 'eventlog_format'],
    ['a digest of 31 bytes', { ...good, digests: [{ ...DIGEST, digest: '00'.repeat(31) }] }, 'eventlog_format'],
    ['TPM-14 a digest twice', { ...good, digests: [DIGEST, DIGEST] }, 'eventlog_limit'],
    ['TPM-14 nine digests', { ...good, digests: Array(9).fill({ hashAlg: 'x', digest: '' }) }, 'eventlog_limit'],
    ['a record that is a number in a list', [1], 'eventlog_format'],
    ['a list in a list', [[good]], 'eventlog_format'],
  ])('are refused with %s', (_name, value, code) => {
    expect(codeOf(jsonOf(value))).toBe(code);
  });

  it.each([
    ['no JSON', '{"pcr":11,'],
    ['a member twice', '{"pcr":11,"pcr":12,"digests":[]}'],
    ['two records in a line', `${JSON.stringify(good)}${JSON.stringify(good)}`],
    ['text behind a list', `[${JSON.stringify(good)}]x`],
  ])('are refused: %s', (_name, log) => {
    expect(codeOf(text(log))).toBe('eventlog_format');
  });

  it('may be none', () => {
    expect(parse(text('[]')).events).toEqual([]);
    expect([...parse(text('[]')).algorithms]).toEqual([]);
  });
});

it('leaves out records of NV indices, which extend no PCR, in every form', () => {
  const tlvs = joinBytes(record({ pcr: tlv(2, bigEndian(0x01800001, 4)) }), record());
  expect(parseCanonicalEventLog(tlvs, LIMIT).events).toHaveLength(1);
  const digests = [{ hashAlg: 'sha256', digest: '00'.repeat(32) }];
  const records = [
    { nv_index: 1, digests },
    { digests, content_type: 'systemd', content: { nvIndexName: 'login', string: 'x' } },
    { pcr: 11, digests },
  ];
  const json = Uint8Array.from(Buffer.from(JSON.stringify(records)));
  expect(parseCanonicalEventLog(json, LIMIT).events.map(({ index }) => index)).toEqual([11]);
});

it('TPM-14 counts records of NV indices to its limit', () => {
  const ofTlv = record({ pcr: tlv(2, bigEndian(0x01800001, 4)) });
  const ofJson = text('{"nv_index":1}\n');
  for (const each of [ofTlv, ofJson]) {
    const many = (count: number) => joinBytes(...Array.from({ length: count }, () => each));
    expect(parse(many(2048), 2 ** 20).events).toEqual([]);
    expect(codeOf(many(2049), 2 ** 20)).toBe('eventlog_limit');
  }
});
