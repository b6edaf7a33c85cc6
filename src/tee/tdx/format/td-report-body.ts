import { FormatError } from '../../../core/errors.js';
import { ByteReader, isZero } from '../../../formats/byte-reader.js';

/** Lengths of a TD report body (Intel TDX DCAP Quoting Library API, TD quote body). */
export const TD_BODY_LENGTH = { td10: 584, td15: 648, td15Extended: 885 } as const;

/** The TDX module's description of a TD, with Intel's field names. Not verified. */
export type TdReportBody = Readonly<ReturnType<typeof parseTdReportBody>>;

const LENGTHS: ReadonlySet<number> = new Set(Object.values(TD_BODY_LENGTH));

/** TDATTRIBUTES.SERVTD_EXT: the body has the fields of service TDs. */
export const SERVTD_EXT = 1n << 17n;

/**
 * Reads a TD report body. Its length selects TD 1.0, TD 1.5 or extended TD 1.5. Checks its shape only.
 *
 * @param bytes exactly 584, 648 or 885 bytes
 * @throws {FormatError} `tdx_format` also if SERVTD_EXT contradicts the body type or the fields of service TDs
 */
export function parseTdReportBody(bytes: Uint8Array) {
  const { byteLength } = bytes;
  if (!LENGTHS.has(byteLength)) {
    throw new FormatError('tdx_format', `TD report body is ${byteLength} bytes, expected 584, 648 or 885`);
  }
  const reader = new ByteReader(bytes, 'tdx_format');
  const digest = (field: string) => reader.bytes(48, field);
  const body = {
    /** 16 SVNs of the TDX module and the platform at the launch of the TD. */
    teeTcbSvn: reader.bytes(16, 'TEE_TCB_SVN'),
    mrSeam: digest('MRSEAM'),
    mrSignerSeam: digest('MRSIGNERSEAM'),
    seamAttributes: reader.bytes(8, 'SEAMATTRIBUTES'),
    tdAttributes: reader.u64le('TDATTRIBUTES'),
    /** 8 bytes in the order of the quote; the next member is the number. */
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
  /** Extended TD 1.5 bodies only. */
  const extension = byteLength === TD_BODY_LENGTH.td15Extended ? readExtension(reader) : null;
  reader.expectEnd();
  requireServiceTdExtension(body.tdAttributes, extension);
  return { ...body, td15, extension };
}

/** Reads the fields after the TD 1.5 body in a body of type 4. */
function readExtension(reader: ByteReader) {
  return {
    /** 0 if the TD is not partitioned, or for its first layer (L1). */
    vmId: reader.u8('VMID'),
    /** Unchanged by a migration. */
    tdId: reader.bytes(32, 'TD_ID'),
    /** SHA-384 of the information about assigned devices. */
    deviceInfo: reader.bytes(48, 'DEVINFO'),
    serviceTd: {
      /** The service TD that was bound when the TD was built, and the platform at its first binding. */
      initHash: reader.bytes(48, 'INIT_SERVTD_HASH'),
      initAttributes: reader.bytes(8, 'INIT_SERVTD_ATTR'),
      initCpuSvn: reader.bytes(16, 'INIT_CPU_SVN'),
      initTcbSvn: reader.bytes(16, 'INIT_TEE_TCB_SVN'),
      /** Three words; the second is CPUID leaf 1 EAX. Not the FMSPC of a PCK certificate. */
      initModel: reader.bytes(12, 'INIT_TEE_FMSPC'),
      /** The currently bound service TD. */
      currentHash: reader.bytes(48, 'CURR_SERVTD_HASH'),
      currentAttributes: reader.bytes(8, 'CURR_SERVTD_ATTR'),
    },
  };
}

function requireServiceTdExtension(tdAttributes: bigint, extension: ReturnType<typeof readExtension> | null): void {
  const isSet = (tdAttributes & SERVTD_EXT) !== 0n;
  if (isSet && extension === null) {
    throw new FormatError('tdx_format', 'SERVTD_EXT is set, and the TD report body has no fields of service TDs');
  }
  const isStated = extension !== null && !Object.values(extension.serviceTd).every((field) => isZero(field));
  if (isStated && !isSet) {
    throw new FormatError('tdx_format', 'the TD report body names a service TD, and SERVTD_EXT is clear');
  }
}
