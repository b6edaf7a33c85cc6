/**
 * How a finding about the order of events counts. `fault`: no firmware writes such a log. `warning`: it violates the
 * specification, but real firmware writes it. `note`: it is allowed.
 */
export type OrderWeight = 'fault' | 'warning' | 'note';

/** The meaning of a register for a boot, and how its events are read. */
export interface RegisterLayout {
  readonly kind: 'PCR' | 'RTMR';
  /** The display name of a register: `PCR 7`, `RTMR 0`. */
  name(index: number): string;
  /** The number of a register in claims. */
  number(index: number): number;
  /** Indices that events may extend. */
  readonly indices: readonly number[];
  /** Byte that fills a register at a reset. */
  initialByte(index: number): number;
  /** Indices that only firmware extends: if the log does not replay to one of these, the decision is deny. */
  readonly ofFirmware: ReadonlySet<number>;
  /** Indices that an OS extends while it runs, without entries in the log of the firmware. */
  readonly ofSystem: ReadonlySet<number>;
  /** Indices that systemd extends by its separator, even if its log was not sent. */
  readonly osSeparator: ReadonlySet<number>;
  /** Whether a policy may name further registers that the log need not explain. */
  readonly excusable: boolean;
  /** How a second separator counts, by index. */
  readonly secondSeparator: ReadonlyMap<number, OrderWeight>;
  /** Indices with settings of the firmware, which may be any bytes. */
  readonly ofSettings: ReadonlySet<number>;
  /** Register with Secure Boot's variables and authorities. */
  readonly secureBoot: number;
  /** Whether the register has no other events. */
  readonly secureBootAlone: boolean;
  /** Registers with started images. */
  readonly applications: readonly ApplicationRegister[];
  /** Registers with command lines and files, and the form of their events. */
  readonly loader: readonly LoaderRegister[];
  /** Register with the lists of shim. */
  readonly mokList: number;
}

export interface ApplicationRegister {
  readonly index: number;
  /** Whether images follow the separator. Drivers of option ROMs come before it, and do not count. */
  readonly afterSeparator: boolean;
}

/**
 * - `text`: commands and command lines of GRUB, as text. - `stub`: command lines of systemd-stub, or what Windows measures.
 * - `files`: files that GRUB read, and load options of the kernel's EFI stub, each as its digest.
 * - `sections`: sections of a unified kernel image, each announced by its name.
 * - `mixed`: all of these in one register.
 */
export type LoaderContents = 'text' | 'stub' | 'files' | 'sections' | 'mixed';

export interface LoaderRegister {
  readonly index: number;
  readonly contents: LoaderContents;
}

/** Whether sections of a unified kernel image are measured into a register of a loader. */
export function hasSections(contents: LoaderContents): boolean {
  return contents === 'sections' || contents === 'mixed';
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** PCRs of a PC (TCG PC Client Platform Firmware Profile, PCR Usage; for 8 to 15, GRUB, shim and systemd). */
export const PCR_LAYOUT: RegisterLayout = {
  kind: 'PCR',
  name: (index) => `PCR ${index}`,
  number: (index) => index,
  indices: range(0, 23),
  // Only a dynamic launch resets 17 to 22 to zero.
  initialByte: (index) => (index >= 17 && index <= 22 ? 0xff : 0),
  ofFirmware: new Set(range(0, 7)),
  // Any software may reset and extend 16 and 23, so they are not read either.
  ofSystem: new Set([...range(8, 15), 16, 23]),
  osSeparator: new Set([...range(0, 7), 9, ...range(12, 14)]),
  excusable: true,
  // Images and Secure Boot depend on the position of the separator in 2, 4 and 7.
  secondSeparator: new Map(range(0, 7).map((index) => [index, [2, 4, 7].includes(index) ? 'fault' : 'warning'])),
  ofSettings: new Set([1, 3, 5, 6]),
  secureBoot: 7,
  secureBootAlone: true,
  applications: [
    { index: 4, afterSeparator: false },
    { index: 2, afterSeparator: true },
  ],
  loader: [
    { index: 8, contents: 'text' },
    { index: 9, contents: 'files' },
    { index: 11, contents: 'sections' },
    { index: 12, contents: 'stub' },
  ],
  mokList: 14,
};

/**
 * Registers of a TD by their index in a CCEL (UEFI 2.10, 38.4.1): 1 takes what PCR 1 and 7 take on a PC, 2 what PCR 2 to 6
 * take, 3 what PCR 8 to 15 take; 4 is for applications. 0 is MRTD, which no event extends.
 */
export const RTMR_LAYOUT: RegisterLayout = {
  kind: 'RTMR',
  name: (index) => `RTMR ${index - 1}`,
  number: (index) => index - 1,
  indices: range(1, 4),
  initialByte: () => 0,
  ofFirmware: new Set([1, 2]),
  ofSystem: new Set([3, 4]),
  // Deliberately empty: no known version of systemd extends an RTMR by it.
  osSeparator: new Set(),
  excusable: false,
  // A register has the separators of several PCRs.
  secondSeparator: new Map(range(1, 4).map((index) => [index, 'note'])),
  ofSettings: new Set(),
  secureBoot: 1,
  secureBootAlone: false,
  applications: [{ index: 2, afterSeparator: false }],
  loader: [{ index: 3, contents: 'mixed' }],
  mokList: 3,
};
