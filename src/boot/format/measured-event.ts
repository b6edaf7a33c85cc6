/** TPM_ALG_IDs of digests (TCG Algorithm Registry). */
export const DIGEST_ALGORITHM = { sha1: 0x0004, sha256: 0x000b, sha384: 0x000c, sha512: 0x000d } as const;

/** A bank of registers, by the hash that extends it. */
export type EventBank = keyof typeof DIGEST_ALGORITHM;

/** Length of a digest in bytes. For other algorithms (SM3, SHA-3) the log states the length. */
export const BANK_LENGTH: { readonly [bank in EventBank]: number } = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

/** Event types (TCG PC Client Platform Firmware Profile, Event Types). */
export const EVENT_TYPE = {
  prebootCert: 0x00,
  postCode: 0x01,
  noAction: 0x03,
  separator: 0x04,
  action: 0x05,
  eventTag: 0x06,
  crtmContents: 0x07,
  crtmVersion: 0x08,
  cpuMicrocode: 0x09,
  platformConfigFlags: 0x0a,
  tableOfDevices: 0x0b,
  compactHash: 0x0c,
  ipl: 0x0d,
  iplPartitionData: 0x0e,
  nonhostCode: 0x0f,
  nonhostConfig: 0x10,
  nonhostInfo: 0x11,
  omitBootDeviceEvents: 0x12,
  variableDriverConfig: 0x80000001,
  variableBoot: 0x80000002,
  bootServicesApplication: 0x80000003,
  bootServicesDriver: 0x80000004,
  runtimeServicesDriver: 0x80000005,
  gptEvent: 0x80000006,
  efiAction: 0x80000007,
  platformFirmwareBlob: 0x80000008,
  handoffTables: 0x80000009,
  platformFirmwareBlob2: 0x8000000a,
  handoffTables2: 0x8000000b,
  variableBoot2: 0x8000000c,
  gptEvent2: 0x8000000d,
  hcrtmEvent: 0x80000010,
  variableAuthority: 0x800000e0,
  spdmFirmwareBlob: 0x800000e1,
  spdmFirmwareConfig: 0x800000e2,
} as const;

/** One event. Only its digests are measured: type and data are statements of the log. */
export interface MeasuredEvent {
  /** PCR; in a CCEL, measurement register: 0 is MRTD, 1 to 4 are RTMR 0 to 3. */
  readonly index: number;
  /** Null in a Canonical Event Log, whose records have no type. */
  readonly type: number | null;
  /** Offset of the record in the log. */
  readonly offset: number;
  /** Digests by TPM_ALG_ID, each at most once. */
  readonly digests: readonly EventDigest[];
  readonly data: Uint8Array;
}

export interface EventDigest {
  readonly algorithm: number;
  readonly value: Uint8Array;
}

export type EventLogFormat = 'crypto-agile' | 'sha1-only' | 'cel-tlv' | 'cel-json';

/** A parsed event log. Nothing in it is verified. */
export interface EventLog {
  readonly format: EventLogFormat;
  /** The EV_NO_ACTION event in the older form that defines the format of the others; null if the log has none. */
  readonly header: MeasuredEvent | null;
  /** Length of digests in bytes, by TPM_ALG_ID. */
  readonly algorithms: ReadonlyMap<number, number>;
  readonly events: readonly MeasuredEvent[];
}

/** A boot makes some 150. Bounds the time of a replay, independent of the limit of bytes. */
export const MAXIMUM_EVENTS = 2048;

/** The digest of a bank; null if the event has none. */
export function digestOfBank({ digests }: MeasuredEvent, bank: EventBank): Uint8Array | null {
  return digests.find(({ algorithm }) => algorithm === DIGEST_ALGORITHM[bank])?.value ?? null;
}
