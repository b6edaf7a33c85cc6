import { describe, expect, it } from 'vitest';
import { parseFirmwareEventLog } from '../../../../src/boot/format/tcg-event-log.js';
import { formatErrorOf } from '../../../format-error-of.js';
import { joinBytes, littleEndian } from '../../../lab/byte-patch.js';
import { buildEventLog, buildSha1EventLog, type LogEvent, localityEvent } from '../../../lab/event-log-builder.js';

const LIMIT = 4096;
const NONE = new Uint8Array();
const EVENTS: readonly LogEvent[] = [
  localityEvent(3),
  { pcr: 4, type: 0x80000003, data: Uint8Array.of(1, 2, 3), measured: Uint8Array.of(9) },
  { pcr: 0, type: 4, data: new Uint8Array(4) },
];
const LOG = buildSha1EventLog(EVENTS);

const parse = (bytes: Uint8Array, limit = LIMIT) => parseFirmwareEventLog(bytes, limit);
const codeOf = (bytes: Uint8Array, limit = LIMIT) => formatErrorOf(() => parse(bytes, limit)).code;
const withSize = (size: number, data: Uint8Array) =>
  joinBytes(littleEndian(1, 4), littleEndian(8, 4), new Uint8Array(20).fill(1), littleEndian(size, 4), data);

describe('an event log of SHA-1 alone', () => {
  it('has index, type, offset, digest and data of each event', () => {
    const { format, header, algorithms, events } = parse(LOG);
    expect({ format, header, algorithms: [...algorithms] }).toEqual({
      format: 'sha1-only',
      header: null,
      algorithms: [[4, 20]],
    });
    expect(events.map(({ index, type, data }) => [index, type, [...data]])).toEqual(
      EVENTS.map(({ pcr, type, data }) => [pcr, type, [...data]]),
    );
    expect(events.map(({ offset }) => offset)).toEqual([0, 49, 84]);
    expect(events.map(({ digests }) => digests.map(({ algorithm, value }) => [algorithm, value.byteLength]))).toEqual(
      EVENTS.map(() => [[4, 20]]),
    );
  });

  it('is not what a log that names its digests is', () => {
    expect(parse(buildEventLog(EVENTS)).format).toBe('crypto-agile');
  });

  it.each([
    ['zeros', new Uint8Array(500)],
    ['FF', new Uint8Array(500).fill(0xff)],
    ['one zero', new Uint8Array(1)],
  ])('TPM-12 may be followed by %s', (_name, padding) => {
    expect(parse(buildSha1EventLog(EVENTS, padding)).events).toHaveLength(3);
  });

  it('may start with as many zeros as an event can', () => {
    const event = joinBytes(new Uint8Array(31), Uint8Array.of(1), new Uint8Array(2 ** 24).subarray(0, 3));
    expect(codeOf(event)).toBe('eventlog_limit');
    expect(parse(joinBytes(new Uint8Array(28), littleEndian(1, 4), Uint8Array.of(7))).events).toHaveLength(1);
  });

  it('TPM-14 is more than filling', () => {
    for (const byte of [0, 0xff]) expect(codeOf(new Uint8Array(100).fill(byte))).toBe('eventlog_format');
  });

  it('is refused where it is cut anywhere inside an event', () => {
    for (let length = 1; length < LOG.byteLength; length++) {
      const cut = LOG.subarray(0, length);
      // zeros alone are filling: what is left of the last event, whose index is 0
      if ([49, 84, 85, 86, 87, 88].includes(length)) expect(parse(cut).events.length).toBeLessThan(EVENTS.length);
      else expect(codeOf(cut)).toBe('eventlog_format');
    }
  });

  it.each([
    ['of 2^32-1 bytes', withSize(2 ** 32 - 1, NONE), 'eventlog_limit'],
    ['of a byte more than a log may have', withSize(LIMIT + 1, NONE), 'eventlog_limit'],
    ['of no bytes', withSize(0, NONE), 'eventlog_limit'],
    ['of more bytes than there are', withSize(2, Uint8Array.of(1)), 'eventlog_format'],
  ])('TPM-14 is refused with an event %s', (_name, log, code) => {
    expect(codeOf(log)).toBe(code);
  });

  it('TPM-14 is refused unread where it is longer than the limit, and at the first event over 2048', () => {
    expect(parse(LOG, LOG.byteLength).events).toHaveLength(3);
    expect(codeOf(LOG, LOG.byteLength - 1)).toBe('eventlog_limit');
    expect(codeOf(NONE)).toBe('eventlog_limit');
    const many = (count: number) => buildSha1EventLog(Array.from({ length: count }, () => EVENTS[1] as LogEvent));
    expect(parse(many(2048), 2 ** 20).events).toHaveLength(2048);
    expect(codeOf(many(2049), 2 ** 20)).toBe('eventlog_limit');
  });
});
