import { littleEndian } from './byte-patch.js';

/** Where the runtime claims begin. */
const CLAIMS_OFFSET = 0x4d4;
const HARDWARE_AREA = 0x4a0;
/** Size of the NV index that a guest reads the report from. */
const NV_INDEX_SIZE = 2600;

/** Fields of a report of the Azure paravisor. Sizes that are left out are the right ones. */
export interface HclReportFields {
  /** Bytes 0 to 3, `HCLA`. */
  readonly signature?: Uint8Array;
  readonly version?: number;
  readonly reportSize?: number;
  readonly requestType?: number;
  readonly status?: number;
  /** 12 bytes. */
  readonly reserved?: Uint8Array;
  /** Filled with zeros up to 1184 bytes. */
  readonly hardwareReport: Uint8Array;
  readonly dataSize?: number;
  readonly requestDataVersion?: number;
  /** 1 VBS, 2 SNP, 3 TVM, 4 TDX, 5 CCA. */
  readonly reportType?: number;
  /** 1 SHA-256, 2 SHA-384, 3 SHA-512. */
  readonly hashType?: number;
  readonly variableDataSize?: number;
  readonly runtimeClaims: Uint8Array;
  /** Bytes after the claims; by default zeros up to the size of the NV index. */
  readonly padding?: Uint8Array;
}

/** Writes the report as a guest reads it from NV index 0x01400001. Nothing is checked. */
export function buildHclReport(fields: HclReportFields): Uint8Array {
  const { runtimeClaims } = fields;
  const word = (value: number) => littleEndian(value, 4);
  const size = runtimeClaims.byteLength;
  const hardware = new Uint8Array(HARDWARE_AREA);
  hardware.set(fields.hardwareReport);
  const filling = Math.max(0, NV_INDEX_SIZE - CLAIMS_OFFSET - size);
  return Uint8Array.from(
    Buffer.concat([
      fields.signature ?? Buffer.from('HCLA', 'ascii'),
      word(fields.version ?? 2),
      word(fields.reportSize ?? CLAIMS_OFFSET + size),
      word(fields.requestType ?? 2),
      word(fields.status ?? 0),
      fields.reserved ?? new Uint8Array(12),
      hardware,
      word(fields.dataSize ?? 20 + size),
      word(fields.requestDataVersion ?? 1),
      word(fields.reportType ?? 2),
      word(fields.hashType ?? 1),
      word(fields.variableDataSize ?? size),
      runtimeClaims,
      fields.padding ?? new Uint8Array(filling),
    ]),
  );
}
