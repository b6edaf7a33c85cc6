import { DIGEST_ALGORITHM, EVENT_TYPE, type EventDigest } from '../formats/measured-event.js';
import type { JsonObject } from '../model/json.js';

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

/** A record of a Canonical Event Log has no type. */
export function typeName(type: number | null): string {
  if (type === null) return 'CEL record';
  return TYPE_NAMES.get(type) ?? `0x${type.toString(16)}`;
}

export function algorithmName(algorithm: number): string {
  return ALGORITHM_NAMES.get(algorithm) ?? `0x${algorithm.toString(16)}`;
}

export function isKnownType(type: number): boolean {
  return TYPE_NAMES.has(type);
}

/** Lower-case hex. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Digests in hex, by the names of their algorithms. */
export function digestsByName(digests: readonly EventDigest[]): JsonObject {
  return Object.fromEntries(digests.map(({ algorithm, value }) => [algorithmName(algorithm), hex(value)]));
}

/** ASCII, in one byte or in two (UTF-16), without the NULs at its end; cut where it is long. Null for other data. */
export function shownText(data: Uint8Array): string | null {
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
