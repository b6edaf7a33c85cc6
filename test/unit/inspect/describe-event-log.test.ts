import { describe, expect, it } from 'vitest';
import { parseTcgEventLog } from '../../../src/boot/format/tcg-event-log.js';
import type { JsonObject } from '../../../src/core/json.js';
import { describeCcel } from '../../../src/inspect/describe-event-log.js';
import type { FieldDescription } from '../../../src/inspect/field-description.js';
import { formatErrorOf } from '../../format-error-of.js';
import { joinBytes, littleEndian } from '../../lab/byte-patch.js';
import { buildCcel, CCEL_EVENT, type CcelEvent, labCcelEvents } from '../../lab/ccel-builder.js';
import { haveVectors, readVector } from '../../vectors.js';

const LIMIT = 2 ** 20;
const EVENTS = labCcelEvents();
const LOG = buildCcel(EVENTS);

const text = (value: string, encoding: BufferEncoding = 'latin1') => Uint8Array.from(Buffer.from(value, encoding));
const describeLog = (log: Uint8Array) => describeCcel(log, '/ccel', LIMIT);
const bytesAt = (log: Uint8Array, { offset, length }: FieldDescription) =>
  log.subarray(offset ?? 0, (offset ?? 0) + (length ?? 0));

function eventsOf(events: readonly CcelEvent[]): readonly FieldDescription[] {
  return describeLog(buildCcel(events))[1]?.fields ?? [];
}

function eventOf(event: Partial<CcelEvent>): FieldDescription {
  const [described] = eventsOf([{ register: 1, type: CCEL_EVENT.ipl, data: Uint8Array.of(1), ...event }]);
  if (described === undefined) throw new Error('the event is not described');
  return described;
}

const textOf = (data: Uint8Array) => (eventOf({ data }).value as JsonObject)['text'];

describe('description of a CCEL', () => {
  it('has its header, which says how the rest is read', () => {
    const [header] = describeLog(LOG);
    expect(header).toMatchObject({ name: 'event log header', about: '/ccel', length: 65 });
    const fields = new Map(header?.fields.map((field) => [field.name, field]));
    expect(fields.get('eventType')).toMatchObject({ offset: 4, length: 4, value: 'EV_NO_ACTION' });
    expect(fields.get('signature')).toMatchObject({ offset: 32, length: 16, value: 'Spec ID Event03' });
    expect(fields.get('specVersionMajor')).toMatchObject({ offset: 53, length: 1, value: 2 });
    expect(fields.get('numberOfAlgorithms')).toMatchObject({ offset: 56, length: 4, value: 1 });
    expect(fields.get('digestSizes')).toMatchObject({ offset: 60, length: 4, value: { sha384: 48 } });
    expect(fields.get('vendorInfo')).toMatchObject({ offset: 65, length: 0, value: '' });
  });

  it('names algorithms that it does not know by their number, and has vendor information', () => {
    const specId = joinBytes(
      text('Spec ID Event03\0'),
      littleEndian(0, 4),
      Uint8Array.of(0, 2, 0, 2),
      littleEndian(2, 4),
      ...[0x12, 32, 0x0c, 48].map((value) => littleEndian(value, 2)),
      Uint8Array.of(2, 0xab, 0xcd),
    );
    const [header] = describeLog(buildCcel([], { specId }));
    const fields = new Map(header?.fields.map((field) => [field.name, field]));
    expect(fields.get('digestSizes')).toMatchObject({ offset: 60, length: 8, value: { '0x12': 32, sha384: 48 } });
    expect(fields.get('vendorInfo')).toMatchObject({ offset: 69, length: 2, value: 'abcd' });
  });

  it('has each event with its place, register and digests', () => {
    const [, log] = describeLog(LOG);
    expect(log).toMatchObject({ name: 'event log', about: '/ccel', length: LOG.byteLength });
    const { events } = parseTcgEventLog(LOG, LIMIT);
    expect(log?.fields.map(({ offset }) => offset)).toEqual(events.map(({ offset }) => offset));
    expect(log?.fields.map(({ name, meaning }) => `${name} ${meaning}`)).toEqual([
      'EV_EFI_PLATFORM_FIRMWARE_BLOB2 RTMR 0',
      'EV_EFI_VARIABLE_DRIVER_CONFIG RTMR 0',
      'EV_SEPARATOR RTMR 0',
      'EV_PLATFORM_CONFIG_FLAGS RTMR 0',
      'EV_EFI_ACTION RTMR 1',
      'EV_SEPARATOR RTMR 1',
      'EV_EFI_BOOT_SERVICES_APPLICATION RTMR 1',
      'EV_IPL RTMR 2',
      'EV_EFI_ACTION RTMR 1',
    ]);
    for (const [index, field] of (log?.fields ?? []).entries()) {
      const { index: register, digests, dataLength } = field.value as JsonObject;
      expect([register, dataLength]).toEqual([EVENTS[index]?.register, EVENTS[index]?.data.byteLength]);
      const bytes = Buffer.from(bytesAt(LOG, field)).toString('hex');
      expect(bytes.slice(28, 28 + 96)).toBe((digests as JsonObject)['sha384']);
      expect(bytes.endsWith(Buffer.from(EVENTS[index]?.data ?? []).toString('hex'))).toBe(true);
    }
  });

  it.each([
    [0, CCEL_EVENT.ipl, 'MRTD, which no event extends'],
    [4, CCEL_EVENT.ipl, 'RTMR 3'],
    [5, CCEL_EVENT.ipl, 'no register of a TD'],
    [1, CCEL_EVENT.noAction, 'extends nothing'],
  ])('says what index %i of type %i stands for', (register, type, meaning) => {
    expect(eventOf({ register, type })).toMatchObject({ meaning, value: { index: register } });
  });

  it('names a type that it does not know by its number', () => {
    expect(eventOf({ type: 0x80001234 }).name).toBe('0x80001234');
  });

  it.each<[string, Uint8Array, string | null]>([
    ['ASCII', text('Exit Boot Services Invocation'), 'Exit Boot Services Invocation'],
    ['ASCII with the NUL that ends it', text('grub_cmd: {\n\tset\r\n}\0'), 'grub_cmd: {\n\tset\r\n}'],
    ['UTF-16', text('quiet splash\0', 'utf16le'), 'quiet splash'],
    ['256 characters', text('x'.repeat(256)), 'x'.repeat(256)],
    ['more than 256 characters', text('x'.repeat(257)), `${'x'.repeat(256)}…`],
    ['a NUL in the middle', text('StartupLocality\0\x03'), null],
    ['an escape', text('\u001b[2J'), null],
    ['an escape in UTF-16', text('\u001b[2J', 'utf16le'), null],
    ['half a character of UTF-16', joinBytes(text('quiet', 'utf16le'), Uint8Array.of(0x41)), null],
    ['other than ASCII', text('é'), null],
    ['NUL alone', new Uint8Array(4), null],
  ])('shows what is text, in short: %s', (_, data, expected) => {
    expect(textOf(data)).toBe(expected);
  });

  it('shows 256 events, and says how many it leaves off, and where they are', () => {
    const many = (count: number) => Array.from({ length: count }, () => EVENTS[2] as CcelEvent);
    expect(eventsOf(many(256)).map(({ name }) => name)).toEqual(Array(256).fill('EV_SEPARATOR'));
    const fields = eventsOf(many(2048));
    expect(fields).toHaveLength(257);
    const [first, last, rest] = [fields[0], fields[255], fields[256]];
    const length = first?.length ?? 0;
    expect(rest).toEqual({
      name: 'events left out',
      offset: (last?.offset ?? 0) + length,
      length: 1792 * length,
      value: 1792,
      meaning: 'the first 256 are shown',
    });
  });

  it('may have no event', () => {
    expect(eventsOf([])).toEqual([]);
  });

  it('refuses what is no log, and one that is longer than the limit', () => {
    expect(formatErrorOf(() => describeLog(LOG.subarray(0, -65))).code).toBe('eventlog_format');
    expect(formatErrorOf(() => describeCcel(LOG, '/ccel', LOG.byteLength - 1)).code).toBe('eventlog_limit');
  });

  it.skipIf(!haveVectors)('has every event of a real one, each type by name', () => {
    const log = readVector('tdx/tdx-v4-with-ccel.ccel-data.bin');
    const fields = describeLog(log)[1]?.fields ?? [];
    expect(fields).toHaveLength(43);
    expect(fields.filter(({ name }) => !name.startsWith('EV_'))).toEqual([]);
    expect(new Set(fields.map(({ meaning }) => meaning))).toEqual(new Set(['RTMR 0', 'RTMR 1', 'RTMR 2']));
    const shown = fields.map(({ value }) => (value as JsonObject)['text']);
    expect(shown).toContain('grub_cmd: set timeout=0');
    expect(shown.at(-1)).toBe('Exit Boot Services Returned with Success');
  });
});
