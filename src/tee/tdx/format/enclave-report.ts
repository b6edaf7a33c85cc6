import { ByteReader } from '../../../formats/byte-reader.js';

export const ENCLAVE_REPORT_LENGTH = 384;

/**
 * Report of an SGX enclave, here the TD quoting enclave (Intel TDX DCAP Quoting Library API, enclave report body). Not
 * verified.
 */
export type EnclaveReport = Readonly<ReturnType<typeof parseEnclaveReport>>;

/**
 * Reads an enclave report. Ignores reserved bytes: the PCK key signs them, and no rule for them is known.
 *
 * @param bytes exactly 384 bytes: what the PCK key signs
 * @throws {FormatError} `tdx_format`
 */
export function parseEnclaveReport(bytes: Uint8Array) {
  const reader = new ByteReader(bytes, 'tdx_format');
  reader.bytes(16, 'CPUSVN');
  const miscSelect = reader.bytes(4, 'MISCSELECT');
  reader.bytes(28, 'reserved');
  const attributes = reader.bytes(16, 'ATTRIBUTES');
  reader.bytes(32, 'MRENCLAVE');
  reader.bytes(32, 'reserved');
  const mrSigner = reader.bytes(32, 'MRSIGNER');
  reader.bytes(96, 'reserved');
  const isvProdId = reader.u16le('ISVPRODID');
  const isvSvn = reader.u16le('ISVSVN');
  reader.bytes(60, 'reserved');
  const reportData = reader.bytes(64, 'REPORTDATA');
  reader.expectEnd();
  /** Bit 1 of ATTRIBUTES. */
  const debug = ((attributes[0] ?? 0) & 0x02) !== 0;
  return { bytes, miscSelect, attributes, debug, mrSigner, isvProdId, isvSvn, reportData };
}
