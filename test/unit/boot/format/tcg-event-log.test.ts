import { describe, expect, it } from 'vitest';
import { DIGEST_ALGORITHM, digestOfBank } from '../../../../src/boot/format/measured-event.js';
import { parseTcgEventLog } from '../../../../src/boot/format/tcg-event-log.js';
import { FormatError } from '../../../../src/core/errors.js';
import { formatErrorOf } from '../../../format-error-of.js';
import { flipBit, joinBytes, littleEndian, patchBytes } from '../../../lab/byte-patch.js';
import { buildCcel, CCEL_EVENT, labCcelEvents } from '../../../lab/ccel-builder.js';
import { haveVectors, readVector, vector } from '../../../vectors.js';

const LIMIT = 2 ** 20;
const NONE = new Uint8Array();
const EVENTS = labCcelEvents();
/** Without filling, so that its end is that of the last event. */
const LOG = buildCcel(EVENTS, { padding: NONE });

const parse = (log: Uint8Array) => parseTcgEventLog(log, LIMIT);
const codeOf = (log: Uint8Array) => formatErrorOf(() => parse(log)).code;

const algorithmsOf = (...pairs: readonly (readonly [number, number])[]) =>
  joinBytes(
    littleEndian(pairs.length, 4),
    ...pairs.flatMap(([id, length]) => [littleEndian(id, 2), littleEndian(length, 2)]),
  );

const unknownAlgorithms = (count: number) => Array.from({ length: count }, (_, id) => [id + 64, 32] as const);

function specId(algorithms: Uint8Array, { signature = 'Spec ID Event03\0', major = 2, rest = Uint8Array.of(0) } = {}) {
  const version = Uint8Array.of(0, major, 0, 2);
  return joinBytes(Buffer.from(signature, 'latin1'), littleEndian(0, 4), version, algorithms, rest);
}

/** TCG_PCR_EVENT2, every field as it is told to be. */
interface Told {
  readonly index?: number;
  readonly type?: number;
  readonly count?: number;
  readonly digests?: readonly (readonly [number, Uint8Array])[];
  readonly size?: number;
  readonly data?: Uint8Array;
}

function record({ index = 1, type = CCEL_EVENT.action, digests = [SHA384], data = Uint8Array.of(1), ...told }: Told) {
  return joinBytes(
    littleEndian(index, 4),
    littleEndian(type, 4),
    littleEndian(told.count ?? digests.length, 4),
    ...digests.flatMap(([id, digest]) => [littleEndian(id, 2), digest]),
    littleEndian(told.size ?? data.byteLength, 4),
    data,
  );
}

const SHA256 = [DIGEST_ALGORITHM.sha256, new Uint8Array(32).fill(2)] as const;
const SHA384 = [DIGEST_ALGORITHM.sha384, new Uint8Array(48).fill(3)] as const;
const BOTH = specId(algorithmsOf([0x0b, 32], [0x0c, 48]));

const logOf = (records: readonly Told[], spec = BOTH, padding: Uint8Array = NONE) =>
  joinBytes(buildCcel([], { specId: spec, padding: NONE }), ...records.map(record), padding);

describe('a crypto agile event log', () => {
  it('has its events, with offsets, digests and data', () => {
    const { header, algorithms, events } = parse(buildCcel(EVENTS));
    expect(header).toMatchObject({ index: 1, type: 3, offset: 0 });
    expect([...algorithms]).toEqual([[0x0c, 48]]);
    expect(events.map(({ index, type, data }) => ({ index, type, data: Uint8Array.from(data) }))).toEqual(
      EVENTS.map(({ register, type, data }) => ({ index: register, type, data })),
    );
    expect(events.map(({ offset }) => new DataView(LOG.buffer).getUint32(offset, true))).toEqual(
      EVENTS.map(({ register }) => register),
    );
  });

  it('has the digests of several algorithms in any order, and events that leave one out', () => {
    const { events } = parse(logOf([{ digests: [SHA384, SHA256] }, { digests: [SHA256] }]));
    const found = events.map((event) =>
      (['sha256', 'sha384'] as const).map((bank) => digestOfBank(event, bank)?.byteLength ?? null),
    );
    expect(found).toEqual([
      [32, 48],
      [32, null],
    ]);
  });

  it('has algorithms that are not known by the length that it says', () => {
    const sm3 = [0x12, new Uint8Array(32)] as const;
    const { events } = parse(logOf([{ digests: [sm3, SHA384] }], specId(algorithmsOf([0x12, 32], [0x0c, 48]))));
    expect(events).toHaveLength(1);
  });

  it('TPM-14 may name eight algorithms', () => {
    expect(parse(logOf([], specId(algorithmsOf(...unknownAlgorithms(8))))).algorithms.size).toBe(8);
  });

  it('may have no event, and vendor information', () => {
    expect(parse(logOf([], specId(algorithmsOf([0x0c, 48]), { rest: Uint8Array.of(2, 9, 9) }))).events).toEqual([]);
  });

  it.each([
    ['nothing', NONE],
    ['zeros', new Uint8Array(4096)],
    ['FF', new Uint8Array(4096).fill(0xff)],
    ['one zero', new Uint8Array(1)],
    ['three FF', new Uint8Array(3).fill(0xff)],
  ])('TPM-12 may be followed by %s', (_name, padding) => {
    expect(parse(logOf([{}, { index: 0 }], BOTH, padding)).events).toHaveLength(2);
  });

  it.each([
    ['zeros, then another byte', joinBytes(new Uint8Array(64), Uint8Array.of(1))],
    ['FF, then zeros', joinBytes(new Uint8Array(64).fill(0xff), new Uint8Array(64))],
    ['other bytes', new Uint8Array(64).fill(0x20)],
    ['filling, then an event', joinBytes(new Uint8Array(64), record({}))],
  ])('may not be followed by %s', (_name, padding) => {
    expect(['eventlog_format', 'eventlog_limit']).toContain(codeOf(logOf([{}], BOTH, padding)));
  });
});

describe('an event log without its form', () => {
  it('is refused where it is cut anywhere inside an event', () => {
    const ends = new Set([...parse(LOG).events.map(({ offset }) => offset), LOG.byteLength]);
    for (let length = 1; length < LOG.byteLength; length++) {
      const cut = LOG.subarray(0, length);
      if (ends.has(length)) expect(parse(cut).events.length).toBeLessThan(EVENTS.length);
      else expect(codeOf(cut)).toBe('eventlog_format');
    }
  });

  it.each([
    ['starts with another event', patchBytes(LOG, [{ offset: 4, bytes: Uint8Array.of(8) }])],
    ['starts with an event of type 0', patchBytes(LOG, [{ offset: 4, bytes: Uint8Array.of(0) }])],
    ['is of SHA-1 alone', buildCcel([], { specId: Uint8Array.from(Buffer.from('StartupLocality\0\x03', 'latin1')) })],
    ['has another signature', logOf([], specId(algorithmsOf([0x0c, 48]), { signature: 'Spec ID Event02\0' }))],
    ['has an older version', logOf([], specId(algorithmsOf([0x0c, 48]), { major: 1 }))],
    ['has a later version', logOf([], specId(algorithmsOf([0x0c, 48]), { major: 3 }))],
    [
      'has bytes after its vendor information',
      logOf([], specId(algorithmsOf([0x0c, 48]), { rest: Uint8Array.of(0, 0) })),
    ],
    [
      'has less vendor information than it says',
      logOf([], specId(algorithmsOf([0x0c, 48]), { rest: Uint8Array.of(1) })),
    ],
    ['has SHA-384 digests of 32 bytes', logOf([], specId(algorithmsOf([0x0c, 32])))],
    ['has digests of no bytes', logOf([], specId(algorithmsOf([0x12, 0])))],
    ['has digests of 65 bytes', logOf([], specId(algorithmsOf([0x12, 65])))],
    ['has a digest of an algorithm that it does not name', logOf([{ digests: [[0x0d, new Uint8Array(64)]] }])],
    ['has an event that is longer than the rest', logOf([{ size: 2 }])],
  ])('is refused where it %s', (_name, log) => {
    expect(codeOf(log)).toBe('eventlog_format');
  });
});

describe('an event log beyond what is read', () => {
  it('TPM-14 is refused unread where it is longer than the limit, and read where it is as long', () => {
    expect(parseTcgEventLog(LOG, LOG.byteLength).events).toHaveLength(EVENTS.length);
    expect(formatErrorOf(() => parseTcgEventLog(LOG, LOG.byteLength - 1)).code).toBe('eventlog_limit');
    expect(codeOf(new Uint8Array(64 * 2 ** 20))).toBe('eventlog_limit');
    expect(codeOf(NONE)).toBe('eventlog_limit');
  });

  it('TPM-14 is refused at the first event over 2048', () => {
    const events = (count: number) => Array.from({ length: count }, () => ({ digests: [SHA256] }));
    const limit = 2 ** 26;
    expect(parseTcgEventLog(logOf(events(2048)), limit).events).toHaveLength(2048);
    expect(formatErrorOf(() => parseTcgEventLog(logOf(events(2049)), limit)).code).toBe('eventlog_limit');
  });

  it.each([
    ['has an event of 2^32-1 bytes', logOf([{ size: 2 ** 32 - 1 }])],
    ['has an event of a byte more than a log may have', logOf([{ size: LIMIT + 1 }])],
    ['has an event of no bytes', logOf([{ data: NONE }])],
    ['has a header of 2^32-1 bytes', patchBytes(LOG, [{ offset: 28, bytes: littleEndian(2 ** 32 - 1, 4) }])],
    ['has a header of no bytes', patchBytes(LOG, [{ offset: 28, bytes: littleEndian(0, 4) }])],
    ['names no algorithm', logOf([], specId(algorithmsOf()))],
    ['names 2^32-1 algorithms', logOf([], specId(littleEndian(2 ** 32 - 1, 4)))],
    ['names nine algorithms', logOf([], specId(algorithmsOf(...unknownAlgorithms(9))))],
    ['names an algorithm twice', logOf([], specId(algorithmsOf([0x0c, 48], [0x0b, 32], [0x0c, 48])))],
    ['has an event without digests', logOf([{ digests: [] }])],
    ['has an event with more digests than algorithms', logOf([{ digests: [SHA256, SHA384, SHA384] }])],
    ['has an event with 2^32-1 digests', logOf([{ count: 2 ** 32 - 1 }])],
    ['has an event with a digest twice', logOf([{ digests: [SHA384, SHA384] }])],
  ])('TPM-14 is refused where it %s', (_name, log) => {
    expect(codeOf(log)).toBe('eventlog_limit');
  });
});

describe('an event log with changed bits', () => {
  it('is read, or refused with a declared error', () => {
    for (let offset = 0; offset < LOG.byteLength; offset++) {
      try {
        parse(flipBit(LOG, offset, offset & 7));
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }
  });
});

describe.skipIf(!haveVectors)('real event logs', () => {
  it.each([
    'evlog-gce-ubuntu1804-sev',
    'evlog-gce-rhel8-secureboot',
    'evlog-gce-cos101-sev',
    'evlog-keylime-secureboot',
    'evlog-sb-cert',
    'evlog-sp800155',
    'evlog-workstation-arch',
    'evlog-ccel-grub',
    'tdx-v4-with-ccel',
  ])('%s has its events', (id) => {
    const { files, expect: expected } = vector(id);
    const file = files.find((name) => name.includes('evlog') || name.includes('ccel-data')) ?? '';
    const { events, algorithms } = parse(readVector(file));
    const { eventCount, algs } = expected.facts.log ?? expected.facts.ccel;
    expect(events).toHaveLength(eventCount);
    const offsets: readonly number[] = expected.facts.firstEventOffsets ?? [];
    expect(events.slice(0, offsets.length).map(({ offset }) => offset)).toEqual(offsets);
    const names: ReadonlyMap<number, string> = new Map(
      Object.entries(DIGEST_ALGORITHM).map(([name, id]) => [id, name]),
    );
    expect([...algorithms.keys()].map((algorithm) => names.get(algorithm))).toEqual(algs);
  });

  it.each(['evlog-gce-debian10-sha1', 'evlog-ebs-missing', 'evlog-short-no-action'])(
    '%s, of SHA-1 alone, is no crypto agile log',
    (id) => {
      expect(codeOf(readVector(vector(id).files[0] ?? ''))).toBe('eventlog_format');
    },
  );
});
