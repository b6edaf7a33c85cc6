import { SNP_REPORT_LENGTH } from '../snp/format/snp-report.js';

/** Structures that are recognised by their first bytes. */
export type Structure = 'SNP report' | 'HCL report' | 'TD quote' | 'TPM quote';

/** The apparent kind of a structure; null if it is not recognised. The structure can still be malformed. */
export function structureOf(bytes: Uint8Array): Structure | null {
  if (bytes.byteLength < 8) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = view.getUint32(0);
  // "HCLA". Below, TPM_GENERATED_VALUE, with which every TPMS_ATTEST begins (TPM 2.0 part 2, 6.2).
  if (start === 0x48434c41) return 'HCL report';
  if (start === 0xff544347) return 'TPM quote';
  if (isTdQuote(view)) return 'TD quote';
  return bytes.byteLength === SNP_REPORT_LENGTH && beginsAsSnpReport(bytes) ? 'SNP report' : null;
}

/**
 * Version 4 or 5, attestation key type ECDSA P-256, and TEE type TDX (Intel DCAP, quote format). The key type excludes
 * an SNP report of version 4 or 5 with guest SVN 0x81, in which these two bytes differ.
 */
function isTdQuote(view: DataView): boolean {
  const version = view.getUint16(0, true);
  return (version === 4 || version === 5) && view.getUint16(2, true) === 2 && view.getUint32(4, true) === 0x81;
}

/** Version 2 to 5, and signature algorithm 1 (AMD 56860, ATTESTATION_REPORT). Other bytes may follow the report. */
export function beginsAsSnpReport(bytes: Uint8Array): boolean {
  if (bytes.byteLength < SNP_REPORT_LENGTH) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(0, true);
  return version >= 2 && version <= 5 && view.getUint32(0x34, true) === 1;
}
