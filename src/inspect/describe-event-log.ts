import { EVENT_TYPE, type EventLog, type MeasuredEvent } from '../formats/measured-event.js';
import { parseTcgEventLog, type TcgEventLog } from '../formats/tcg-event-log.js';
import type { JsonObject } from '../model/json.js';
import { algorithmName, digestsByName, shownText, typeName } from './event-names.js';
import { type FieldDescription, FieldTable, type StructureDescription } from './field-description.js';

/** A boot makes some 150. */
export const SHOWN_EVENTS = 256;

/**
 * The event log of a TD: its header, then its first events. Offsets are from the start of the log in both.
 *
 * @param maximumBytes as of `parseTcgEventLog`
 * @throws {FormatError} as `parseTcgEventLog`
 */
export function describeCcel(bytes: Uint8Array, about: string, maximumBytes: number): readonly StructureDescription[] {
  const log = parseTcgEventLog(bytes, maximumBytes);
  const place = (event: MeasuredEvent) => {
    const end = event.data.byteOffset + event.data.byteLength - bytes.byteOffset;
    return { offset: event.offset, length: end - event.offset };
  };
  const events = log.events.slice(0, SHOWN_EVENTS).map((event) => ({ ...describeCcelEvent(event), ...place(event) }));
  const rest = log.events.slice(SHOWN_EVENTS).map(place);
  return [
    { name: 'event log header', about, length: place(log.header).length, fields: headerFields(bytes, log) },
    { name: 'event log', about, length: bytes.byteLength, fields: [...events, ...leftOff(rest)] },
  ];
}

/** TCG_PCR_EVENT, and in it TCG_EfiSpecIDEvent. */
function headerFields(bytes: Uint8Array, { header, algorithms }: TcgEventLog): readonly FieldDescription[] {
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

function describeCcelEvent(event: MeasuredEvent): Pick<FieldDescription, 'name' | 'value' | 'meaning'> {
  const { index, type } = event;
  const meaning = type === EVENT_TYPE.noAction ? 'extends nothing' : registerOf(index);
  return { name: typeName(type), value: eventValue(event), meaning };
}

/** What any event log says of an event. */
function eventValue({ index, digests, data }: MeasuredEvent): JsonObject {
  return { index, text: shownText(data), dataLength: data.byteLength, digests: digestsByName(digests) };
}

/** The register that an index of a CCEL stands for (UEFI 2.10, 38.4.1). */
function registerOf(index: number): string {
  if (index === 0) return 'MRTD, which no event extends';
  return index <= 4 ? `RTMR ${index - 1}` : 'no register of a TD';
}

function leftOff(events: readonly { readonly offset: number; readonly length: number }[]): readonly FieldDescription[] {
  const [first] = events;
  if (first === undefined) return [];
  const length = events.reduce((sum, event) => sum + event.length, 0);
  const meaning = `the first ${SHOWN_EVENTS} are shown`;
  return [{ name: 'events left out', offset: first.offset, length, value: events.length, meaning }];
}
