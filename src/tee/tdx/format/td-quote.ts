import { latin1 } from '../../../core/bytes.js';
import { FormatError } from '../../../core/errors.js';
import { ByteReader, isZero } from '../../../formats/byte-reader.js';
import { PEM_TEXT_BYTES } from '../../../formats/pem.js';
import { ENCLAVE_REPORT_LENGTH, parseEnclaveReport } from './enclave-report.js';
import { isTdReport } from './td-report.js';
import { parseTdReportBody, TD_BODY_LENGTH, type TdReportBody } from './td-report-body.js';

/** TD quote (Intel TDX DCAP Quoting Library API, quote format). Not verified. */
export type TdQuote = Readonly<ReturnType<typeof parseTdQuote>>;

const KEY_TYPE_P256 = 2;
const TEE_SGX = 0;
const TEE_TDX = 0x81;
/** Body lengths by body type of version 5. Type 1 is an SGX enclave report. */
const BODY_LENGTHS: ReadonlyMap<number, number> = new Map([
  [2, TD_BODY_LENGTH.td10],
  [3, TD_BODY_LENGTH.td15],
  [4, TD_BODY_LENGTH.td15Extended],
]);
const CERTIFICATION = { pckChain: 5, qeReport: 6 } as const;
const MAXIMUM_QE_AUTH_DATA = 1024;
const PEM_BEGIN = /^(?:\r?\n)*-----BEGIN CERTIFICATE-----/;
const PEM_END = '-----END CERTIFICATE-----';
const LINE_END = /^(?:\r?\n)?$/;

/**
 * Reads a TD quote of version 4 or 5. Checks its shape only: a quote that parses may still be forged.
 *
 * Ignores bytes 8 to 11 of the header: sources differ on their meaning, they are zero in every sample, and the
 * attestation key signs them.
 *
 * @throws {FormatError} `tdx_format` for a layout other than that of the version
 * @throws {FormatError} `cert_format` for certification data that is too long
 * @throws {FormatError} `type_mismatch` for a quote of an SGX enclave
 * @throws {FormatError} `tdx_not_a_quote` for a bare TDREPORT
 * @throws {FormatError} `tdx_trailing` if bytes other than zero follow the end of the quote, or the last PEM line
 */
export function parseTdQuote(bytes: Uint8Array) {
  if (isTdReport(bytes))
    throw new FormatError('tdx_not_a_quote', 'a TDREPORT is not a quote: only its own platform can check it');
  const reader = new ByteReader(bytes, 'tdx_format');
  const { version, qeVendorId } = readHeader(reader);
  const body = readBody(reader, version);
  /** The bytes that the attestation key signs: header, body descriptor (version 5), and body. */
  const signed = bytes.subarray(0, reader.offset);
  const length = reader.u32le('length of the authentication data');
  const authentication = readAuthentication(reader.bytes(length, 'authentication data'));
  // Guests return a buffer of fixed size, padded with zeros.
  if (!isZero(reader.bytes(reader.remaining, 'filling'))) {
    throw new FormatError('tdx_trailing', 'nonzero bytes after the authentication data');
  }
  return { version, qeVendorId, body, signed, ...authentication };
}

/** r‖s of P-256. */
export const TD_QUOTE_SIGNATURE_LENGTH = 64;

const HEADER_LENGTH = 48;

/**
 * The offsets of the signatures in a TD quote: by the attestation key, then by the PCK key over the QE report. Reads
 * the version only. Returns none if the bytes are too short.
 */
export function signaturesOfTdQuote(bytes: Uint8Array): readonly number[] {
  if (bytes.byteLength < HEADER_LENGTH + 6) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isDescribed = view.getUint16(0, true) === 5;
  const body = isDescribed ? 6 + view.getUint32(HEADER_LENGTH + 2, true) : TD_BODY_LENGTH.td10;
  const signature = HEADER_LENGTH + body + 4;
  // The attestation key, type and length of the certification data, and the QE report are between the two signatures.
  const qeSignature = signature + 2 * TD_QUOTE_SIGNATURE_LENGTH + 6 + ENCLAVE_REPORT_LENGTH;
  return qeSignature + TD_QUOTE_SIGNATURE_LENGTH > bytes.byteLength ? [] : [signature, qeSignature];
}

function readHeader(reader: ByteReader) {
  const version = reader.u16le('version');
  const keyType = reader.u16le('attestation key type');
  const teeType = reader.u32le('TEE type');
  reader.bytes(4, 'reserved');
  const qeVendorId = reader.bytes(16, 'QE vendor id');
  reader.bytes(20, 'user data');
  if (teeType === TEE_SGX && version >= 3 && version <= 5) {
    throw new FormatError('type_mismatch', 'the quote is of an SGX enclave, not of a TD');
  }
  if (version !== 4 && version !== 5) throw new FormatError('tdx_format', `quote version ${version} is not 4 or 5`);
  if (keyType !== KEY_TYPE_P256) throw new FormatError('tdx_format', `attestation key type ${keyType} is not 2`);
  if (teeType !== TEE_TDX) throw new FormatError('tdx_format', 'TEE type is not that of TDX');
  return { version, qeVendorId } as const;
}

function readBody(reader: ByteReader, version: 4 | 5): TdReportBody {
  if (version === 4) return parseTdReportBody(reader.bytes(TD_BODY_LENGTH.td10, 'TD report body'));
  const type = reader.u16le('body type');
  const size = reader.u32le('body size');
  const expected = BODY_LENGTHS.get(type);
  if (expected === undefined)
    throw new FormatError(
      'tdx_format',
      `body type ${type} is not supported: 2 (TD 1.0), 3 (TD 1.5) and 4 (extended TD 1.5) are`,
    );
  if (size !== expected) throw new FormatError('tdx_format', `body of type ${type} claims to be ${size} bytes`);
  return parseTdReportBody(reader.bytes(size, 'TD report body'));
}

function readAuthentication(bytes: Uint8Array) {
  const reader = new ByteReader(bytes, 'tdx_format');
  const signature = reader.bytes(TD_QUOTE_SIGNATURE_LENGTH, 'quote signature');
  /** P-256 public key, X‖Y, 64 bytes. Not checked to be a point on the curve. */
  const attestationKey = reader.bytes(64, 'attestation key');
  const certification = readCertification(reader, CERTIFICATION.qeReport);
  return { signature, attestationKey, ...readQeCertification(certification) };
}

/** Reads the QE report certification data (type 6), which contains the PCK chain (type 5). */
function readQeCertification(bytes: Uint8Array) {
  const reader = new ByteReader(bytes, 'tdx_format');
  const report = parseEnclaveReport(reader.bytes(ENCLAVE_REPORT_LENGTH, 'QE report'));
  const signature = reader.bytes(TD_QUOTE_SIGNATURE_LENGTH, 'QE report signature');
  const size = reader.u16le('size of the QE authentication data');
  if (size > MAXIMUM_QE_AUTH_DATA) {
    throw new FormatError('tdx_format', `QE authentication data is ${size} bytes, at most 1024 are allowed`);
  }
  const authData = reader.bytes(size, 'QE authentication data');
  /** PCK certificate, its issuer, root. */
  const pckChain = pemText(readCertification(reader, CERTIFICATION.pckChain));
  return { qe: { report, signature, authData }, pckChain };
}

/** Reads certification data, which must fill the rest of its container. */
function readCertification(reader: ByteReader, expected: number): Uint8Array {
  const type = reader.u16le('certification data type');
  if (type !== expected) {
    throw new FormatError('tdx_format', `unsupported certification data: type ${type}, expected ${expected}`);
  }
  const length = reader.u32le('length of the certification data');
  const data = reader.bytes(length, 'certification data');
  reader.expectEnd();
  return data;
}

/**
 * Reads PEM text without the zeros after it; real machines end it with NUL. Returns a copy, not a view of the quote.
 * The PEM parser handles text between the blocks.
 */
function pemText(bytes: Uint8Array): string {
  let filled = bytes.byteLength;
  while (bytes[filled - 1] === 0) filled -= 1;
  if (filled > PEM_TEXT_BYTES) {
    throw new FormatError(
      'cert_format',
      `certification data is ${filled} bytes, at most ${PEM_TEXT_BYTES} are allowed`,
    );
  }
  const text = latin1(bytes.subarray(0, filled));
  if (!PEM_BEGIN.test(text)) throw new FormatError('tdx_format', 'certification data is not PEM');
  const end = text.lastIndexOf(PEM_END);
  if (end < 0) throw new FormatError('tdx_format', 'PEM of the certification data is cut short');
  if (!LINE_END.test(text.slice(end + PEM_END.length))) {
    throw new FormatError('tdx_trailing', 'nonzero bytes after the last PEM line');
  }
  return text;
}
