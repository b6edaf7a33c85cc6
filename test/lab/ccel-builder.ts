import { createHash } from 'node:crypto';
import { joinBytes, littleEndian } from './byte-patch.js';

const TPM_ALG_SHA384 = 0x000c;
const DIGEST_LENGTH = 48;
const PADDING_LENGTH = 64;

/** TCG event types that the lab's logs have. */
export const CCEL_EVENT = {
  noAction: 0x00000003,
  separator: 0x00000004,
  action: 0x00000005,
  platformConfigFlags: 0x0000000a,
  ipl: 0x0000000d,
  efiVariableDriverConfig: 0x80000001,
  efiBootServicesApplication: 0x80000003,
  efiAction: 0x80000007,
  efiPlatformFirmwareBlob2: 0x8000000a,
} as const;

/** One event of a confidential computing event log. */
export interface CcelEvent {
  /** Measurement register: 0 is MRTD, 1 to 4 are RTMR 0 to 3. */
  readonly register: number;
  readonly type: number;
  readonly data: Uint8Array;
  /** SHA-384 of the data if left out. */
  readonly digest?: Uint8Array;
}

export interface CcelMaking {
  /** Data of the first event, in place of one that names SHA-384 alone. */
  readonly specId?: Uint8Array;
  /** Bytes after the last event; by default FF, as in the rest of a real log area. */
  readonly padding?: Uint8Array;
}

/** Writes log data of a CCEL: a TCG_PCR_EVENT that says the format, then TCG_PCR_EVENT2s (TCG PC Client PFP 10.2). */
export function buildCcel(events: readonly CcelEvent[], making: CcelMaking = {}): Uint8Array {
  const { specId = specIdEvent(), padding = new Uint8Array(PADDING_LENGTH).fill(0xff) } = making;
  return joinBytes(
    littleEndian(1, 4),
    littleEndian(CCEL_EVENT.noAction, 4),
    new Uint8Array(20),
    littleEndian(specId.byteLength, 4),
    specId,
    ...events.map(event2),
    padding,
  );
}

/** RTMR 0 to 3 after these events: each extends its register by SHA-384 over the value and the digest. */
export function replayCcel(events: readonly CcelEvent[]): [Uint8Array, Uint8Array, Uint8Array, Uint8Array] {
  const replayed = (register: number) =>
    events
      .filter((event) => event.register === register && event.type !== CCEL_EVENT.noAction)
      .reduce((value, event) => sha384(joinBytes(value, digestOf(event))), new Uint8Array(DIGEST_LENGTH) as Uint8Array);
  return [replayed(1), replayed(2), replayed(3), replayed(4)];
}

/** A boot of Linux: firmware, Secure Boot variable, separators, boot loader and command line, in RTMR 0, 1 and 2. */
export function labCcelEvents({ secureBoot = true }: { readonly secureBoot?: boolean } = {}): readonly CcelEvent[] {
  const text = (value: string) => Uint8Array.from(Buffer.from(value, 'latin1'));
  const separator = { type: CCEL_EVENT.separator, data: new Uint8Array(4) };
  return [
    {
      register: 1,
      type: CCEL_EVENT.efiPlatformFirmwareBlob2,
      data: text(')Fv(lab)'),
      digest: sha384(text('firmware')),
    },
    {
      register: 1,
      type: CCEL_EVENT.efiVariableDriverConfig,
      data: efiVariable('SecureBoot', Uint8Array.of(secureBoot ? 1 : 0)),
    },
    { register: 1, ...separator },
    { register: 1, type: CCEL_EVENT.platformConfigFlags, data: text('ACPI DATA'), digest: sha384(text('tables')) },
    { register: 2, type: CCEL_EVENT.efiAction, data: text('Calling EFI Application from Boot Option') },
    { register: 2, ...separator },
    { register: 2, type: CCEL_EVENT.efiBootServicesApplication, data: text('shim'), digest: sha384(text('MZ\0shim')) },
    { register: 3, type: CCEL_EVENT.ipl, data: text('kernel_cmdline: /vmlinuz ro\0'), digest: sha384(text('cmdline')) },
    { register: 2, type: CCEL_EVENT.efiAction, data: text('Exit Boot Services Returned with Success') },
  ];
}

/** UEFI_VARIABLE_DATA of a variable of EFI_GLOBAL_VARIABLE. */
export function efiVariable(name: string, value: Uint8Array): Uint8Array {
  return joinBytes(
    Buffer.from('61dfe48bca93d211aa0d00e098032b8c', 'hex'),
    littleEndian(name.length, 8),
    littleEndian(value.byteLength, 8),
    Buffer.from(name, 'utf16le'),
    value,
  );
}

/** TCG_EfiSpecIDEvent of version 2.0 that names one algorithm. */
function specIdEvent(): Uint8Array {
  return joinBytes(
    Buffer.from('Spec ID Event03\0', 'latin1'),
    littleEndian(0, 4),
    Uint8Array.of(0, 2, 0, 2),
    littleEndian(1, 4),
    littleEndian(TPM_ALG_SHA384, 2),
    littleEndian(DIGEST_LENGTH, 2),
    Uint8Array.of(0),
  );
}

function event2(event: CcelEvent): Uint8Array {
  return joinBytes(
    littleEndian(event.register, 4),
    littleEndian(event.type, 4),
    littleEndian(1, 4),
    littleEndian(TPM_ALG_SHA384, 2),
    digestOf(event),
    littleEndian(event.data.byteLength, 4),
    event.data,
  );
}

function digestOf({ digest, data }: CcelEvent): Uint8Array {
  return digest ?? sha384(data);
}

function sha384(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha384').update(bytes).digest());
}
