import { describe, expect, it } from 'vitest';
import { parseCanonicalEventLog } from '../../../../src/boot/format/canonical-event-log.js';
import { parseEventLog } from '../../../../src/boot/format/event-log.js';
import { parseFirmwareEventLog } from '../../../../src/boot/format/tcg-event-log.js';
import { formatErrorOf } from '../../../format-error-of.js';
import { bigEndian, joinBytes, littleEndian } from '../../../lab/byte-patch.js';
import {
  buildCelJson,
  buildCelTlv,
  buildEventLog,
  buildSha1EventLog,
  grubBoot,
  systemdPhases,
  tlv,
} from '../../../lab/event-log-builder.js';

const BOOT = grubBoot();
const PHASES = systemdPhases('enter-initrd', 'leave-initrd');

describe('an event log of any format', () => {
  it.each([
    ['crypto-agile', buildEventLog(BOOT), BOOT.length],
    ['sha1-only', buildSha1EventLog(BOOT), BOOT.length],
    ['cel-tlv', buildCelTlv(PHASES), 2],
    ['cel-json', buildCelJson(PHASES, 'array'), 2],
    ['cel-json', buildCelJson(PHASES, 'sequence'), 2],
    ['cel-json', buildCelJson(PHASES, 'lines'), 2],
  ] as const)('is read as %s', (format, bytes, count) => {
    const log = parseEventLog(bytes, 2 ** 20);
    expect(log.format).toBe(format);
    expect(log.events).toHaveLength(count);
  });

  it('is what its header says, although its bytes are a record in TLV too', () => {
    const start = joinBytes(littleEndian(0, 4), littleEndian(3, 4));
    const digest = joinBytes(
      tlv(1, Uint8Array.of(11)),
      Uint8Array.of(3),
      bigEndian(83, 4),
      Uint8Array.of(0x40),
      bigEndian(41, 4),
      new Uint8Array(4),
    );
    // Number, PCR and the start of the digests are the header; the rest stands in its vendor information.
    const vendorInfo = joinBytes(tlv(0x0b, new Uint8Array(32)), tlv(80, new Uint8Array()));
    const specId = joinBytes(
      Buffer.from('Spec ID Event03\0', 'latin1'),
      littleEndian(0, 4),
      Uint8Array.of(0, 2, 0, 2),
      littleEndian(1, 4),
      littleEndian(0x0b, 2),
      littleEndian(32, 2),
      Uint8Array.of(vendorInfo.byteLength),
      vendorInfo,
    );
    const both = joinBytes(start, digest, littleEndian(specId.byteLength, 4), specId);
    expect(parseCanonicalEventLog(both, 2 ** 20).events.map(({ index }) => index)).toEqual([11]);
    expect(parseEventLog(both, 2 ** 20)).toMatchObject({ format: 'crypto-agile', events: [] });
  });

  it('is refused by what is wrong with it as what it begins as', () => {
    const errorOf = (bytes: Uint8Array) => formatErrorOf(() => parseEventLog(bytes, 2 ** 20));
    const record = buildCelTlv(PHASES).subarray(0, -3);
    expect(errorOf(record)).toEqual(formatErrorOf(() => parseCanonicalEventLog(record, 2 ** 20)));
    expect(errorOf(record).code).toBe('eventlog_format');
    const weak = buildSha1EventLog(BOOT);
    weak.set(littleEndian(0xfff00000, 4), 28);
    expect(errorOf(weak)).toEqual(formatErrorOf(() => parseFirmwareEventLog(weak, 2 ** 20)));
    expect(errorOf(weak).code).toBe('eventlog_limit');
  });

  it('TPM-14 is refused where it is none, or longer than the limit', () => {
    expect(formatErrorOf(() => parseEventLog(new Uint8Array(40).fill(7), 2 ** 20)).code).toBe('eventlog_limit');
    for (const bytes of [buildEventLog(BOOT), buildSha1EventLog(BOOT), buildCelTlv(PHASES), buildCelJson(PHASES)]) {
      expect(formatErrorOf(() => parseEventLog(bytes, 100)).code).toBe('eventlog_limit');
    }
  });
});
