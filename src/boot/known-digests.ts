import { fromHex, fromLatin1, fromUtf16le, hex, joined } from '../core/bytes.js';
import { digest } from '../crypto/digest.js';
import type { EventBank } from './format/measured-event.js';

/** The meaning of an event by its digest alone, independent of other members in the log. */
export type KnownEvent =
  | { readonly kind: 'separator'; readonly of: 'zero' | 'error' }
  | { readonly kind: 'secureBoot' }
  | { readonly kind: 'debugMode' }
  | { readonly kind: 'shimChecksNothing' }
  | { readonly kind: 'dmaProtectionOff' }
  | { readonly kind: 'systemSeparator' }
  | { readonly kind: 'section'; readonly name: string };

/** Sections of a unified kernel image that systemd-stub measures (systemd-stub(7)), each name with its NUL. */
const SECTIONS = [
  '.linux',
  '.osrel',
  '.cmdline',
  '.initrd',
  '.ucode',
  '.splash',
  '.dtb',
  '.dtbauto',
  '.hwids',
  '.uname',
  '.sbat',
  '.pcrpkey',
  '.profile',
  '.efifw',
];

/** A debugger was on (TCG PC Client PFP, PCR[7]); some firmware hashes the NUL too. */
const DEBUG_MODE = ['UEFI Debug Mode', 'UEFI Debug Mode\0'];
const DMA_PROTECTION_OFF = ['DMA Protection Disabled', 'DMA Protection Disabled\0'];

/** The word by which systemd extends every register of the boot before it leaves the initrd (systemd-pcrosseparator.service(8), from 261). */
export const OS_SEPARATOR = 'os-separator';

/** That word, and the word after the setup of NV indices (systemd-pcrnvdone.service(8)). */
const SYSTEM_SEPARATORS = [OS_SEPARATOR, 'nvpcr-separator'];

/** UEFI_VARIABLE_DATA of SecureBoot up to the length of its contents, and its name. */
const SECURE_BOOT_START = fromHex('61dfe48bca93d211aa0d00e098032b8c0a00000000000000');
const SECURE_BOOT_NAME = fromUtf16le('SecureBoot');

/** Every content that firmware gives the variable: off, on, and empty if the machine has no Secure Boot. */
const SECURE_BOOT_CONTENTS = [Uint8Array.of(0), Uint8Array.of(1), new Uint8Array()];

/** UEFI_VARIABLE_DATA of MokSBState, 1: shim starts any image unchecked (shim, README.tpm and MokVars.txt). */
const SHIM_CHECKS_NOTHING = joined([
  fromHex('50ab5d6046e00043abb63dd810dd8b230a000000000000000100000000000000'),
  fromUtf16le('MokSBState'),
  Uint8Array.of(1),
]);

const byBank = new Map<EventBank, ReadonlyMap<string, KnownEvent>>();

/** Returns null if the digest is not the same on every machine. */
export function knownEvent(bank: EventBank, measured: Uint8Array): KnownEvent | null {
  const known = byBank.get(bank) ?? knownEvents(bank);
  byBank.set(bank, known);
  return known.get(hex(measured)) ?? null;
}

function knownEvents(bank: EventBank): ReadonlyMap<string, KnownEvent> {
  const known: readonly (readonly [Uint8Array, KnownEvent])[] = [
    [new Uint8Array(4), { kind: 'separator', of: 'zero' }],
    [new Uint8Array(4).fill(0xff), { kind: 'separator', of: 'error' }],
    ...SECURE_BOOT_CONTENTS.map((contents) => [secureBootData(contents), { kind: 'secureBoot' }] as const),
    [SHIM_CHECKS_NOTHING, { kind: 'shimChecksNothing' }],
    ...DEBUG_MODE.map((text) => [fromLatin1(text), { kind: 'debugMode' }] as const),
    ...DMA_PROTECTION_OFF.map((text) => [fromLatin1(text), { kind: 'dmaProtectionOff' }] as const),
    ...SYSTEM_SEPARATORS.map((word) => [fromLatin1(word), { kind: 'systemSeparator' }] as const),
    ...SECTIONS.map((name) => [fromLatin1(`${name}\0`), { kind: 'section', name }] as const),
  ];
  return new Map(known.map(([data, event]) => [hex(digest(bank, [data])), event]));
}

function secureBootData(contents: Uint8Array): Uint8Array {
  const length = Uint8Array.of(contents.byteLength, 0, 0, 0, 0, 0, 0, 0);
  return joined([SECURE_BOOT_START, length, SECURE_BOOT_NAME, contents]);
}
