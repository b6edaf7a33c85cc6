import { FormatError } from '../../../core/errors.js';
import type { HclParts } from '../../../core/evidence.js';
import { isZero } from '../../../formats/byte-reader.js';

export const HCL_HARDWARE_OFFSET = 0x020;
/** Length of the hardware report area. An SNP report fills it. */
const HARDWARE_LENGTH = 0x4a0;
const TDREPORT_LENGTH = 1024;
/** REPORTTYPE.TYPE of a TDREPORT (Intel TDX module ABI, REPORTTYPE). */
const TDREPORT_TYPE = 0x81;
const TDREPORT_VERSION_OFFSET = 2;
/** SERVTD_HASH of a TDREPORT. */
const SERVTD_HASH = { start: 912, end: 960 } as const;
/**
 * Ranges in and after a TDREPORT that are zero in every real report and that none of its hashes covers: the subtype,
 * the reserved bytes of REPORTTYPE and REPORTMACSTRUCT, the gap before TDINFO, and the padding. The version is not
 * listed: it follows from SERVTD_HASH, which is hashed. CPUSVN and MAC are not checked.
 */
const UNHASHED_ZEROS = [
  [1, TDREPORT_VERSION_OFFSET],
  [TDREPORT_VERSION_OFFSET + 1, 16],
  [192, 224],
  [495, 512],
  [TDREPORT_LENGTH, HARDWARE_LENGTH],
] as const;
const CLAIMS_OFFSET = 0x4d4;
/** Maximum size of the runtime claims. Real claims have 500 to 1300 bytes. */
const CLAIMS_MAXIMUM = 4096;
/** Zero padding may follow the claims, up to the size of the largest NV index. */
const REPORT_MAXIMUM = CLAIMS_OFFSET + CLAIMS_MAXIMUM + 4096;

/** Report type in the request data. It names the hardware that signed. */
export type HclReportType = 'vbs' | 'snp' | 'tvm' | 'tdx' | 'cca';

/** Report of the Azure paravisor, as a guest reads it from NV index 0x01400001. Not verified. */
export type HclReport = Readonly<ReturnType<typeof parseHclReport>>;

/**
 * Reads the report of the Azure paravisor (openvmm, openhcl_attestation_protocol, igvm_attest/get.rs).
 *
 * Nothing measures the header and the request data. So every field in them must have the value that Azure writes;
 * otherwise these bytes could be changed undetected.
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
  // "HCLA", read big endian.
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
  // Version 2 of the request data has a capability bitmap before the claims. A guest never gets that version.
  requireWord(word(0x4c4), 1, 'request data version');
  const reportType = parseReportType(word(0x4c8));
  const hardwareReport = bytes.subarray(HCL_HARDWARE_OFFSET, HCL_HARDWARE_OFFSET + HARDWARE_LENGTH);
  requireHardwareOf(reportType, hardwareReport);
  if (word(0x4cc) !== 1) throw new FormatError('hcl_hash_type', 'the report data hash is not SHA-256');
  const claimsEnd = CLAIMS_OFFSET + claimsSize;
  if (bytes.byteLength - claimsEnd > 4096) throw new FormatError('hcl_format', 'more than 4096 bytes of padding');
  requireZeroRange(bytes, claimsEnd, bytes.byteLength, 'padding bytes after the runtime claims');
  return {
    /** 1 on older Milan hosts, else 2. */
    version,
    reportType,
    /** The hardware report area, 1184 bytes. A TDREPORT has 1024 bytes; zeros follow it. */
    hardwareReport,
    /** The hashed bytes of the runtime claims. Never re-serialised, and not parsed before their hash matches. */
    runtimeClaims: bytes.subarray(CLAIMS_OFFSET, claimsEnd),
  } as const;
}

/**
 * Reads a report and requires its report type.
 *
 * @throws {FormatError} as `parseHclReport`, and `hcl_format` for another report type
 */
function parseHclReportOf(expected: HclReportType, bytes: Uint8Array): HclReport {
  const report = parseHclReport(bytes);
  if (report.reportType === expected) return report;
  throw new FormatError('hcl_format', `the report type is ${report.reportType}, expected ${expected}`);
}

/**
 * Reads the hardware report and the runtime claims, from a whole report or from parts that the guest sends. Parts come
 * without the header, which nothing measures. Their hardware report is the ATTESTATION_REPORT, or null on TDX.
 *
 * @throws {FormatError} as `parseHclReportOf`; `hcl_format` for runtime claims that are too short or too long
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

/**
 * Identifies a TDREPORT by its first byte, which no SNP report has. The parser of the report verifies the other bytes.
 */
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

/** Requires version 1 if a service TD is bound, else version 0, as the TDX module writes them. */
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
