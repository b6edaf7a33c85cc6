import { SNP_REPORT_LENGTH } from '../snp/format/snp-report.js';

/** Structures that are recognised by how they begin. */
export type Structure = 'SNP report' | 'HCL report' | 'TD quote' | 'TPM quote';

/** The apparent kind of bytes; null if they resemble nothing known. They may be malformed all the same. */
export function structureOf(bytes: Uint8Array): Structure | null {
  if (bytes.byteLength < 8) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = view.getUint32(0);
  // "HCLA", and TPM_GENERATED_VALUE with which every TPMS_ATTEST starts (TPM 2.0 part 2, 6.2)
  if (start === 0x48434c41) return 'HCL report';
  if (start === 0xff544347) return 'TPM quote';
  if (isTdQuote(view)) return 'TD quote';
  return bytes.byteLength === SNP_REPORT_LENGTH && beginsAsSnpReport(bytes) ? 'SNP report' : null;
}

/**
 * Version 4 or 5, attestation key ECDSA P-256 and TEE type TDX (Intel DCAP, quote format). The key type keeps an SNP
 * report of version 4 or 5 and guest SVN 0x81 apart: these two bytes are zero there.
 */
function isTdQuote(view: DataView): boolean {
  const version = view.getUint16(0, true);
  return (version === 4 || version === 5) && view.getUint16(2, true) === 2 && view.getUint32(4, true) === 0x81;
}

/** Version 2 to 5, and signature algorithm 1 (AMD 56860, ATTESTATION_REPORT). Something may follow the report. */
export function beginsAsSnpReport(bytes: Uint8Array): boolean {
  if (bytes.byteLength < SNP_REPORT_LENGTH) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(0, true);
  return version >= 2 && version <= 5 && view.getUint32(0x34, true) === 1;
}
