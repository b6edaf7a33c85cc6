import { FormatError } from '../../../core/errors.js';
import type { HclParts } from '../../../core/evidence.js';
import { isZero } from '../../../formats/byte-reader.js';

/** Offset of the hardware report. */
export const HCL_HARDWARE_OFFSET = 0x020;
/** Length of the area of the hardware report: an SNP report fills it. */
const HARDWARE_LENGTH = 0x4a0;
const TDREPORT_LENGTH = 1024;
/** REPORTTYPE.TYPE of a TDREPORT (Intel TDX module ABI, REPORTTYPE). */
const TDREPORT_TYPE = 0x81;
const TDREPORT_VERSION_OFFSET = 2;
/** SERVTD_HASH of a TDREPORT. */
const SERVTD_HASH = { start: 912, end: 960 } as const;
/**
 * The parts of a TDREPORT, and after it, that are zero in every real one and covered by no hash of its own: the subtype, what is
 * reserved in REPORTTYPE and REPORTMACSTRUCT, the gap before TDINFO, the filling. The version follows from SERVTD_HASH,
 * which is hashed. Only CPUSVN and MAC are left unchecked.
 */
const UNHASHED_ZEROS = [
  [1, TDREPORT_VERSION_OFFSET],
  [TDREPORT_VERSION_OFFSET + 1, 16],
  [192, 224],
  [495, 512],
  [TDREPORT_LENGTH, HARDWARE_LENGTH],
] as const;
/** Offset of the runtime claims. */
const CLAIMS_OFFSET = 0x4d4;
/** Claims over this size are refused; real ones have between 500 and 1300 bytes. */
const CLAIMS_MAXIMUM = 4096;
/** Zero filling may follow the claims, up to the size of the largest NV index. */
const REPORT_MAXIMUM = CLAIMS_OFFSET + CLAIMS_MAXIMUM + 4096;

/** Report type in the request data: which hardware signed. */
export type HclReportType = 'vbs' | 'snp' | 'tvm' | 'tdx' | 'cca';

/** Report of the Azure paravisor, as a guest reads it from NV index 0x01400001. Nothing in it is verified. */
export type HclReport = Readonly<ReturnType<typeof parseHclReport>>;

/**
 * Reads the report of the Azure paravisor (openvmm, openhcl_attestation_protocol, igvm_attest/get.rs).
 *
 * Header and request data are not measured by anything, so every field of them is required to be what Azure writes:
 * else bytes of the report could be changed without any check noticing.
 *
 * @throws {FormatError} `hcl_format` for anything but the guest-visible form
 * @throws {FormatError} `hcl_hash_type` for a report data hash other than SHA-256
 */
export function parseHclReport(bytes: Uint8Array) {
  if (bytes.byteLength < CLAIMS_OFFSET || bytes.byteLength > REPORT_MAXIMUM) {
    throw new FormatError(
      'hcl_format',
      `report is ${bytes.byteLength} bytes, expected ${CLAIMS_OFFSET} to ${REPORT_MAXIMUM}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (offset: number) => view.getUint32(offset, true);
  // "HCLA", read as the bytes stand.
  if (view.getUint32(0x000) !== 0x48434c41) throw new FormatError('hcl_format', 'the signature is not HCLA');
  const version = word(0x004);
  if (version !== 1 && version !== 2) throw new FormatError('hcl_format', `report version ${version} is not known`);
  const claimsSize = parseClaimsSize(word(0x4d0), bytes.byteLength);
  requireWord(word(0x008), CLAIMS_OFFSET + claimsSize, 'report size');
  // 2 is an AK certificate request; 1 (key release) and 3 (wrapped key) go to the host only.
  requireWord(word(0x00c), 2, 'request type');
  requireWord(word(0x010), 0, 'status');
  requireZeroRange(bytes, 0x014, 0x020, 'reserved bytes of the header');
  requireWord(word(0x4c0), 20 + claimsSize, 'data size');
  // Version 2 of the request data puts a capability bitmap before the claims; that form is never shown to a guest.
  requireWord(word(0x4c4), 1, 'request data version');
  const reportType = parseReportType(word(0x4c8));
  const hardwareReport = bytes.subarray(HCL_HARDWARE_OFFSET, HCL_HARDWARE_OFFSET + HARDWARE_LENGTH);
  requireHardwareOf(reportType, hardwareReport);
  if (word(0x4cc) !== 1) throw new FormatError('hcl_hash_type', 'the report data hash is not SHA-256');
  const claimsEnd = CLAIMS_OFFSET + claimsSize;
  if (bytes.byteLength - claimsEnd > 4096) throw new FormatError('hcl_format', 'more than 4096 bytes of padding');
  requireZeroRange(bytes, claimsEnd, bytes.byteLength, 'padding bytes after the runtime claims');
  return {
    /** 1: older Milan hosts. */
    version,
    reportType,
    /** The hardware report area, 1184 bytes. A TDREPORT fills the first 1024, and zeros the rest. */
    hardwareReport,
    /** Runtime claims as they are hashed: never re-serialised, not parsed before the hash was compared. */
    runtimeClaims: bytes.subarray(CLAIMS_OFFSET, claimsEnd),
  } as const;
}

/**
 * Reads a report whose hardware must be of one kind.
 *
 * @throws {FormatError} as `parseHclReport`, `hcl_format` also for another kind
 */
function parseHclReportOf(expected: HclReportType, bytes: Uint8Array): HclReport {
  const report = parseHclReport(bytes);
  if (report.reportType === expected) return report;
  throw new FormatError('hcl_format', `the report type is ${report.reportType}, expected ${expected}`);
}

/**
 * Reads what of a report is covered by a hash: of the report itself, or as the guest took it apart. Then its header, of
 * which nothing is measured, did not come, and the hardware report is the ATTESTATION_REPORT, or null on TDX.
 *
 * @throws {FormatError} as `parseHclReportOf`; `hcl_format` for claims of a size that no report holds
 */
export function readHclParts(expected: HclReportType, report: Uint8Array | HclParts): HclParts {
  if (report instanceof Uint8Array) return parseHclReportOf(expected, report);
  const size = report.runtimeClaims.byteLength;
  if (isClaimsSize(size)) return report;
  throw new FormatError('hcl_format', `the runtime claims are ${size} bytes, expected 2 to ${CLAIMS_MAXIMUM}`);
}

function isClaimsSize(size: number): boolean {
  return size >= 2 && size <= CLAIMS_MAXIMUM;
}

function parseClaimsSize(size: number, total: number): number {
  if (!isClaimsSize(size) || size > total - CLAIMS_OFFSET) {
    throw new FormatError('hcl_format', `variable data size ${size} does not fit`);
  }
  return size;
}

function parseReportType(type: number): HclReportType {
  const types: ReadonlyMap<number, HclReportType> = new Map([
    [1, 'vbs'],
    [2, 'snp'],
    [3, 'tvm'],
    [4, 'tdx'],
    [5, 'cca'],
  ]);
  const known = types.get(type);
  if (known === undefined) throw new FormatError('hcl_format', `report type ${type} is not known`);
  return known;
}

/** A TDREPORT is told by its first byte, which no SNP report has; what else is in the area its own reader says. */
function requireHardwareOf(reportType: HclReportType, area: Uint8Array): void {
  const isTdReport = area[0] === TDREPORT_TYPE;
  if (reportType === 'snp' && isTdReport) {
    throw new FormatError('hcl_format', 'the report type is snp, the hardware report is a TDREPORT');
  }
  if (reportType !== 'tdx') return;
  if (!isTdReport) throw new FormatError('hcl_format', 'the report type is tdx, the hardware report is not a TDREPORT');
  for (const [start, end] of UNHASHED_ZEROS) {
    requireZeroRange(area, start, end, 'reserved bytes of the TDREPORT, and those behind it,');
  }
  requireTdReportVersion(area);
}

/** The TDX module writes version 1 where a service TD is bound, and version 0 where none is. */
function requireTdReportVersion(area: Uint8Array): void {
  const isBound = !isZero(area.subarray(SERVTD_HASH.start, SERVTD_HASH.end));
  const version = area[TDREPORT_VERSION_OFFSET];
  if (version === (isBound ? 1 : 0)) return;
  const expected = isBound ? '1 where SERVTD_HASH is not zero' : '0 where SERVTD_HASH is zero';
  throw new FormatError('hcl_format', `the TDREPORT is of version ${version}, expected ${expected}`);
}

function requireWord(actual: number, expected: number, field: string): void {
  if (actual !== expected) throw new FormatError('hcl_format', `${field} is ${actual}, expected ${expected}`);
}

function requireZeroRange(bytes: Uint8Array, start: number, end: number, what: string): void {
  if (!isZero(bytes.subarray(start, end))) throw new FormatError('hcl_format', `${what} are not zero`);
}
