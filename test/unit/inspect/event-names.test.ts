import { expect, it } from 'vitest';
import { EVENT_TYPE } from '../../../src/boot/format/measured-event.js';
import { isKnownType, typeName } from '../../../src/inspect/event-names.js';

/** TCG PC Client Platform Firmware Profile, Event Types: written down again, not read from the table under test. */
const SPECIFICATION: ReadonlyMap<number, string> = new Map([
  [0x00, 'EV_PREBOOT_CERT'],
  [0x01, 'EV_POST_CODE'],
  [0x03, 'EV_NO_ACTION'],
  [0x04, 'EV_SEPARATOR'],
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

it.each([...SPECIFICATION])('type %d is %s', (type, name) => {
  expect(typeName(type)).toBe(name);
  expect(isKnownType(type)).toBe(true);
});

it('has no type beside those of the specification, and none twice', () => {
  const ascending = (numbers: Iterable<number>) => [...numbers].toSorted((a, b) => a - b);
  expect(ascending(Object.values(EVENT_TYPE))).toEqual(ascending(SPECIFICATION.keys()));
});

it('shows the number of any other type, and says that a record of a Canonical Event Log has none', () => {
  expect([0x02, 0x13, 0x8000000e].map(typeName)).toEqual(['0x2', '0x13', '0x8000000e']);
  expect(isKnownType(0x02)).toBe(false);
  expect(typeName(null)).toBe('CEL record');
});
