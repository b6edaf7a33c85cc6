import {
  DIGEST_ALGORITHM,
  EVENT_TYPE,
  parseTcgEventLog,
  type TcgEvent,
  type TcgEventLog,
} from '../formats/tcg-event-log.js';
import type { JsonObject } from '../model/json.js';
import { type FieldDescription, FieldTable, type StructureDescription } from './field-description.js';

/** A boot makes some 150. */
const SHOWN_EVENTS = 256;
const SHOWN_CHARACTERS = 256;

/** Event types (TCG PC Client Platform Firmware Profile, Event Types). */
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [0x00, 'EV_PREBOOT_CERT'],
  [0x01, 'EV_POST_CODE'],
  [EVENT_TYPE.noAction, 'EV_NO_ACTION'],
  [EVENT_TYPE.separator, 'EV_SEPARATOR'],
  [0x05, 'EV_ACTION'],
  [0x06, 'EV_EVENT_TAG'],
  [0x07, 'EV_S_CRTM_CONTENTS'],
  [0x08, 'EV_S_CRTM_VERSION'],
  [0x09, 'EV_CPU_MICROCODE'],
  [0x0a, 'EV_PLATFORM_CONFIG_FLAGS'],
  [0x0b, 'EV_TABLE_OF_DEVICES'],
  [0x0c, 'EV_COMPACT_HASH'],
  [0x0d, 'EV_IPL'],
  [0x0e, 'EV_IPL_PARTITION_DATA'],
  [0x0f, 'EV_NONHOST_CODE'],
  [0x10, 'EV_NONHOST_CONFIG'],
  [0x11, 'EV_NONHOST_INFO'],
  [0x12, 'EV_OMIT_BOOT_DEVICE_EVENTS'],
  [0x80000001, 'EV_EFI_VARIABLE_DRIVER_CONFIG'],
  [0x80000002, 'EV_EFI_VARIABLE_BOOT'],
  [0x80000003, 'EV_EFI_BOOT_SERVICES_APPLICATION'],
  [0x80000004, 'EV_EFI_BOOT_SERVICES_DRIVER'],
  [0x80000005, 'EV_EFI_RUNTIME_SERVICES_DRIVER'],
  [0x80000006, 'EV_EFI_GPT_EVENT'],
  [0x80000007, 'EV_EFI_ACTION'],
  [0x80000008, 'EV_EFI_PLATFORM_FIRMWARE_BLOB'],
  [0x80000009, 'EV_EFI_HANDOFF_TABLES'],
  [0x8000000a, 'EV_EFI_PLATFORM_FIRMWARE_BLOB2'],
  [0x8000000b, 'EV_EFI_HANDOFF_TABLES2'],
  [0x8000000c, 'EV_EFI_VARIABLE_BOOT2'],
  [0x8000000d, 'EV_EFI_GPT_EVENT2'],
  [0x80000010, 'EV_EFI_HCRTM_EVENT'],
  [0x800000e0, 'EV_EFI_VARIABLE_AUTHORITY'],
  [0x800000e1, 'EV_EFI_SPDM_FIRMWARE_BLOB'],
  [0x800000e2, 'EV_EFI_SPDM_FIRMWARE_CONFIG'],
]);

const ALGORITHM_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(DIGEST_ALGORITHM).map(([name, algorithm]) => [algorithm, name]),
);

/**
 * The event log of a TD: its header, then its first events. Offsets are from the start of the log in both.
 *
 * @param maximumBytes as of `parseTcgEventLog`
 * @throws {FormatError} as `parseTcgEventLog`
 */
export function describeCcel(bytes: Uint8Array, about: string, maximumBytes: number): readonly StructureDescription[] {
  const log = parseTcgEventLog(bytes, maximumBytes);
  const place = (event: TcgEvent) => {
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

function describeCcelEvent(event: TcgEvent): Pick<FieldDescription, 'name' | 'value' | 'meaning'> {
  const { index, type } = event;
  const meaning = type === EVENT_TYPE.noAction ? 'extends nothing' : registerOf(index);
  return { name: typeName(type), value: eventValue(event), meaning };
}

/** What any event log says of an event. */
function eventValue({ index, digests, data }: TcgEvent): JsonObject {
  const named = digests.map(({ algorithm, value }) => [algorithmName(algorithm), Buffer.from(value).toString('hex')]);
  return { index, text: textOf(data), dataLength: data.byteLength, digests: Object.fromEntries(named) };
}

/** The register that an index of a CCEL stands for (UEFI 2.10, 38.4.1). */
function registerOf(index: number): string {
  if (index === 0) return 'MRTD, which no event extends';
  return index <= 4 ? `RTMR ${index - 1}` : 'no register of a TD';
}

/** ASCII, in one byte or in two (UTF-16), without the NULs at its end; cut where it is long. Null for other data. */
function textOf(data: Uint8Array): string | null {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const readings = [bytes.toString('latin1'), ...(bytes.byteLength % 2 === 0 ? [bytes.toString('utf16le')] : [])];
  const text = readings.map(withoutFinalNuls).find((reading) => /^[\t\n\r -~]+$/.test(reading));
  if (text === undefined) return null;
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

/** Not by a regular expression: from each NUL of a long run it would look for the end anew. */
function withoutFinalNuls(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end -= 1;
  return text.slice(0, end);
}

function leftOff(events: readonly { readonly offset: number; readonly length: number }[]): readonly FieldDescription[] {
  const [first] = events;
  if (first === undefined) return [];
  const length = events.reduce((sum, event) => sum + event.length, 0);
  const meaning = `the first ${SHOWN_EVENTS} are shown`;
  return [{ name: 'events left out', offset: first.offset, length, value: events.length, meaning }];
}

function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `0x${type.toString(16)}`;
}

function algorithmName(algorithm: number): string {
  return ALGORITHM_NAMES.get(algorithm) ?? `0x${algorithm.toString(16)}`;
}
