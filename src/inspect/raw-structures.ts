import { decodeBase64, decodeHex } from '../formats/base64.js';
import { parseEventLog } from '../formats/event-log.js';
import { parseHclReport } from '../formats/hcl-report.js';
import type { MeasuredEvent } from '../formats/measured-event.js';
import { parsePemBlocks } from '../formats/pem.js';
import { parseSnpCertificateTable } from '../formats/snp-certificate-table.js';
import { SNP_REPORT_LENGTH } from '../formats/snp-report.js';
import { beginsAsSnpReport, structureOf } from '../formats/structure-kind.js';
import { isCryptoAgile } from '../formats/tcg-event-log.js';
import { isTdReport, TD_REPORT_LENGTH } from '../formats/td-report.js';
import { parseCertificate, type X509Certificate } from '../formats/x509-certificate.js';
import { parseCrl } from '../formats/x509-crl.js';
import { PCR_LAYOUT } from '../measured-boot/register-layout.js';
import { latin1 } from '../model/bytes.js';
import { nullIfMalformed } from '../model/errors.js';
import { parseCollateralFile } from '../vendors/intel/collateral-file.js';
import { describeHclReport, describeTpmQuote } from './describe-azure-evidence.js';
import { describeCertificate } from './describe-certificate.js';
import { describeCollateral, describeCrl } from './describe-collateral.js';
import { describeSnpReport } from './describe-snp-report.js';
import { describeTdQuote, describeTdReport } from './describe-td-quote.js';
import { describeToken } from './describe-token.js';
import { isKnownType } from './event-names.js';
import type { StructureDescription } from './field-description.js';

type Structures = readonly StructureDescription[];

interface RawKind {
  /** With its article, as messages name it. */
  readonly name: string;
  /** Whether bytes are of this kind, by what no other kind has. They may be malformed all the same. */
  looksLike(bytes: Uint8Array): boolean;
  /** @throws {FormatError} where they are malformed */
  describe(bytes: Uint8Array, eventLogBytes: number): Structures;
}

const TOKEN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\s*$/;
/** An event log by itself, as files are recognised. */
export const EVENT_LOG = 'an event log';

/** Every kind of file that is recognised on its own. A file that matches two kinds is taken for neither. */
const KINDS: readonly RawKind[] = [
  {
    name: 'an SNP report',
    looksLike: (bytes) => structureOf(bytes) === 'SNP report',
    describe: (bytes) => [describeSnpReport(bytes, '')],
  },
  {
    name: 'an SNP extended report',
    looksLike: (bytes) => beginsAsSnpReport(bytes) && isCertificateTable(bytes.subarray(SNP_REPORT_LENGTH)),
    describe: (bytes) => [
      describeSnpReport(bytes.subarray(0, SNP_REPORT_LENGTH), ''),
      ...describeTable(bytes.subarray(SNP_REPORT_LENGTH)),
    ],
  },
  { name: 'an SNP certificate table', looksLike: isCertificateTable, describe: describeTable },
  { name: 'an HCL report', looksLike: (bytes) => structureOf(bytes) === 'HCL report', describe: describeHcl },
  {
    name: 'a TD quote',
    looksLike: (bytes) => structureOf(bytes) === 'TD quote',
    describe: (bytes) => describeTdQuote(bytes, ''),
  },
  {
    name: 'a TDREPORT',
    looksLike: (bytes) => bytes.byteLength === TD_REPORT_LENGTH && isTdReport(bytes),
    describe: (bytes) => [describeTdReport(bytes, '')],
  },
  {
    name: 'a TPM quote',
    looksLike: (bytes) => structureOf(bytes) === 'TPM quote',
    describe: describeQuoteAlone,
  },
  {
    name: 'certificates or CRLs in PEM',
    // At the start: a TD quote carries certificates in PEM too.
    looksLike: (bytes) => /^\s*-----BEGIN (CERTIFICATE|X509 CRL)-----/.test(textOf(bytes)),
    describe: (bytes) =>
      parsePemBlocks(textOf(bytes)).map(({ label, der }) =>
        label === 'CERTIFICATE' ? describeCertificate(certificateIn(der), 'certificate', '') : describeCrl(der, ''),
      ),
  },
  {
    name: 'a certificate in DER',
    looksLike: (bytes) => nullIfMalformed(() => certificateIn(bytes)) !== null,
    describe: (bytes) => [describeCertificate(certificateIn(bytes), 'certificate', '')],
  },
  {
    name: 'a CRL in DER',
    looksLike: (bytes) => nullIfMalformed(() => parseCrl(bytes)) !== null,
    describe: (bytes) => [describeCrl(bytes, '')],
  },
  {
    name: 'a token',
    looksLike: (bytes) => TOKEN.test(textOf(bytes)),
    describe: (bytes) => describeToken(textOf(bytes).trim(), ''),
  },
  // Described by what it replays to.
  { name: EVENT_LOG, looksLike: isEventLog, describe: () => [] },
  {
    name: 'TDX collateral in JSON',
    looksLike: (bytes) => nullIfMalformed(() => parseCollateralFile(bytes)) !== null,
    describe: (bytes) => describeCollateral(parseCollateralFile(bytes), ''),
  },
];

/** Names of what is understood. */
export const RAW_KINDS: readonly string[] = KINDS.map(({ name }) => name);

/** Names of what bytes look like. One is an answer, none or several are not. */
export function recogniseRaw(bytes: Uint8Array): readonly string[] {
  return KINDS.filter((kind) => kind.looksLike(bytes)).map(({ name }) => name);
}

/**
 * What a file says, field by field. Verifies nothing.
 *
 * @param name one of those that `recogniseRaw` gives for these bytes
 * @param eventLogBytes the longest event log that is read
 * @throws {FormatError} where the bytes look like what is named, and are malformed
 */
export function describeRaw(bytes: Uint8Array, name: string, eventLogBytes: number): Structures {
  return KINDS.filter((kind) => kind.name === name).flatMap((kind) => kind.describe(bytes, eventLogBytes));
}

/** What makes bytes unreadable that could be read otherwise; null where nothing is known. */
export function remarkOnRaw(bytes: Uint8Array): string | null {
  const text = textOf(bytes);
  if (/^(?:\xff\xfe|\xfe\xff)/.test(text)) return 'it is UTF-16 text: save it as UTF-8';
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return 'it holds a private key, which is never needed here';
  const line = text.replaceAll(/\s/g, '');
  const [inHex, inBase64] = [decoded(line, decodeHex), decoded(line, decodeBase64)];
  if (inHex !== null) return `it is ${inHex} written in hex: turn it into bytes first (xxd -r -p)`;
  return inBase64 === null ? null : `it is ${inBase64} written in base64: turn it into bytes first (base64 -d)`;
}

function decoded(text: string, decode: (text: string) => Uint8Array): string | null {
  const bytes = nullIfMalformed(() => decode(text));
  return bytes === null ? null : (recogniseRaw(bytes)[0] ?? null);
}

/** Values of PCRs are sent beside a quote: by itself it has none. */
function describeQuoteAlone(message: Uint8Array): Structures {
  const [quote] = describeTpmQuote({ message, signature: new Uint8Array(), pcrs: new Map() }, '');
  return quote === undefined ? [] : [{ ...quote, about: '' }];
}

function describeHcl(bytes: Uint8Array): Structures {
  const { reportType, hardwareReport } = parseHclReport(bytes);
  const inside =
    reportType === 'snp'
      ? [describeSnpReport(hardwareReport, '')]
      : reportType === 'tdx'
        ? [describeTdReport(hardwareReport.subarray(0, TD_REPORT_LENGTH), '')]
        : [];
  return [...describeHclReport(bytes, ''), ...inside];
}

function describeTable(bytes: Uint8Array): Structures {
  return Object.entries(parseSnpCertificateTable(bytes)).map(([kind, der]) =>
    describeCertificate(certificateIn(der), kind.toUpperCase(), ''),
  );
}

/** VCEKs have the serial number zero. */
function certificateIn(der: Uint8Array): X509Certificate {
  return parseCertificate(der, { allowZeroSerial: true });
}

/** The other formats have nothing that tells them from other files but that they are one, to the end. */
function isEventLog(bytes: Uint8Array): boolean {
  if (isCryptoAgile(bytes)) return true;
  const log = nullIfMalformed(() => parseEventLog(bytes, bytes.byteLength));
  return log !== null && log.events.length > 0 && log.events.every(isPlausible);
}

function isPlausible({ index, type }: MeasuredEvent): boolean {
  return PCR_LAYOUT.indices.includes(index) && (type === null || isKnownType(type));
}

/** All zeros would be a valid, empty table. */
function isCertificateTable(bytes: Uint8Array): boolean {
  const table = nullIfMalformed(() => parseSnpCertificateTable(bytes));
  return table !== null && Object.keys(table).length > 0;
}

/** One character a byte. */
function textOf(bytes: Uint8Array): string {
  return latin1(bytes);
}
