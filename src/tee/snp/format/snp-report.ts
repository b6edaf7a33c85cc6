import { joined } from '../../../core/bytes.js';
import type { SnpPlatformInfoClaim, SnpPolicyClaim } from '../../../core/claims.js';
import { FormatError } from '../../../core/errors.js';
import { isZero } from '../../../formats/byte-reader.js';

/** Length of an ATTESTATION_REPORT of any version. */
export const SNP_REPORT_LENGTH = 0x4a0;

/** Length of the signed part of the report, which begins at offset 0. */
export const SNP_SIGNED_LENGTH = 0x2a0;

/** Offsets of R and S of the signature, and the significant bytes of each, little endian. */
export const SNP_SIGNATURE = { r: 0x2a0, s: 0x2e8, length: 48 } as const;

/** KEY_INFO.SIGNING_KEY: 0, 1 and 7. Values 2 to 6 are reserved. */
export type SnpReportSigner = 'vcek' | 'vlek' | 'none';

/** ATTESTATION_REPORT (AMD 56860), with AMD's field names. Not verified. */
export type SnpReport = Readonly<ReturnType<typeof parseSnpReport>>;

/**
 * Reads an ATTESTATION_REPORT. Checks its shape only: a report that parses may still be forged.
 *
 * Rejects reserved bytes that are not zero. They are signed, so later firmware can give them a meaning, and a policy
 * must not ignore it. The reserved bytes of a TCB_VERSION are checked elsewhere, because their layout depends on the
 * product line.
 *
 * @param bytes exactly 0x4a0 bytes
 * @throws {FormatError} `snp_format` for a wrong length, version, signature algorithm or signing key
 * @throws {FormatError} `snp_policy` if a reserved POLICY bit has the wrong value
 * @throws {FormatError} `snp_reserved` if a must-be-zero field is not zero
 */
export function parseSnpReport(bytes: Uint8Array) {
  if (bytes.byteLength !== SNP_REPORT_LENGTH) {
    throw new FormatError('snp_format', `report is ${bytes.byteLength} bytes, expected ${SNP_REPORT_LENGTH}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = parseVersion(view.getUint32(0x000, true));
  requireEcdsa(view.getUint32(0x034, true));
  requireReservedZero(bytes, version);
  const field = (start: number, length: number) => bytes.subarray(start, start + length);
  return {
    version,
    guestSvn: view.getUint32(0x004, true),
    policy: parseGuestPolicy(view.getUint32(0x008, true), view.getUint32(0x00c, true)),
    familyId: field(0x010, 16),
    imageId: field(0x020, 16),
    vmpl: view.getUint32(0x030, true),
    platformInfo: parsePlatformInfo(view.getBigUint64(0x040, true)),
    ...parseKeyInfo(view.getUint32(0x048, true)),
    reportData: field(0x050, 64),
    measurement: field(0x090, 48),
    hostData: field(0x0c0, 32),
    idKeyDigest: field(0x0e0, 48),
    authorKeyDigest: field(0x110, 48),
    reportId: field(0x140, 32),
    reportIdMa: field(0x160, 32),
    tcb: tcbVersions(field),
    /** Null in version 2. */
    cpuid: version === 2 ? null : cpuidOf(field(0x188, 3)),
    chipId: field(0x1a0, 64),
    /** `major.minor.build`. */
    firmware: { current: firmwareVersion(bytes, 0x1e8), committed: firmwareVersion(bytes, 0x1ec) },
    /** CURRENT_MIT_VECTOR and LAUNCH_MIT_VECTOR; null before version 5. */
    mitigation:
      version < 5 ? null : { launch: view.getBigUint64(0x1f8, true), current: view.getBigUint64(0x200, true) },
    /** The signed bytes. */
    signed: field(0, SNP_SIGNED_LENGTH),
    /** r‖s, 48 bytes each, big endian. */
    signature: joined([SNP_SIGNATURE.r, SNP_SIGNATURE.s].map((start) => bigEndian(field(start, SNP_SIGNATURE.length)))),
  };
}

function requireEcdsa(algorithm: number): void {
  if (algorithm !== 1) throw new FormatError('snp_format', 'SIGNATURE_ALGO is not ECDSA P-384 with SHA-384');
}

/** TCB_VERSIONs, 8 bytes each. Their layout depends on the product line (amd/tcb.ts). */
function tcbVersions(field: (start: number, length: number) => Uint8Array) {
  return { current: field(0x038, 8), committed: field(0x1e0, 8), reported: field(0x180, 8), launch: field(0x1f0, 8) };
}

/** CPUID_FAM_ID, CPUID_MOD_ID, CPUID_STEP. */
function cpuidOf([family = 0, model = 0, stepping = 0]: Uint8Array) {
  return { family, model, stepping };
}

function parseVersion(version: number): 2 | 3 | 4 | 5 {
  // Rejects a later version instead of reading it as version 5, because its fields may have another meaning.
  if (version === 2 || version === 3 || version === 4 || version === 5) return version;
  throw new FormatError('snp_format', `report version ${version} is not known`);
}

type Ranges = readonly (readonly [start: number, end: number])[];

/** Reserved ranges by version, end exclusive. Version 4 has the layout of 3. */
const RESERVED: { readonly [version in SnpReport['version']]: Ranges } = {
  2: reservedRanges(2),
  3: reservedRanges(3),
  4: reservedRanges(4),
  5: reservedRanges(5),
};

/** AMD 56860, ATTESTATION_REPORT. */
function reservedRanges(version: SnpReport['version']): Ranges {
  return [
    [0x04c, 0x050],
    [version === 2 ? 0x188 : 0x18b, 0x1a0],
    [0x1eb, 0x1ec],
    [0x1ef, 0x1f0],
    [version < 5 ? 0x1f8 : 0x208, 0x2a0],
    // The upper 24 bytes of R and of S, and the rest of the signature field. No other check reads these bytes.
    [0x2d0, 0x2e8],
    [0x318, 0x4a0],
  ];
}

function requireReservedZero(bytes: Uint8Array, version: SnpReport['version']): void {
  for (const [start, end] of RESERVED[version]) {
    if (!isZero(bytes, start, end)) {
      throw new FormatError(
        'snp_reserved',
        `reserved bytes in 0x${start.toString(16)}-0x${(end - 1).toString(16)} are not zero`,
      );
    }
  }
}

/** POLICY (AMD 56860, Guest Policy). Bit 17 is reserved and must be one, bits 63 to 26 must be zero. */
function parseGuestPolicy(low: number, high: number): SnpPolicyClaim {
  const bit = (position: number) => ((low >>> position) & 1) === 1;
  if (!bit(17)) throw new FormatError('snp_policy', 'POLICY bit 17 is clear, it must be one');
  if (low >>> 26 !== 0 || high !== 0) throw new FormatError('snp_policy', 'POLICY has undefined bits set');
  return {
    abiMajor: (low >>> 8) & 0xff,
    abiMinor: low & 0xff,
    smt: bit(16),
    migrateMa: bit(18),
    debug: bit(19),
    singleSocket: bit(20),
    cxlAllow: bit(21),
    memAes256Xts: bit(22),
    raplDis: bit(23),
    ciphertextHidingDram: bit(24),
    pageSwapDisable: bit(25),
  };
}

/**
 * PLATFORM_INFO. Reports unknown bits and does not reject them, because newer parts set bits that older layouts
 * reserve.
 */
function parsePlatformInfo(info: bigint): SnpPlatformInfoClaim {
  const known = Number(info & 0xffn);
  const bit = (position: number) => ((known >>> position) & 1) === 1;
  return {
    smtEnabled: bit(0),
    tsmeEnabled: bit(1),
    eccEnabled: bit(2),
    raplDisabled: bit(3),
    ciphertextHidingDramEnabled: bit(4),
    aliasCheckComplete: bit(5),
    iommuWriteSafe: bit(6),
    tioEnabled: bit(7),
    unknownBits: info < 0x100n ? [] : UNKNOWN_BITS.filter((position) => ((info >> BigInt(position)) & 1n) === 1n),
  };
}

const UNKNOWN_BITS = Array.from({ length: 56 }, (_, index) => 8 + index);

const SIGNERS: ReadonlyMap<number, SnpReportSigner> = new Map([
  [0, 'vcek'],
  [1, 'vlek'],
  [7, 'none'],
]);

/** KEY_INFO. Bits 31 to 5 are reserved; signing keys 2 to 6 are not defined. */
function parseKeyInfo(info: number) {
  if (info >>> 5 !== 0) throw new FormatError('snp_reserved', 'KEY_INFO has reserved bits set');
  const signingKey = SIGNERS.get((info >>> 2) & 7);
  if (signingKey === undefined) throw new FormatError('snp_format', 'KEY_INFO names a reserved signing key');
  return { authorKeyEn: (info & 1) === 1, maskChipKey: (info & 2) === 2, signingKey };
}

/** Firmware versions are stored as build, minor, major. */
function firmwareVersion(bytes: Uint8Array, offset: number): string {
  return `${bytes[offset + 2]}.${bytes[offset + 1]}.${bytes[offset]}`;
}

function bigEndian(littleEndian: Uint8Array): Uint8Array {
  return new Uint8Array(littleEndian).reverse();
}
