import { type KeyObject, verify } from 'node:crypto';

const SIGNED_LENGTH = 0x2a0;
export const LAB_SNP_REPORT_LENGTH = 0x4a0;

/**
 * An ATTESTATION_REPORT as somebody else's verifier reads it. Written apart from the project's own reader, so that the
 * two can disagree. Digests are lower-case hex.
 */
export interface ReadSnpReport {
  readonly version: number;
  readonly guestSvn: number;
  readonly familyId: string;
  readonly imageId: string;
  readonly vmpl: number;
  readonly debug: boolean;
  readonly migration: boolean;
  readonly smt: boolean;
  readonly reportData: string;
  readonly measurement: string;
  readonly hostData: string;
  readonly idKeyDigest: string;
  readonly authorKeyDigest: string;
  readonly reportId: string;
  /** REPORTED_TCB. */
  readonly tcb: {
    readonly bootloader: number;
    readonly tee: number;
    readonly snp: number;
    readonly microcode: number;
  };
}

/** @throws {RangeError} if it is not 1184 bytes */
export function readSnpReport(bytes: Uint8Array): ReadSnpReport {
  if (bytes.byteLength !== LAB_SNP_REPORT_LENGTH) throw new RangeError('the report does not have 1184 bytes');
  const report = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hex = (offset: number, length: number) => report.toString('hex', offset, offset + length);
  const policy = report.readBigUInt64LE(0x008);
  const isSet = (bit: bigint) => ((policy >> bit) & 1n) === 1n;
  return {
    version: report.readUInt32LE(0x000),
    guestSvn: report.readUInt32LE(0x004),
    familyId: hex(0x010, 16),
    imageId: hex(0x020, 16),
    vmpl: report.readUInt32LE(0x030),
    debug: isSet(19n),
    migration: isSet(18n),
    smt: isSet(16n),
    reportData: hex(0x050, 64),
    measurement: hex(0x090, 48),
    hostData: hex(0x0c0, 32),
    idKeyDigest: hex(0x0e0, 48),
    authorKeyDigest: hex(0x110, 48),
    reportId: hex(0x140, 32),
    tcb: readTcb(report),
  };
}

/** Family 1Ah puts the FMC first; version 2 reports do not name the family, and there is none of that family. */
function readTcb(report: Buffer): ReadSnpReport['tcb'] {
  const isTurin = report.readUInt32LE(0x000) > 2 && report.readUInt8(0x188) === 0x1a;
  const svn = (offset: number) => report.readUInt8(0x180 + offset);
  return isTurin
    ? { bootloader: svn(1), tee: svn(2), snp: svn(3), microcode: svn(7) }
    : { bootloader: svn(0), tee: svn(1), snp: svn(6), microcode: svn(7) };
}

/** ECDSA P-384 with SHA-384 over what the signature covers. */
export function isSignedSnpReport(report: Uint8Array, key: KeyObject): boolean {
  const number = (offset: number) => Uint8Array.from(report.subarray(offset, offset + 48)).reverse();
  const signature = Buffer.concat([number(0x2a0), number(0x2e8)]);
  return verify('sha384', report.subarray(0, SIGNED_LENGTH), { key, dsaEncoding: 'ieee-p1363' }, signature);
}
