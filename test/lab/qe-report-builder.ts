import { littleEndian, patchBytes } from './byte-patch.js';

const REPORT_LENGTH = 384;

/** MRSIGNER of Intel's quoting enclave for TDs, hex. */
export const TD_QE_MRSIGNER = 'dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5';

/** Fields of the quoting enclave's SGX report. */
export interface QeReportFields {
  /** 16 bytes. */
  readonly cpuSvn: Uint8Array;
  readonly miscSelect: number;
  /** 16 bytes; bit 1 of the first is debug. */
  readonly attributes: Uint8Array;
  readonly mrEnclave: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  /** 64 bytes. */
  readonly reportData: Uint8Array;
}

/** Intel's quoting enclave for TDs, of the level that is up to date. `reportData` is the caller's. */
export function tdQeFields(): QeReportFields {
  return {
    cpuSvn: new Uint8Array(16),
    miscSelect: 0,
    attributes: Uint8Array.of(0x15, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0, 0, 0, 0, 0, 0, 0),
    mrEnclave: new Uint8Array(32).fill(0xe5),
    mrSigner: Uint8Array.from(Buffer.from(TD_QE_MRSIGNER, 'hex')),
    isvProdId: 2,
    isvSvn: 4,
    reportData: new Uint8Array(64),
  };
}

/** Writes the report, 384 bytes. Fields longer than their place run into the next one. */
export function buildQeReport(fields: QeReportFields): Uint8Array {
  return patchBytes(new Uint8Array(REPORT_LENGTH), [
    { offset: 0, bytes: fields.cpuSvn },
    { offset: 16, bytes: littleEndian(fields.miscSelect, 4) },
    { offset: 48, bytes: fields.attributes },
    { offset: 64, bytes: fields.mrEnclave },
    { offset: 128, bytes: fields.mrSigner },
    { offset: 256, bytes: littleEndian(fields.isvProdId, 2) },
    { offset: 258, bytes: littleEndian(fields.isvSvn, 2) },
    { offset: 320, bytes: fields.reportData },
  ]);
}
