import { FormatError } from '../model/errors.js';

export const TD_REPORT_LENGTH = 1024;

/**
 * TDREPORT_STRUCT (Intel TDX Module ABI Specification). It has a MAC for its own machine and no signature, so that for a
 * remote verifier nothing of it counts but what a quote says too.
 */
export interface TdReport {
  /** SHA-384 that the report states of `teeTcbInfo` and of `tdInfo`. */
  readonly teeTcbInfoHash: Uint8Array;
  readonly tdInfoHash: Uint8Array;
  /** Bytes 256 to 494, TEE_TCB_INFO. */
  readonly teeTcbInfo: Uint8Array;
  /** Bytes 512 to 1023, TDINFO. */
  readonly tdInfo: Uint8Array;
  readonly reportData: Uint8Array;
  readonly teeTcbSvn: Uint8Array;
  readonly mrSeam: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  readonly seamAttributes: Uint8Array;
  readonly teeTcbSvn2: Uint8Array;
  readonly tdAttributes: Uint8Array;
  readonly xfam: Uint8Array;
  readonly mrTd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly rtmr: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  /** SERVTD_HASH: MRSERVICETD of a quote. */
  readonly servTdHash: Uint8Array;
}

const REPORT_TYPE_TDX = 0x81;

/**
 * Whether bytes begin with a TDREPORT: they have its length and its report type, whatever follows, such as the zeros
 * behind it in a report of the paravisor. No quote begins so.
 */
export function isTdReport(bytes: Uint8Array): boolean {
  return bytes.byteLength >= TD_REPORT_LENGTH && bytes[0] === REPORT_TYPE_TDX && bytes[1] === 0;
}

/**
 * Reads a TDREPORT. Checks length and report type only; its own hashes are for a verifier.
 *
 * @param bytes exactly 1024 bytes
 * @throws {FormatError} `tdx_format`
 */
export function parseTdReport(bytes: Uint8Array): TdReport {
  if (bytes.byteLength !== TD_REPORT_LENGTH) {
    throw new FormatError('tdx_format', `TDREPORT is ${bytes.byteLength} bytes, expected ${TD_REPORT_LENGTH}`);
  }
  if (!isTdReport(bytes)) throw new FormatError('tdx_format', 'report type is not that of TDX');
  const field = (start: number, length: number) => bytes.subarray(start, start + length);
  return {
    teeTcbInfoHash: field(32, 48),
    tdInfoHash: field(80, 48),
    teeTcbInfo: field(256, 239),
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
    rtmr: [field(720, 48), field(768, 48), field(816, 48), field(864, 48)],
    servTdHash: field(912, 48),
  };
}
