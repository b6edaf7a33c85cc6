import { afterEach, describe, expect, it, vi } from 'vitest';
import { MAXIMUM_EVENTS } from '../../../src/boot/format/measured-event.js';
import { compareCommand } from '../../../src/cli/compare-command.js';
import { inspectCommand } from '../../../src/cli/inspect-command.js';
import { ByteReader } from '../../../src/formats/byte-reader.js';
import { bootOrder, imagePath, partitionTable, signatureEntries } from '../../../src/inspect/boot-data.js';
import { requestLimits } from '../../../src/wire/read-body.js';
import { bootComparisons, InspectEvidence, rawInspections } from '../../../src/workbench/inspections.js';
import { joinBytes, littleEndian } from '../../lab/byte-patch.js';
import { buildTpmLog, type LogEvent, latin1 } from './tpm-log.js';

const LIMIT = 2 ** 20;
const EVENT: LogEvent = { index: 4, type: 4, data: Uint8Array.of(0) };
const LOG = buildTpmLog([EVENT], ['sha1']);
const HEADER_LENGTH = buildTpmLog([], ['sha1']).byteLength;
const LARGEST = littleEndian(0xffffffff, 4);

/** The error of each way to inspect a log: the library, and the command line. */
const WAYS: readonly (readonly [string, (log: Uint8Array, limit?: number) => unknown])[] = [
  ['the library', (log, limit = LIMIT) => new InspectEvidence(limit).execute({ type: 'event-log', log, pcrs: null })],
  [
    'veritee inspect',
    (log, limit = LIMIT) =>
      inspectCommand(
        { name: 'log.bin', bytes: log },
        null,
        { raw: rawInspections(limit), limits: requestLimits(limit), evidence: new InspectEvidence(limit) },
        { asTable: true, inColour: false, write: () => {} },
      ),
  ],
  [
    'veritee inspect --compare',
    (log, limit = LIMIT) =>
      compareCommand(
        { name: 'before.bin', bytes: LOG },
        { name: 'log.bin', bytes: log },
        { boots: bootComparisons(limit), raw: rawInspections(limit), limits: requestLimits(limit) },
        { asTable: true, inColour: false, write: () => {} },
      ),
  ],
];

/** LOG with bytes put over those at an offset. */
function patched(offset: number, bytes: Uint8Array): Uint8Array {
  const log = Uint8Array.from(LOG);
  log.set(bytes, offset);
  return log;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(WAYS)('TPM-14 bounds of an event log: %s', (_way, look) => {
  it('takes what it is shown otherwise', () => {
    expect(() => look(LOG)).not.toThrow();
  });

  it('refuses 64 MiB unread', () => {
    const reads = vi.spyOn(ByteReader.prototype, 'u32le');
    const log = new Uint8Array(64 * 2 ** 20).fill(0x11);
    log.set(LOG);
    expect(() => look(log)).toThrow('the event log is 67108864 bytes, 1 to 1048576 are allowed');
    // those of the log that it is compared with
    expect(reads.mock.calls.length).toBeLessThan(32);
  });

  it('refuses millions of tiny events after the first of them, whatever length is allowed', () => {
    const one = LOG.subarray(HEADER_LENGTH);
    const log = new Uint8Array(HEADER_LENGTH + 400_000 * one.byteLength);
    log.set(LOG);
    for (let at = HEADER_LENGTH; at < log.byteLength; at += one.byteLength) log.set(one, at);
    const reads = vi.spyOn(ByteReader.prototype, 'u32le');
    expect(() => look(log, log.byteLength)).toThrow('more than 2048 events');
    // index, type, count and size of each
    expect(reads.mock.calls.length).toBeLessThan(4 * MAXIMUM_EVENTS + 64);
  });

  it.each<[string, Uint8Array]>([
    ['the size of an event', patched(LOG.byteLength - 5, LARGEST)],
    [
      'the size of an event, so that its end is before its start',
      patched(LOG.byteLength - 5, littleEndian(0xfffffff0, 4)),
    ],
    ['the count of digests', patched(HEADER_LENGTH + 8, LARGEST)],
    ['the size of the header', patched(28, LARGEST)],
    ['the count of algorithms', patched(32 + 24, LARGEST)],
    ['a size of nothing', patched(LOG.byteLength - 5, littleEndian(0, 4))],
  ])('refuses lengths that wrap: %s', (_what, log) => {
    expect(() => look(log)).toThrow(/size at offset \d+ is|algorithms, 1 to|are allowed/);
  });
});

describe('data of events whose lengths wrap', () => {
  const whole = new Uint8Array(8).fill(0xff);
  const list = (size: number, header: number, entry: number) =>
    joinBytes(new Uint8Array(16), ...[size, header, entry].map((value) => littleEndian(value, 4)), new Uint8Array(48));

  it('is none of the form', () => {
    expect(imagePath(joinBytes(new Uint8Array(24), whole, new Uint8Array(8)))).toBeNull();
    expect(
      imagePath(joinBytes(new Uint8Array(24), littleEndian(8, 8), Uint8Array.of(4, 4, 0, 0, 0, 0, 0, 0))),
    ).toBeNull();
    expect(
      imagePath(joinBytes(new Uint8Array(24), littleEndian(8, 8), Uint8Array.of(4, 4, 0xff, 0xff, 0, 0, 0, 0))),
    ).toBeNull();
    for (const [size, header, entry] of [
      [0, 0, 48],
      [76, 0xffffffff, 48],
      [0xffffffff, 0, 48],
      [76, 0, 0],
      [76, 0, 16],
      [76, 0, 47],
      [77, 0, 48],
    ] as const) {
      expect(signatureEntries(list(size, header, entry)), `${size} ${header} ${entry}`).toBeNull();
    }
    expect(signatureEntries(list(76, 0, 48))).toHaveLength(1);
    expect(signatureEntries(list(76, 0, 24))).toHaveLength(2);
    expect(signatureEntries(new Uint8Array(27))).toBeNull();
    expect(signatureEntries(new Uint8Array())).toEqual([]);
    expect(bootOrder(new Uint8Array(2 * 257))).toBeNull();
    expect(bootOrder(new Uint8Array(3))).toBeNull();
    expect(partitionTable(latin1('EFI PART'))).toBeNull();
  });
});
