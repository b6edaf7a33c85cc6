import { FormatError } from '../model/errors.js';
import { ByteReader } from './byte-reader.js';

/** Lengths of a TD report body (Intel TDX DCAP Quoting Library API, TD quote body). */
export const TD_BODY_LENGTH = { td10: 584, td15: 648 } as const;

/** What the TDX module says of a TD. Field names are Intel's. Nothing in it is verified. */
export type TdReportBody = Readonly<ReturnType<typeof parseTdReportBody>>;

/**
 * Reads a TD report body, of TD 1.0 or 1.5 by its length. Checks its shape only.
 *
 * @param bytes exactly 584 or 648 bytes
 * @throws {FormatError} `tdx_format`
 */
export function parseTdReportBody(bytes: Uint8Array) {
  const { byteLength } = bytes;
  if (byteLength !== TD_BODY_LENGTH.td10 && byteLength !== TD_BODY_LENGTH.td15) {
    throw new FormatError('tdx_format', `TD report body is ${byteLength} bytes, expected 584 or 648`);
  }
  const reader = new ByteReader(bytes, 'tdx_format');
  const digest = (field: string) => reader.bytes(48, field);
  const body = {
    /** 16 SVNs of the TDX module and the platform, when the TD was launched. */
    teeTcbSvn: reader.bytes(16, 'TEE_TCB_SVN'),
    mrSeam: digest('MRSEAM'),
    mrSignerSeam: digest('MRSIGNERSEAM'),
    seamAttributes: reader.bytes(8, 'SEAMATTRIBUTES'),
    tdAttributes: reader.u64le('TDATTRIBUTES'),
    /** 8 bytes, in the order of the quote, and as a number. */
    xfam: bytes.subarray(128, 136),
    xfamBits: reader.u64le('XFAM'),
    mrTd: digest('MRTD'),
    mrConfigId: digest('MRCONFIGID'),
    mrOwner: digest('MROWNER'),
    mrOwnerConfig: digest('MROWNERCONFIG'),
    rtmr: [digest('RTMR0'), digest('RTMR1'), digest('RTMR2'), digest('RTMR3')] as const,
    reportData: reader.bytes(64, 'REPORTDATA'),
  };
  /** TD 1.5 bodies only. */
  const td15 =
    byteLength === TD_BODY_LENGTH.td10
      ? null
      : { teeTcbSvn2: reader.bytes(16, 'TEE_TCB_SVN_2'), mrServiceTd: digest('MRSERVICETD') };
  reader.expectEnd();
  return { ...body, td15 };
}
