import { DIGEST_ALGORITHM, EVENT_TYPE, type EventDigest } from '../boot/format/measured-event.js';
import { hex, latin1, utf16le } from '../core/bytes.js';
import type { JsonObject } from '../core/json.js';

const SHOWN_CHARACTERS = 256;

/** Names of event types in the TCG PC Client Platform Firmware Profile. */
const NAME_OF_TYPE: { readonly [type in keyof typeof EVENT_TYPE]: string } = {
  prebootCert: 'EV_PREBOOT_CERT',
  postCode: 'EV_POST_CODE',
  noAction: 'EV_NO_ACTION',
  separator: 'EV_SEPARATOR',
  action: 'EV_ACTION',
  eventTag: 'EV_EVENT_TAG',
  crtmContents: 'EV_S_CRTM_CONTENTS',
  crtmVersion: 'EV_S_CRTM_VERSION',
  cpuMicrocode: 'EV_CPU_MICROCODE',
  platformConfigFlags: 'EV_PLATFORM_CONFIG_FLAGS',
  tableOfDevices: 'EV_TABLE_OF_DEVICES',
  compactHash: 'EV_COMPACT_HASH',
  ipl: 'EV_IPL',
  iplPartitionData: 'EV_IPL_PARTITION_DATA',
  nonhostCode: 'EV_NONHOST_CODE',
  nonhostConfig: 'EV_NONHOST_CONFIG',
  nonhostInfo: 'EV_NONHOST_INFO',
  omitBootDeviceEvents: 'EV_OMIT_BOOT_DEVICE_EVENTS',
  variableDriverConfig: 'EV_EFI_VARIABLE_DRIVER_CONFIG',
  variableBoot: 'EV_EFI_VARIABLE_BOOT',
  bootServicesApplication: 'EV_EFI_BOOT_SERVICES_APPLICATION',
  bootServicesDriver: 'EV_EFI_BOOT_SERVICES_DRIVER',
  runtimeServicesDriver: 'EV_EFI_RUNTIME_SERVICES_DRIVER',
  gptEvent: 'EV_EFI_GPT_EVENT',
  efiAction: 'EV_EFI_ACTION',
  platformFirmwareBlob: 'EV_EFI_PLATFORM_FIRMWARE_BLOB',
  handoffTables: 'EV_EFI_HANDOFF_TABLES',
  platformFirmwareBlob2: 'EV_EFI_PLATFORM_FIRMWARE_BLOB2',
  handoffTables2: 'EV_EFI_HANDOFF_TABLES2',
  variableBoot2: 'EV_EFI_VARIABLE_BOOT2',
  gptEvent2: 'EV_EFI_GPT_EVENT2',
  hcrtmEvent: 'EV_EFI_HCRTM_EVENT',
  variableAuthority: 'EV_EFI_VARIABLE_AUTHORITY',
  spdmFirmwareBlob: 'EV_EFI_SPDM_FIRMWARE_BLOB',
  spdmFirmwareConfig: 'EV_EFI_SPDM_FIRMWARE_CONFIG',
};

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  (Object.keys(EVENT_TYPE) as (keyof typeof EVENT_TYPE)[]).map((type) => [EVENT_TYPE[type], NAME_OF_TYPE[type]]),
);

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

/** Digests in hex, by the names of their algorithms. */
export function digestsByName(digests: readonly EventDigest[]): JsonObject {
  return Object.fromEntries(digests.map(({ algorithm, value }) => [algorithmName(algorithm), hex(value)]));
}

/** ASCII, in one byte or in two (UTF-16), without final NULs; shortened if it is long. Null for other data. */
export function shownText(data: Uint8Array): string | null {
  const readings = [latin1(data), ...(data.byteLength % 2 === 0 ? [utf16le(data)] : [])];
  const text = readings.map(withoutFinalNuls).find((reading) => /^[\t\n\r -~]+$/.test(reading));
  if (text === undefined) return null;
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

/** Not with a regular expression, which would search for the end again from each NUL of a long run. */
function withoutFinalNuls(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end -= 1;
  return text.slice(0, end);
}
