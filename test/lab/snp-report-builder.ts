import { type KeyObject, sign } from 'node:crypto';
import type { SnpProduct, SnpTcb } from '../../src/core/claims.js';
import { labLine, MILAN_TCB, SNP_PROCESSORS, type SnpCpuid } from './amd-lines.js';
import { type BytePatch, littleEndian, patchBytes } from './byte-patch.js';

const REPORT_LENGTH = 0x4a0;
const SIGNED_LENGTH = 0x2a0;
/** Where R and S begin: 48 bytes little endian each, in fields of 72. */
const SIGNATURE = { r: 0x2a0, s: 0x2e8, octets: 48 } as const;

/** Order of P-384. */
export const P384_ORDER = BigInt(
  '0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
);

/** KEY_INFO by its fields. `signingKey`: 0 VCEK, 1 VLEK, 7 none. */
export interface SnpKeyInfo {
  readonly authorKeyEn: boolean;
  readonly maskChipKey: boolean;
  readonly signingKey: number;
}

/** Fields of an ATTESTATION_REPORT (AMD 56860). Numbers as they stand; nothing is checked, so that all can be wrong. */
export interface SnpReportFields {
  readonly version: number;
  readonly guestSvn: number;
  readonly policy: bigint;
  readonly familyId: Uint8Array;
  readonly imageId: Uint8Array;
  readonly vmpl: number;
  readonly signatureAlgorithm: number;
  readonly platformInfo: bigint;
  /** A number: KEY_INFO as it stands. */
  readonly keyInfo: SnpKeyInfo | number;
  readonly reportData: Uint8Array;
  readonly measurement: Uint8Array;
  readonly hostData: Uint8Array;
  readonly idKeyDigest: Uint8Array;
  readonly authorKeyDigest: Uint8Array;
  readonly reportId: Uint8Array;
  readonly reportIdMa: Uint8Array;
  /** TCB_VERSIONs, 8 bytes each; see `encodeSnpTcb`. */
  readonly currentTcb: Uint8Array;
  readonly committedTcb: Uint8Array;
  readonly reportedTcb: Uint8Array;
  readonly launchTcb: Uint8Array;
  /** Null as in version 2. */
  readonly cpuid: SnpCpuid | null;
  readonly chipId: Uint8Array;
  /** Major, minor, build. */
  readonly currentFirmware: readonly [number, number, number];
  readonly committedFirmware: readonly [number, number, number];
  /** Null as before version 5. */
  readonly mitigation: { readonly launch: bigint; readonly current: bigint } | null;
}

/** One TCB_VERSION in the layout of a line: family 19h has no FMC, 1Ah begins with it. */
export function encodeSnpTcb(tcb: SnpTcb, product: SnpProduct): Uint8Array {
  const { fmc = 0, bootloader, tee, snp, microcode } = tcb;
  return labLine(product).hasFmc
    ? Uint8Array.of(fmc, bootloader, tee, snp, 0, 0, 0, microcode)
    : Uint8Array.of(bootloader, tee, 0, 0, 0, 0, snp, microcode);
}

/** ID_KEY_DIGEST of the Azure paravisor, as reports of 2024 and 2025 carry it. */
export const AZURE_ID_KEY_DIGEST =
  '942fd93ebde6ea7a96efadeafc60f1c6b3d10e703b1dafd7555b92f7f3d32d0e006767648cba5b102af3d65756af4177';

/** The content of a report of a current Azure confidential VM on Milan. The caller sets `reportData` and `chipId`. */
export function azureReportFields(): SnpReportFields {
  const tcb = encodeSnpTcb(MILAN_TCB, 'Milan');
  return {
    version: 3,
    guestSvn: 12,
    policy: 0x3001fn,
    familyId: Buffer.from('02212000000000000000000000000000', 'hex'),
    imageId: Buffer.from('02000000000000000000000000000000', 'hex'),
    vmpl: 0,
    signatureAlgorithm: 1,
    platformInfo: 0x25n,
    keyInfo: { authorKeyEn: false, maskChipKey: false, signingKey: 0 },
    reportData: new Uint8Array(64),
    measurement: new Uint8Array(48).fill(0x5a),
    hostData: new Uint8Array(32),
    idKeyDigest: Buffer.from(AZURE_ID_KEY_DIGEST, 'hex'),
    authorKeyDigest: new Uint8Array(48),
    reportId: new Uint8Array(32).fill(0x1d),
    reportIdMa: new Uint8Array(32).fill(0xff),
    currentTcb: tcb,
    committedTcb: tcb,
    reportedTcb: tcb,
    launchTcb: tcb,
    cpuid: SNP_PROCESSORS.Milan.cpuid,
    chipId: new Uint8Array(64),
    currentFirmware: [1, 55, 29],
    committedFirmware: [1, 55, 29],
    mitigation: null,
  };
}

/** Writes a report, its signature all zero. Fields longer than their place run into the next one: keep to the sizes. */
export function buildSnpReport(fields: SnpReportFields): Uint8Array {
  const { cpuid, mitigation } = fields;
  return patchBytes(new Uint8Array(REPORT_LENGTH), [
    { offset: 0x000, bytes: littleEndian(fields.version, 4) },
    { offset: 0x004, bytes: littleEndian(fields.guestSvn, 4) },
    { offset: 0x008, bytes: littleEndian(fields.policy, 8) },
    { offset: 0x010, bytes: fields.familyId },
    { offset: 0x020, bytes: fields.imageId },
    { offset: 0x030, bytes: littleEndian(fields.vmpl, 4) },
    { offset: 0x034, bytes: littleEndian(fields.signatureAlgorithm, 4) },
    { offset: 0x038, bytes: fields.currentTcb },
    { offset: 0x040, bytes: littleEndian(fields.platformInfo, 8) },
    { offset: 0x048, bytes: littleEndian(encodeKeyInfo(fields.keyInfo), 4) },
    { offset: 0x050, bytes: fields.reportData },
    { offset: 0x090, bytes: fields.measurement },
    { offset: 0x0c0, bytes: fields.hostData },
    { offset: 0x0e0, bytes: fields.idKeyDigest },
    { offset: 0x110, bytes: fields.authorKeyDigest },
    { offset: 0x140, bytes: fields.reportId },
    { offset: 0x160, bytes: fields.reportIdMa },
    { offset: 0x180, bytes: fields.reportedTcb },
    {
      offset: 0x188,
      bytes: cpuid === null ? new Uint8Array(3) : Uint8Array.of(cpuid.family, cpuid.model, cpuid.stepping),
    },
    { offset: 0x1a0, bytes: fields.chipId },
    { offset: 0x1e0, bytes: fields.committedTcb },
    { offset: 0x1e8, bytes: Uint8Array.from(fields.currentFirmware).reverse() },
    { offset: 0x1ec, bytes: Uint8Array.from(fields.committedFirmware).reverse() },
    { offset: 0x1f0, bytes: fields.launchTcb },
    { offset: 0x1f8, bytes: littleEndian(mitigation?.launch ?? 0n, 8) },
    { offset: 0x200, bytes: littleEndian(mitigation?.current ?? 0n, 8) },
  ]);
}

/**
 * Signs a report with a P-384 key: ECDSA with SHA-384 over 0x000 to 0x29f.
 *
 * @param beforeSigning patches that the signature covers; the signature overwrites patches of its own bytes
 */
export function signSnpReport(
  report: Uint8Array,
  key: KeyObject,
  beforeSigning: readonly BytePatch[] = [],
): Uint8Array {
  const patched = patchBytes(report, beforeSigning);
  const raw = sign('sha384', patched.subarray(0, SIGNED_LENGTH), { key, dsaEncoding: 'ieee-p1363' });
  const octets = raw.byteLength / 2;
  return patchBytes(patched, [
    { offset: SIGNATURE.r, bytes: Uint8Array.from(raw.subarray(0, octets)).reverse() },
    { offset: SIGNATURE.s, bytes: Uint8Array.from(raw.subarray(octets)).reverse() },
  ]);
}

/** The report with another R or S. What is left out stays. */
export function withSnpSignature(
  report: Uint8Array,
  signature: { readonly r?: bigint; readonly s?: bigint },
): Uint8Array {
  const patch = (offset: number, value: bigint | undefined): readonly BytePatch[] =>
    value === undefined ? [] : [{ offset, bytes: littleEndian(value, SIGNATURE.octets) }];
  return patchBytes(report, [...patch(SIGNATURE.r, signature.r), ...patch(SIGNATURE.s, signature.s)]);
}

/** The report with n - s in place of s: another signature that verifies alike. */
export function withOtherSnpSignature(report: Uint8Array): Uint8Array {
  const s = Buffer.from(report.subarray(SIGNATURE.s, SIGNATURE.s + SIGNATURE.octets)).reverse();
  return withSnpSignature(report, { s: P384_ORDER - BigInt(`0x${s.toString('hex')}`) });
}

function encodeKeyInfo(info: SnpKeyInfo | number): number {
  if (typeof info === 'number') return info;
  return (info.authorKeyEn ? 1 : 0) | (info.maskChipKey ? 2 : 0) | (info.signingKey << 2);
}
