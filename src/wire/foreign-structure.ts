import { SNP_REPORT_LENGTH } from '../formats/snp-report.js';
import { FormatError } from '../model/errors.js';

/** Structures that are recognised by how they begin. */
export type Structure = 'SNP report' | 'HCL report' | 'TD quote' | 'TPM quote';

/** Fields of a quote header (Intel DCAP, quote format): TEE type TDX, attestation key ECDSA P-256. */
const TEE_TYPE_TDX = 0x81;
const ATTESTATION_KEY_P256 = 2;

/**
 * Refuses bytes that are, on the face of it, evidence of another type. Bytes that resemble nothing known are left
 * to the parser of the type that the request names: this gives a better answer to a mistake and decides nothing.
 *
 * @throws {FormatError} `type_mismatch`
 */
export function refuseForeignStructure(bytes: Uint8Array, expected: string, pointer: string): void {
  const found = structureOf(bytes);
  if (found !== null && found !== expected) {
    throw new FormatError(
      'type_mismatch',
      `this is ${article(found)} ${found}, expected ${article(expected)} ${expected}`,
      { pointer },
    );
  }
}

/** Of a name that is spoken letter by letter, as "an SNP report". */
function article(structure: string): string {
  return /^[AEFHILMNORSX][A-Z]/.test(structure) ? 'an' : 'a';
}

function structureOf(bytes: Uint8Array): Structure | null {
  if (bytes.byteLength < 8) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = view.getUint32(0);
  // "HCLA", and TPM_GENERATED_VALUE with which every TPMS_ATTEST starts (TPM 2.0 part 2, 6.2)
  if (start === 0x48434c41) return 'HCL report';
  if (start === 0xff544347) return 'TPM quote';
  if (isTdQuote(view)) return 'TD quote';
  if (bytes.byteLength === SNP_REPORT_LENGTH && isSnpReport(view)) return 'SNP report';
  return null;
}

/** The key type keeps an SNP report of version 4 or 5 and guest SVN 0x81 apart: these two bytes are zero there. */
function isTdQuote(view: DataView): boolean {
  const version = view.getUint16(0, true);
  return (
    (version === 4 || version === 5) &&
    view.getUint16(2, true) === ATTESTATION_KEY_P256 &&
    view.getUint32(4, true) === TEE_TYPE_TDX
  );
}

/** Version 2 to 5, and signature algorithm 1 (AMD 56860, ATTESTATION_REPORT). */
function isSnpReport(view: DataView): boolean {
  const version = view.getUint32(0, true);
  return version >= 2 && version <= 5 && view.getUint32(0x34, true) === 1;
}
