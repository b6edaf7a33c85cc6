import { parseCanonicalEventLog } from '../boot/format/canonical-event-log.js';
import { EVENT_TYPE, type EventLog, type MeasuredEvent } from '../boot/format/measured-event.js';
import { parseFirmwareEventLog, parseTcgEventLog } from '../boot/format/tcg-event-log.js';
import { PCR_LAYOUT } from '../boot/register-layout.js';
import { within } from '../core/errors.js';
import type { EventLogInput } from '../core/evidence.js';
import type { JsonObject } from '../core/json.js';
import { algorithmName, digestsByName, shownText, typeName } from './event-names.js';
import { type FieldDescription, FieldTable, type StructureDescription } from './field-description.js';

/** A boot makes some 150 events. */
export const SHOWN_EVENTS = 256;

/**
 * Describes the event log of a TD: its header, then its first events. Offsets are from the start of the log in both.
 *
 * @param maximumBytes as in `parseTcgEventLog`
 * @throws {FormatError} as `parseTcgEventLog`
 */
export function describeCcel(bytes: Uint8Array, about: string, maximumBytes: number): readonly StructureDescription[] {
  return describeLog(parseTcgEventLog(bytes, maximumBytes), bytes, about, registerOfTd);
}

/**
 * Describes the event log of a vTPM, and the Canonical Event Log after it, if there is one.
 *
 * @throws {FormatError} `eventlog_format`, `eventlog_limit`
 */
export function describeVtpmLogs(
  [firmware, canonical]: EventLogInput,
  about: string,
  maximumBytes: number,
): readonly StructureDescription[] {
  const [first, second] = canonical === undefined ? [about, about] : [`${about}/0`, `${about}/1`];
  const log = within(first, () => parseFirmwareEventLog(firmware, maximumBytes));
  const described = describeLog(log, firmware, first, registerOfTpm);
  if (canonical === undefined) return described;
  const records = within(second, () => parseCanonicalEventLog(canonical, maximumBytes));
  return [...described, ...describeLog(records, canonical, second, registerOfTpm)];
}

function describeLog(
  log: EventLog,
  bytes: Uint8Array,
  about: string,
  registerOf: (index: number) => string,
): readonly StructureDescription[] {
  const { header, events } = log;
  const place = placesIn(bytes, log.format);
  const shown = events
    .slice(0, SHOWN_EVENTS)
    .map((event) => ({ ...describeEvent(event, registerOf), ...place(event) }));
  const fields = [...shown, ...leftOff(events.slice(SHOWN_EVENTS).map(place))];
  return [
    ...(header === null ? [] : [describeHeader(bytes, header, log, about)]),
    { name: 'event log', about, start: 0, length: bytes.byteLength, fields },
  ];
}

type Place = Pick<FieldDescription, 'offset' | 'length'>;

/** Records of a Canonical Event Log have no fixed places. */
function placesIn(bytes: Uint8Array, format: EventLog['format']): (event: MeasuredEvent) => Place {
  if (format === 'cel-json' || format === 'cel-tlv') return () => ({ offset: null, length: null });
  return ({ offset, data }) => ({ offset, length: data.byteOffset + data.byteLength - bytes.byteOffset - offset });
}

function describeHeader(
  bytes: Uint8Array,
  header: MeasuredEvent,
  { algorithms }: EventLog,
  about: string,
): StructureDescription {
  const length = header.data.byteOffset + header.data.byteLength - bytes.byteOffset;
  return { name: 'event log header', about, start: 0, length, fields: headerFields(bytes, header, algorithms) };
}

/** TCG_PCR_EVENT, and in it TCG_EfiSpecIDEvent. */
function headerFields(
  bytes: Uint8Array,
  header: MeasuredEvent,
  algorithms: EventLog['algorithms'],
): readonly FieldDescription[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sizes = Object.fromEntries([...algorithms].map(([algorithm, size]) => [algorithmName(algorithm), size]));
  const vendorInfo = 60 + 4 * algorithms.size;
  return new FieldTable(bytes)
    .add('pcrIndex', 0, 4, header.index)
    .add('eventType', 4, 4, typeName(header.type))
    .hex('digest', 8, 20)
    .add('eventDataSize', 28, 4, header.data.byteLength)
    .add('signature', 32, 16, 'Spec ID Event03', 'a crypto agile log')
    .add('platformClass', 48, 4, view.getUint32(48, true))
    .add('specVersionMinor', 52, 1, view.getUint8(52))
    .add('specVersionMajor', 53, 1, view.getUint8(53))
    .add('specErrata', 54, 1, view.getUint8(54))
    .add('uintnSize', 55, 1, view.getUint8(55))
    .add('numberOfAlgorithms', 56, 4, algorithms.size)
    .add('digestSizes', 60, 4 * algorithms.size, sizes, 'bytes of a digest')
    .add('vendorInfoSize', vendorInfo, 1, view.getUint8(vendorInfo))
    .hex('vendorInfo', vendorInfo + 1, view.getUint8(vendorInfo)).fields;
}

function describeEvent(
  event: MeasuredEvent,
  registerOf: (index: number) => string,
): Pick<FieldDescription, 'name' | 'value' | 'meaning'> {
  const { index, type } = event;
  const meaning = type === EVENT_TYPE.noAction ? 'extends nothing' : registerOf(index);
  return { name: typeName(type), value: eventValue(event), meaning };
}

/** Members of an event in every format of event log. */
function eventValue({ index, digests, data }: MeasuredEvent): JsonObject {
  return { index, text: shownText(data), dataLength: data.byteLength, digests: digestsByName(digests) };
}

/** The register for an index of a CCEL (UEFI 2.10, 38.4.1). */
function registerOfTd(index: number): string {
  if (index === 0) return 'MRTD, which no event extends';
  return index <= 4 ? `RTMR ${index - 1}` : 'no register of a TD';
}

function registerOfTpm(index: number): string {
  return PCR_LAYOUT.indices.includes(index) ? PCR_LAYOUT.name(index) : 'no PCR';
}

function leftOff(events: readonly Place[]): readonly FieldDescription[] {
  const [first] = events;
  if (first === undefined) return [];
  const length = first.length === null ? null : events.reduce((sum, event) => sum + (event.length ?? 0), 0);
  const meaning = `the first ${SHOWN_EVENTS} are shown`;
  return [{ name: 'events left out', offset: first.offset, length, value: events.length, meaning }];
}
