import { FormatError } from '../../../core/errors.js';

export const TD_REPORT_LENGTH = 1024;

/**
 * TDREPORT_STRUCT (Intel TDX Module ABI Specification). It has a MAC for its own machine and no signature. So a remote
 * verifier can only rely on the fields that a quote confirms.
 */
export type TdReport = Readonly<ReturnType<typeof parseTdReport>>;

const REPORT_TYPE_TDX = 0x81;

/**
 * Whether bytes begin with a TDREPORT: at least its length, and its report type. Other bytes may follow, such as the
 * zeros in a report of the paravisor. No quote begins with this type.
 */
export function isTdReport(bytes: Uint8Array): boolean {
  return bytes.byteLength >= TD_REPORT_LENGTH && bytes[0] === REPORT_TYPE_TDX && bytes[1] === 0;
}

/**
 * Reads a TDREPORT. Checks length and report type only. The verifier checks its hashes.
 *
 * @param bytes exactly 1024 bytes
 * @throws {FormatError} `tdx_format`
 */
export function parseTdReport(bytes: Uint8Array) {
  if (bytes.byteLength !== TD_REPORT_LENGTH) {
    throw new FormatError('tdx_format', `TDREPORT is ${bytes.byteLength} bytes, expected ${TD_REPORT_LENGTH}`);
  }
  if (!isTdReport(bytes)) throw new FormatError('tdx_format', 'report type is not that of TDX');
  const field = (start: number, length: number) => bytes.subarray(start, start + length);
  return {
    /** SHA-384 of `teeTcbInfo` and of `tdInfo`, as stated in the report. */
    teeTcbInfoHash: field(32, 48),
    tdInfoHash: field(80, 48),
    /** Bytes 256 to 494, TEE_TCB_INFO. */
    teeTcbInfo: field(256, 239),
    /** Bytes 512 to 1023, TDINFO. */
    tdInfo: field(512, 512),
    reportData: field(128, 64),
    teeTcbSvn: field(264, 16),
    mrSeam: field(280, 48),
    mrSignerSeam: field(328, 48),
    seamAttributes: field(376, 8),
    teeTcbSvn2: field(384, 16),
    tdAttributes: field(512, 8),
    xfam: field(520, 8),
    mrTd: field(528, 48),
    mrConfigId: field(576, 48),
    mrOwner: field(624, 48),
    mrOwnerConfig: field(672, 48),
    rtmr: [field(720, 48), field(768, 48), field(816, 48), field(864, 48)] as const,
    /** SERVTD_HASH, which is MRSERVICETD in a quote. */
    servTdHash: field(912, 48),
  };
}
