import { createHash } from 'node:crypto';
import type { PcrBank } from '../../src/core/evidence.js';
import { bigEndian, joinBytes, littleEndian } from './byte-patch.js';
import type { CcelEvent } from './ccel-builder.js';
import type { VirtualTpm } from './vtpm.js';

/** TCG event types that the lab's boots have. */
export const LOG_EVENT = {
  noAction: 0x00000003,
  separator: 0x00000004,
  tag: 0x00000006,
  crtmVersion: 0x00000008,
  platformConfigFlags: 0x0000000a,
  ipl: 0x0000000d,
  variableDriverConfig: 0x80000001,
  variableBoot: 0x80000002,
  application: 0x80000003,
  driver: 0x80000004,
  gpt: 0x80000006,
  action: 0x80000007,
  firmwareBlob: 0x80000008,
  variableAuthority: 0x800000e0,
} as const;

/** One event of a TPM's event log. */
export interface LogEvent {
  readonly pcr: number;
  readonly type: number;
  /** The content of the log. */
  readonly data: Uint8Array;
  /** The hashed bytes; defaults to the data. EV_NO_ACTION has zeros as digests. */
  readonly measured?: Uint8Array;
}

const ALGORITHM: { readonly [bank in PcrBank]: number } = { sha1: 0x04, sha256: 0x0b, sha384: 0x0c, sha512: 0x0d };
const LENGTH: { readonly [bank in PcrBank]: number } = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

export interface EventLogMaking {
  /** SHA-1 and SHA-256 if left out. */
  readonly banks?: readonly PcrBank[];
  /** Bytes after the last event; none by default. */
  readonly padding?: Uint8Array;
}

/** A crypto agile event log: a TCG_PCR_EVENT that names the banks, then TCG_PCR_EVENT2s (TCG PC Client PFP, 10.2). */
export function buildEventLog(events: readonly LogEvent[], making: EventLogMaking = {}): Uint8Array {
  const { banks = ['sha1', 'sha256'], padding = new Uint8Array() } = making;
  const specId = joinBytes(
    latin1('Spec ID Event03\0'),
    littleEndian(0, 4),
    Uint8Array.of(0, 2, 0, 2),
    littleEndian(banks.length, 4),
    ...banks.flatMap((bank) => [littleEndian(ALGORITHM[bank], 2), littleEndian(LENGTH[bank], 2)]),
    Uint8Array.of(0),
  );
  const header = { pcr: 0, type: LOG_EVENT.noAction, data: specId };
  return joinBytes(sha1Event(header), ...events.map((event) => event2(event, banks)), padding);
}

/** An event log of SHA-1 digests alone: TCG_PCR_EVENT throughout. */
export function buildSha1EventLog(events: readonly LogEvent[], padding: Uint8Array = new Uint8Array()): Uint8Array {
  return joinBytes(...events.map(sha1Event), padding);
}

function sha1Event(event: LogEvent): Uint8Array {
  return joinBytes(
    littleEndian(event.pcr, 4),
    littleEndian(event.type, 4),
    loggedDigest(event, 'sha1'),
    littleEndian(event.data.byteLength, 4),
    event.data,
  );
}

function event2(event: LogEvent, banks: readonly PcrBank[]): Uint8Array {
  return joinBytes(
    littleEndian(event.pcr, 4),
    littleEndian(event.type, 4),
    littleEndian(banks.length, 4),
    ...banks.flatMap((bank) => [littleEndian(ALGORITHM[bank], 2), loggedDigest(event, bank)]),
    littleEndian(event.data.byteLength, 4),
    event.data,
  );
}

export interface CanonicalMaking {
  /** SHA-256 alone if left out. */
  readonly banks?: readonly PcrBank[];
  /** Type of the content of each record in TLV; 80, of Container-Optimized OS, if left out. */
  readonly contentType?: number;
}

/** A Canonical Event Log as TLV (TCG CEL, 5.1): record number, PCR, digests, content. */
export function buildCelTlv(events: readonly LogEvent[], making: CanonicalMaking = {}): Uint8Array {
  const { banks = ['sha256'], contentType = 80 } = making;
  return joinBytes(
    ...events.flatMap((event, number) => [
      tlv(0, bigEndian(number, 8)),
      tlv(1, Uint8Array.of(event.pcr)),
      tlv(3, joinBytes(...banks.map((bank) => tlv(ALGORITHM[bank], loggedDigest(event, bank))))),
      tlv(contentType, event.data),
    ]),
  );
}

/** One TLV of a Canonical Event Log: type, length in big endian, value. */
export function tlv(type: number, value: Uint8Array): Uint8Array {
  return joinBytes(Uint8Array.of(type), bigEndian(value.byteLength, 4), value);
}

/** `sequence` is RFC 7464, as systemd writes its log. */
export type CelJsonForm = 'array' | 'sequence' | 'lines';

/** A Canonical Event Log as JSON, with the text of each event as its content. */
export function buildCelJson(
  events: readonly LogEvent[],
  form: CelJsonForm = 'sequence',
  banks: readonly PcrBank[] = ['sha256'],
): Uint8Array {
  const records = events.map((event) =>
    JSON.stringify({
      pcr: event.pcr,
      digests: banks.map((bank) => ({ hashAlg: bank, digest: hexOf(loggedDigest(event, bank)) })),
      content_type: 'systemd',
      content: { string: Buffer.from(event.data).toString('utf8'), bootId: '00', timestamp: 1, eventType: 'phase' },
    }),
  );
  if (form === 'array') return utf8(`[${records.join(',')}]`);
  return utf8(records.map((record) => `${form === 'sequence' ? '\x1e' : ''}${record}\n`).join(''));
}

/** PCRs that these events extend, in one bank. */
export function replayEvents(events: readonly LogEvent[], bank: PcrBank): ReadonlyMap<number, Uint8Array> {
  const values = new Map<number, Uint8Array>();
  for (const event of events) {
    if (event.type === LOG_EVENT.noAction) {
      const isLocality = latin1('StartupLocality\0').every((byte, index) => event.data[index] === byte);
      if (isLocality) values.set(0, joinBytes(new Uint8Array(LENGTH[bank] - 1), event.data.subarray(-1)));
      continue;
    }
    const before = values.get(event.pcr) ?? resetValue(event.pcr, bank);
    values.set(event.pcr, hash(bank, joinBytes(before, loggedDigest(event, bank))));
  }
  return values;
}

/** Resets a TPM, then extends its PCRs by these events, in all banks. */
export function measureInto(tpm: VirtualTpm, events: readonly LogEvent[]): void {
  for (const bank of Object.keys(ALGORITHM) as PcrBank[]) {
    const replayed = replayEvents(events, bank);
    for (let pcr = 0; pcr < 24; pcr++) tpm.setPcr(bank, pcr, replayed.get(pcr) ?? resetValue(pcr, bank));
  }
}

function resetValue(pcr: number, bank: PcrBank): Uint8Array {
  return new Uint8Array(LENGTH[bank]).fill(pcr >= 17 && pcr <= 22 ? 0xff : 0);
}

/** The register of a TD that takes what a PCR takes on a PC (UEFI 2.10, 38.4.1). */
const REGISTER_OF_PCR = [0, 1, 2, 2, 2, 2, 2, 1];

/** The same boot of a TD, whose firmware measures PCR 0 into MRTD, which no event extends. */
export function asCcelEvents(events: readonly LogEvent[]): readonly CcelEvent[] {
  return events
    .filter(({ pcr }) => pcr !== 0)
    .map(({ pcr, type, data, measured = data }) => ({
      register: REGISTER_OF_PCR[pcr] ?? 3,
      type,
      data,
      digest: hash('sha384', measured),
    }));
}

export interface FirmwareOptions {
  /** On if left out. */
  readonly secureBoot?: boolean;
  /** Byte of a StartupLocality event; no event if left out. */
  readonly locality?: number;
  /** Contents of SecureBoot as they stand. */
  readonly secureBootContents?: Uint8Array;
}

const SEPARATOR = new Uint8Array(4);
/** EFI_GLOBAL_VARIABLE and EFI_IMAGE_SECURITY_DATABASE_GUID, as firmware writes them. */
const GLOBAL_GUID = '61dfe48bca93d211aa0d00e098032b8c';
const DATABASE_GUID = 'cbb219d73a3d9645a3bcdad00e67656f';

/** UEFI_VARIABLE_DATA of a variable of Secure Boot, under its vendor GUID. */
export function secureBootVariable(name: string, contents: Uint8Array): Uint8Array {
  return joinBytes(
    Buffer.from(name.startsWith('db') ? DATABASE_GUID : GLOBAL_GUID, 'hex'),
    littleEndian(name.length, 8),
    littleEndian(contents.byteLength, 8),
    Buffer.from(name, 'utf16le'),
    contents,
  );
}

export function separatorEvent(pcr: number, data: Uint8Array = SEPARATOR): LogEvent {
  return { pcr, type: LOG_EVENT.separator, data };
}

export function localityEvent(locality: number): LogEvent {
  return {
    pcr: 0,
    type: LOG_EVENT.noAction,
    data: joinBytes(latin1('StartupLocality\0'), Uint8Array.of(locality)),
  };
}

/** Measurements of a firmware up to the boot loader: its separators, the variables of Secure Boot, and one driver. */
export function firmwareEvents(options: FirmwareOptions = {}): readonly LogEvent[] {
  const { secureBoot = true, locality, secureBootContents = Uint8Array.of(secureBoot ? 1 : 0) } = options;
  const variable = (name: string, contents: Uint8Array) => ({
    pcr: 7,
    type: LOG_EVENT.variableDriverConfig,
    data: secureBootVariable(name, contents),
  });
  return [
    ...(locality === undefined ? [] : [localityEvent(locality)]),
    { pcr: 0, type: LOG_EVENT.crtmVersion, data: Buffer.from('1.0\0', 'utf16le') },
    { pcr: 0, type: LOG_EVENT.firmwareBlob, data: new Uint8Array(16).fill(1), measured: latin1('the firmware') },
    variable('SecureBoot', secureBootContents),
    ...['PK', 'KEK', 'db', 'dbx'].map((name) => variable(name, latin1(`contents of ${name}`))),
    separatorEvent(7),
    { pcr: 2, type: LOG_EVENT.driver, data: new Uint8Array(32).fill(2), measured: latin1('MZ\0 option ROM') },
    {
      pcr: 1,
      type: LOG_EVENT.variableBoot,
      data: secureBootVariable('Boot0000', latin1('path')),
      measured: latin1('path'),
    },
    { pcr: 4, type: LOG_EVENT.action, data: latin1('Calling EFI Application from Boot Option') },
    ...[0, 1, 2, 3, 4, 5, 6].map((pcr) => separatorEvent(pcr)),
    { pcr: 5, type: LOG_EVENT.gpt, data: latin1('EFI PART\0\0\x01\0 partitions') },
    ...(secureBoot
      ? [{ pcr: 7, type: LOG_EVENT.variableAuthority, data: secureBootVariable('db', latin1('the key of shim')) }]
      : []),
  ];
}

/** An image that was started: the log has a device path, and the digest is of the image. */
export function applicationEvent(image: string, pcr = 4): LogEvent {
  const data = joinBytes(new Uint8Array(32), latin1(`\x04\x04${image}`));
  return { pcr, type: LOG_EVENT.application, data, measured: imageOf(image) };
}

/** Bytes in place of an image that is hashed by Authenticode. */
export function imageOf(image: string): Uint8Array {
  return latin1(`MZ\0 ${image}`);
}

/** The text of GRUB, after a label that is not hashed. */
export function grubEvent(label: string, text: string): LogEvent {
  return { pcr: 8, type: LOG_EVENT.ipl, data: latin1(`${label}${text}\0`), measured: latin1(text) };
}

/** A file that GRUB read: the log has its name, and the digest is of its contents. */
export function grubFile(name: string, contents = `contents of ${name}`): LogEvent {
  return { pcr: 9, type: LOG_EVENT.ipl, data: latin1(`${name}\0`), measured: latin1(contents) };
}

const EXIT: readonly LogEvent[] = ['Exit Boot Services Invocation', 'Exit Boot Services Returned with Success'].map(
  (text) => ({ pcr: 5, type: LOG_EVENT.action, data: latin1(text) }),
);

export interface GrubBootOptions extends FirmwareOptions {
  /** Path of the kernel and its command line. */
  readonly commandLine?: string;
}

export const GRUB_COMMAND_LINE = '/vmlinuz root=LABEL=root ro console=ttyS0';

/** Firmware, shim, GRUB and Linux. */
export function grubBoot({ commandLine = GRUB_COMMAND_LINE, ...firmware }: GrubBootOptions = {}): readonly LogEvent[] {
  const mok = (name: string) => ({
    pcr: 14,
    type: LOG_EVENT.ipl,
    data: latin1(`${name}\0`),
    measured: latin1(`contents of ${name}`),
  });
  return [
    ...firmwareEvents(firmware),
    applicationEvent('shim'),
    mok('MokList'),
    mok('MokListX'),
    applicationEvent('grub'),
    grubFile('(hd0,gpt1)/EFI/lab/grub.cfg'),
    grubEvent('grub_cmd: ', 'set default=0'),
    grubEvent('grub_cmd: ', '[ -d /boot ]'),
    grubEvent('grub_cmd: ', "menuentry 'Linux' --class gnu {\n\tlinux /vmlinuz rescue\n}"),
    grubEvent('grub_cmd: ', `linux ${commandLine}`),
    grubFile('/vmlinuz'),
    grubEvent('kernel_cmdline: ', commandLine),
    grubEvent('grub_cmd: ', 'initrd /initrd.img'),
    grubFile('/initrd.img'),
    applicationEvent('kernel'),
    ...EXIT,
  ];
}

export interface UkiBootOptions extends FirmwareOptions {
  /** The text that systemd-boot passes to the stub; none if null. */
  readonly commandLine?: string | null;
  /** The section `.cmdline` of the image. */
  readonly section?: string;
}

export const UKI_COMMAND_LINE = 'root=LABEL=root ro quiet';

/** Firmware, systemd-boot and a unified kernel image: sections in PCR 11, the command line in UTF-16 in PCR 12. */
export function ukiBoot(options: UkiBootOptions = {}): readonly LogEvent[] {
  const { commandLine = UKI_COMMAND_LINE, section = 'root=LABEL=uki ro', ...firmware } = options;
  return [
    ...firmwareEvents(firmware),
    applicationEvent('systemd-boot'),
    applicationEvent('uki'),
    ...sectionEvents('.linux', 'the kernel'),
    ...sectionEvents('.osrel', 'ID=lab'),
    ...sectionEvents('.cmdline', section),
    ...sectionEvents('.initrd', 'the initrd'),
    ...(commandLine === null ? [] : [stubCommandLine(commandLine)]),
    ...EXIT,
  ];
}

/** Name and contents of a section as systemd-stub measures them: the log has the name twice, in UTF-16. */
export function sectionEvents(name: string, contents: string, pcr = 11): readonly LogEvent[] {
  const data = Buffer.from(`${name}\0`, 'utf16le');
  return [latin1(`${name}\0`), latin1(contents)].map((measured) => ({ pcr, type: LOG_EVENT.ipl, data, measured }));
}

/** A command line in UTF-16, hashed with its NUL. */
export function stubCommandLine(text: string, pcr = 12): LogEvent {
  return { pcr, type: LOG_EVENT.ipl, data: Buffer.from(`${text}\0`, 'utf16le') };
}

/** Firmware and Windows: lists of tagged values in PCR 11 to 14, and its own separators. */
export function windowsBoot(firmware: FirmwareOptions = {}): readonly LogEvent[] {
  const tagged = (pcr: number, ...values: readonly (readonly [number, number])[]) => ({
    pcr,
    type: LOG_EVENT.tag,
    data: joinBytes(
      ...values.flatMap(([tag, value]) => [littleEndian(tag, 4), littleEndian(4, 4), littleEndian(value, 4)]),
    ),
  });
  return [
    ...firmwareEvents(firmware),
    applicationEvent('bootmgfw'),
    applicationEvent('winload'),
    tagged(11, [0x00040001, 1]),
    tagged(12, [0x00050001, 0], [0x00020002, 7]),
    tagged(13, [0x00070001, 9]),
    ...[12, 13, 14].map((pcr) => separatorEvent(pcr, latin1('WBCL'))),
    ...EXIT,
  ];
}

/** Phases of systemd, as its own log has them. */
export function systemdPhases(...phases: readonly string[]): readonly LogEvent[] {
  return phases.map((phase) => ({ pcr: 11, type: LOG_EVENT.ipl, data: latin1(phase) }));
}

/** Words by which systemd 261 extends registers before it leaves the initrd, and PCR 9 after its NV indices. */
export function systemSeparators(): readonly LogEvent[] {
  const os = [0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 14].map((pcr) => ({ pcr, word: 'os-separator' }));
  return [{ pcr: 9, word: 'nvpcr-separator' }, ...os].map(({ pcr, word }) => ({
    pcr,
    type: LOG_EVENT.ipl,
    data: latin1(word),
  }));
}

function loggedDigest({ type, data, measured = data }: LogEvent, bank: PcrBank): Uint8Array {
  return type === LOG_EVENT.noAction ? new Uint8Array(LENGTH[bank]) : hash(bank, measured);
}

function hash(bank: PcrBank, bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash(bank).update(bytes).digest());
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

function utf8(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'utf8'));
}
