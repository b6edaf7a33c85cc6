import { FormatError } from '../model/errors.js';
import { ByteReader } from './byte-reader.js';

/** Lengths of a TD report body (Intel TDX DCAP Quoting Library API, TD quote body). */
export const TD_BODY_LENGTH = { td10: 584, td15: 648 } as const;

/** What the TDX module says of a TD. Field names are Intel's. Nothing in it is verified. */
export interface TdReportBody {
  /** 16 SVNs of the TDX module and the platform, when the TD was launched. */
  readonly teeTcbSvn: Uint8Array;
  readonly mrSeam: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  readonly seamAttributes: Uint8Array;
  readonly tdAttributes: bigint;
  /** 8 bytes as they stand, and as a number. */
  readonly xfam: Uint8Array;
  readonly xfamBits: bigint;
  readonly mrTd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly rtmr: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  readonly reportData: Uint8Array;
  /** TD 1.5 bodies only. */
  readonly td15: { readonly teeTcbSvn2: Uint8Array; readonly mrServiceTd: Uint8Array } | null;
}

/**
 * Reads a TD report body, of TD 1.0 or 1.5 by its length. Checks its shape only.
 *
 * @param bytes exactly 584 or 648 bytes
 * @throws {FormatError} `tdx_format`
 */
export function parseTdReportBody(bytes: Uint8Array): TdReportBody {
  const { byteLength } = bytes;
  if (byteLength !== TD_BODY_LENGTH.td10 && byteLength !== TD_BODY_LENGTH.td15) {
    throw new FormatError('tdx_format', `TD report body is ${byteLength} bytes, expected 584 or 648`);
  }
  const reader = new ByteReader(bytes, 'tdx_format');
  const digest = (field: string) => reader.bytes(48, field);
  const body = {
    teeTcbSvn: reader.bytes(16, 'TEE_TCB_SVN'),
    mrSeam: digest('MRSEAM'),
    mrSignerSeam: digest('MRSIGNERSEAM'),
    seamAttributes: reader.bytes(8, 'SEAMATTRIBUTES'),
    tdAttributes: reader.u64le('TDATTRIBUTES'),
    xfam: bytes.subarray(128, 136),
    xfamBits: reader.u64le('XFAM'),
    mrTd: digest('MRTD'),
    mrConfigId: digest('MRCONFIGID'),
    mrOwner: digest('MROWNER'),
    mrOwnerConfig: digest('MROWNERCONFIG'),
    rtmr: [digest('RTMR0'), digest('RTMR1'), digest('RTMR2'), digest('RTMR3')] as const,
    reportData: reader.bytes(64, 'REPORTDATA'),
  };
  const td15 =
    byteLength === TD_BODY_LENGTH.td10
      ? null
      : { teeTcbSvn2: reader.bytes(16, 'TEE_TCB_SVN_2'), mrServiceTd: digest('MRSERVICETD') };
  reader.expectEnd();
  return { ...body, td15 };
}
