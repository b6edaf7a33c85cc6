import { decodeBase64, decodeHex } from '../formats/base64.js';
import { within } from '../model/errors.js';
import type { CertificateInput, SnpEndorsementInput } from '../model/evidence.js';

const PEM_START = '-----BEGIN';

/** @throws {FormatError} `encoding` at the pointer */
export function readBytes(text: string, pointer: string): Uint8Array {
  return within(pointer, () => decodeBase64(text));
}

/** @throws {FormatError} `encoding` at the pointer */
export function readHex(text: string, pointer: string): Uint8Array {
  return within(pointer, () => decodeHex(text));
}

/** PEM where the text starts like PEM, else DER. @throws {FormatError} `encoding` at the pointer */
export function readCertificate(text: string, pointer: string): CertificateInput {
  return text.startsWith(PEM_START) ? { pem: text } : { der: readBytes(text, pointer) };
}

export const NO_SNP_ENDORSEMENTS: SnpEndorsementInput = { vek: null, chain: null, certificateTable: null, crls: [] };
