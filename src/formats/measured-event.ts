/** TPM_ALG_IDs of digests (TCG Algorithm Registry). */
export const DIGEST_ALGORITHM = { sha1: 0x0004, sha256: 0x000b, sha384: 0x000c, sha512: 0x000d } as const;

/** A bank of registers, by the hash that extends it. */
export type EventBank = keyof typeof DIGEST_ALGORITHM;

/** Length of a digest in bytes. Other algorithms (SM3, SHA-3) have the length that a log says. */
export const BANK_LENGTH: { readonly [bank in EventBank]: number } = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

/** Event types that a replay has to know (TCG PC Client Platform Firmware Profile, Event Types). */
export const EVENT_TYPE = {
  noAction: 0x3,
  separator: 0x4,
  variableDriverConfig: 0x80000001,
  efiAction: 0x80000007,
  variableAuthority: 0x800000e0,
} as const;

/** One event. Only its digests are measured: nothing but the log vouches for type and data. */
export interface MeasuredEvent {
  /** PCR; in a CCEL, measurement register: 0 is MRTD, 1 to 4 are RTMR 0 to 3. */
  readonly index: number;
  /** Null in a Canonical Event Log, whose records have none. */
  readonly type: number | null;
  /** Where the record starts in the log. */
  readonly offset: number;
  /** Under TPM_ALG_IDs, each at most once. */
  readonly digests: readonly EventDigest[];
  readonly data: Uint8Array;
}

export interface EventDigest {
  readonly algorithm: number;
  readonly value: Uint8Array;
}

export type EventLogFormat = 'crypto-agile' | 'sha1-only' | 'cel-tlv' | 'cel-json';

/** An event log, read to its end. Nothing in it is verified. */
export interface EventLog {
  readonly format: EventLogFormat;
  /** The EV_NO_ACTION event in the older form that says how the others are read; null where a log has none. */
  readonly header: MeasuredEvent | null;
  /** Length of digests in bytes, by TPM_ALG_ID. */
  readonly algorithms: ReadonlyMap<number, number>;
  readonly events: readonly MeasuredEvent[];
}

/** A boot makes some 150. Bounds the time that a replay takes, whatever the limit of bytes. */
export const MAXIMUM_EVENTS = 4096;

/** The digest of a bank; null where the event has none. */
export function digestOfBank({ digests }: MeasuredEvent, bank: EventBank): Uint8Array | null {
  return digests.find(({ algorithm }) => algorithm === DIGEST_ALGORITHM[bank])?.value ?? null;
}
