import { parseEventLog } from '../boot/format/event-log.js';
import type { MeasuredEvent } from '../boot/format/measured-event.js';
import { isCryptoAgile } from '../boot/format/tcg-event-log.js';
import { PCR_LAYOUT } from '../boot/register-layout.js';
import { hex, latin1 } from '../core/bytes.js';
import { FormatError, nullIfMalformed } from '../core/errors.js';
import type { StructureFile, StructureKind } from '../core/evidence.js';
import { listedNames } from '../core/names-in-messages.js';
import { decodeBase64, decodeHex } from '../formats/base64.js';
import { withoutFilling } from '../formats/der.js';
import { PEM_TEXT_BYTES, parsePemBlocks } from '../formats/pem.js';
import { parseCertificate, type X509Certificate } from '../formats/x509-certificate.js';
import { parseCrlFrame } from '../formats/x509-crl.js';
import { parseHclReport } from '../tee/azure/format/hcl-report.js';
import { beginsAsSnpReport, structureOf } from '../tee/format/structure-kind.js';
import { parseSnpCertificateTable, type SnpCertificateTable } from '../tee/snp/format/snp-certificate-table.js';
import { SNP_REPORT_LENGTH } from '../tee/snp/format/snp-report.js';
import { isTdReport, TD_REPORT_LENGTH } from '../tee/tdx/format/td-report.js';
import { parseCollateralFile } from '../tee/tdx/intel/collateral-file.js';
import { describeHclReport, describeTpmQuote } from './describe-azure-evidence.js';
import { describeCertificate } from './describe-certificate.js';
import { describeCollateral } from './describe-collateral.js';
import { describeCrl } from './describe-crl.js';
import { describeSnpReport } from './describe-snp-report.js';
import { describeTdQuote, describeTdReport } from './describe-td-quote.js';
import { describeToken } from './describe-token.js';
import { isKnownType } from './event-names.js';
import { type StructureDescription, startIn } from './field-description.js';

type Structures = readonly StructureDescription[];

/** The place of a single structure. */
export interface RawPlace {
  /** JSON pointer; empty for a file. */
  readonly about: string;
  /** The longest accepted text in PEM. */
  readonly pemBytes: number;
}

/** Pointer to the bytes of a single structure in a request. */
export const STRUCTURE_VALUE = '/value';

/** A file of any length. */
export const IN_FILE: RawPlace = { about: '', pemBytes: Number.POSITIVE_INFINITY };

/** A member of a request, whose certificates are not verified. */
export function inMember(about: string): RawPlace {
  return { about, pemBytes: PEM_TEXT_BYTES };
}

interface RawKind {
  /** Its name in messages, with article. */
  readonly name: string;
  /** Whether bytes have the marks of this kind, which no other kind has. They may still be malformed. */
  looksLike(bytes: Uint8Array): boolean;
  /** @throws {FormatError} if they are malformed */
  describe(bytes: Uint8Array, place: RawPlace): Structures;
}

const TOKEN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\s*$/;

/** Every kind of structure that is recognised alone. Bytes that match two kinds are rejected as ambiguous. */
const KINDS: { readonly [K in StructureKind]: RawKind } = {
  'snp-report': {
    name: 'an SNP report',
    looksLike: (bytes) => structureOf(bytes) === 'SNP report',
    describe: (bytes, { about }) => [describeSnpReport(bytes, about)],
  },
  'snp-extended-report': {
    name: 'an SNP extended report',
    looksLike: (bytes) => beginsAsSnpReport(bytes) && tableIn(bytes.subarray(SNP_REPORT_LENGTH)) !== null,
    describe: (bytes, place) => [
      describeSnpReport(bytes.subarray(0, SNP_REPORT_LENGTH), place.about),
      ...describeTable(bytes.subarray(SNP_REPORT_LENGTH), place).map((certificate) => ({
        ...certificate,
        start: certificate.start === null ? null : SNP_REPORT_LENGTH + certificate.start,
      })),
    ],
  },
  'snp-certificate-table': {
    name: 'an SNP certificate table',
    looksLike: isCertificateTable,
    describe: describeTable,
  },
  'hcl-report': {
    name: 'an HCL report',
    looksLike: (bytes) => structureOf(bytes) === 'HCL report',
    describe: describeHcl,
  },
  'td-quote': {
    name: 'a TD quote',
    looksLike: (bytes) => structureOf(bytes) === 'TD quote',
    describe: (bytes, { about }) => describeTdQuote(bytes, about),
  },
  'td-report': {
    name: 'a TDREPORT',
    looksLike: (bytes) => bytes.byteLength === TD_REPORT_LENGTH && isTdReport(bytes),
    describe: (bytes, { about }) => [describeTdReport(bytes, about)],
  },
  'tpm-quote': {
    name: 'a TPM quote',
    looksLike: (bytes) => structureOf(bytes) === 'TPM quote',
    describe: describeQuoteAlone,
  },
  pem: {
    name: 'certificates or CRLs in PEM',
    // Only at the start: a TD quote contains certificates in PEM too.
    looksLike: (bytes) => /^\s*-----BEGIN (CERTIFICATE|X509 CRL)-----/.test(structureText(bytes)),
    describe: (bytes, { about, pemBytes }) =>
      parsePemBlocks(structureText(bytes), pemBytes).map(({ label, der }) =>
        label === 'CERTIFICATE'
          ? describeCertificate(certificateIn(der), 'certificate', about, null)
          : describeCrl(der, about, null),
      ),
  },
  certificate: {
    name: 'a certificate in DER',
    // In an NV index of a TPM, zeros fill the rest.
    looksLike: (bytes) => nullIfMalformed(() => certificateIn(withoutFilling(bytes))) !== null,
    describe: (bytes, { about }) => [
      describeCertificate(certificateIn(withoutFilling(bytes)), 'certificate', about, 0),
    ],
  },
  crl: {
    name: 'a CRL in DER',
    // The entries, which can be tens of thousands, do not affect its kind.
    looksLike: (bytes) => nullIfMalformed(() => parseCrlFrame(bytes)) !== null,
    describe: (bytes, { about }) => [describeCrl(bytes, about, 0)],
  },
  token: {
    name: 'a token',
    looksLike: (bytes) => TOKEN.test(structureText(bytes)),
    describe: (bytes, { about }) => describeToken(structureText(bytes).trim(), about),
  },
  // Described by its replay.
  'event-log': { name: 'an event log', looksLike: isEventLog, describe: () => [] },
  collateral: {
    name: 'TDX collateral in JSON',
    looksLike: (bytes) => nullIfMalformed(() => parseCollateralFile(bytes)) !== null,
    describe: (bytes, { about }) => describeCollateral(parseCollateralFile(bytes), about),
  },
};

/** The supported structures. */
export const STRUCTURE_KINDS = Object.keys(KINDS) as readonly StructureKind[];

/** The name of a kind in messages, with article. */
export function nameOfKind(kind: StructureKind): string {
  return KINDS[kind].name;
}

/** The kinds that bytes resemble. Exactly one counts as recognised. */
export function recogniseRaw(bytes: Uint8Array): readonly StructureKind[] {
  return STRUCTURE_KINDS.filter((kind) => KINDS[kind].looksLike(bytes));
}

/**
 * Describes a structure field by field; nothing for an event log, whose replay is shown. Verifies nothing.
 *
 * @throws {FormatError} if the bytes are not such a structure
 */
export function describeRaw(bytes: Uint8Array, kind: StructureKind, place: RawPlace): Structures {
  return KINDS[kind].describe(bytes, place);
}

/**
 * Recognises the kind of a structure. Unknown bytes reach the parser of the requested kind, which
 * reports their fault.
 *
 * @throws {FormatError} `type_mismatch` for bytes of another kind than requested; `type_unsupported` if the request names
 *   none, and the bytes match none or several
 */
export function kindOfStructure({ as, value }: StructureFile): StructureKind {
  const found = recogniseRaw(value);
  const looks = found.map(nameOfKind).join(' as well as ');
  if (as !== null) {
    if (found.length === 0 || found.includes(as)) return as;
    throw new FormatError('type_mismatch', `this is ${looks}, expected ${nameOfKind(as)}`, {
      pointer: STRUCTURE_VALUE,
    });
  }
  const [kind, ...others] = found;
  if (kind !== undefined && others.length === 0) return kind;
  const message =
    kind === undefined
      ? `${remarkOnRaw(value) ?? 'this is nothing that is recognised'}; recognised are ${listedNames(STRUCTURE_KINDS.map(nameOfKind))}`
      : `this looks like ${looks}: say in the member as what it is, ${listedNames(found)}`;
  throw new FormatError('type_unsupported', message, { pointer: STRUCTURE_VALUE });
}

/** Why bytes in another encoding are not accepted; null if no reason is found. */
export function remarkOnRaw(bytes: Uint8Array): string | null {
  const text = structureText(bytes);
  if (/^(?:\xff\xfe|\xfe\xff)/.test(text)) return 'it is UTF-16 text: save it as UTF-8';
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return 'it holds a private key, which is never needed here';
  if (isSgxQuote(bytes)) return 'it is a quote of an SGX enclave, not of a TD';
  const line = text.replaceAll(/\s/g, '');
  const [inHex, inBase64] = [decoded(line, decodeHex), decoded(line, decodeBase64)];
  if (inHex !== null) return `it is ${inHex} written in hex: turn it into bytes first (xxd -r -p)`;
  return inBase64 === null ? null : `it is ${inBase64} written in base64: turn it into bytes first (base64 -d)`;
}

/** The marks by which raw files are recognised. */
export const RAW_RECOGNISER = { recognise: recogniseRaw, remark: remarkOnRaw, nameOf: nameOfKind };

/** An SGX quote of version 3 to 5: TEE type 0, and Intel's id as vendor of the quoting enclave (Intel DCAP, quote header). */
function isSgxQuote(bytes: Uint8Array): boolean {
  const header = hex(bytes.subarray(0, 28));
  return /^0[345]00[0-9a-f]{4}0{8}[0-9a-f]{8}939a7233f79c4ca9940a0db3957f0607$/.test(header);
}

function decoded(text: string, decode: (text: string) => Uint8Array): string | null {
  const bytes = nullIfMalformed(() => decode(text));
  const [kind] = bytes === null ? [] : recogniseRaw(bytes);
  return kind === undefined ? null : nameOfKind(kind);
}

/** A single quote has no PCR values, which are sent beside a quote. */
function describeQuoteAlone(message: Uint8Array, { about }: RawPlace): Structures {
  const [quote] = describeTpmQuote({ message, signature: new Uint8Array(), pcrs: new Map() }, about);
  return quote === undefined ? [] : [{ ...quote, about }];
}

function describeHcl(bytes: Uint8Array, { about }: RawPlace): Structures {
  const { reportType, hardwareReport } = parseHclReport(bytes);
  const inside =
    reportType === 'snp'
      ? [describeSnpReport(hardwareReport, about)]
      : reportType === 'tdx'
        ? [describeTdReport(hardwareReport.subarray(0, TD_REPORT_LENGTH), about)]
        : [];
  const start = startIn(bytes, hardwareReport);
  return [...describeHclReport(bytes, about), ...inside.map((structure) => ({ ...structure, start }))];
}

function describeTable(bytes: Uint8Array, { about }: RawPlace): Structures {
  return Object.entries(parseSnpCertificateTable(bytes)).map(([kind, der]) =>
    describeCertificate(certificateIn(der), kind.toUpperCase(), about, startIn(bytes, der)),
  );
}

/** VCEKs have the serial number zero. */
function certificateIn(der: Uint8Array): X509Certificate {
  return parseCertificate(der, { allowZeroSerial: true });
}

/** The other formats have no mark: only a complete parse identifies them. */
function isEventLog(bytes: Uint8Array): boolean {
  if (isCryptoAgile(bytes)) return true;
  const log = nullIfMalformed(() => parseEventLog(bytes, bytes.byteLength));
  return log !== null && log.events.length > 0 && log.events.every(isPlausible);
}

function isPlausible({ index, type }: MeasuredEvent): boolean {
  return PCR_LAYOUT.indices.includes(index) && (type === null || isKnownType(type));
}

/** Whether bytes are a certificate table. All zeros are valid only after a report: hosts without certificates send them. */
function isCertificateTable(bytes: Uint8Array): boolean {
  return Object.keys(tableIn(bytes) ?? {}).length > 0;
}

function tableIn(bytes: Uint8Array): SnpCertificateTable | null {
  return nullIfMalformed(() => parseSnpCertificateTable(bytes));
}

/** One character per byte. */
function structureText(bytes: Uint8Array): string {
  return latin1(bytes);
}
