import { sha256 } from '../crypto/digest.js';
import { withoutFilling } from '../formats/der.js';
import { parseEventLog } from '../formats/event-log.js';
import { parsePemBlocks, splitVcekChain } from '../formats/pem.js';
import { parseSnpReport, SNP_REPORT_LENGTH } from '../formats/snp-report.js';
import { parseTdQuote } from '../formats/td-quote.js';
import { parseTpmsQuote, type TpmsQuote } from '../formats/tpms-attest.js';
import { parseTpmSignature } from '../formats/tpmt-signature.js';
import { parseCertificate, type X509Certificate } from '../formats/x509-certificate.js';
import { EXTENSION, onlyExtension, parseExtendedKeyUsage } from '../formats/x509-extension.js';
import { isSameBytes, latin1 } from '../model/bytes.js';
import { nullIfMalformed } from '../model/errors.js';
import type { StructureKind } from '../model/evidence.js';
import { nearNames, quotedName } from '../model/names-in-messages.js';
import { CollectError } from './collect-error.js';
import {
  EVIDENCE_FILES,
  type EvidenceContents,
  type EvidenceFileKey,
  keyOfName,
  type RawFile,
} from './evidence-files.js';
import { readAmdCertification, readTdQuote } from './metadata-service.js';
import { isDigestOf, readPcrValues } from './pcr-values.js';

/** Every kind that bytes could be of, by what no other kind has. */
export type Recognise = (bytes: Uint8Array) => readonly StructureKind[];

export interface RecognisedFiles {
  readonly contents: EvidenceContents;
  /** For people: files that are not used, and files whose name says something else than their content. */
  readonly notes: readonly string[];
}

/** What a file holds: one part of the evidence, or several, as an extended report does. */
type Parts = readonly (readonly [EvidenceFileKey, Uint8Array])[];

/** A TPM signature without a TPMT_SIGNATURE around it has the length of the modulus: RSA 2048, 3072 or 4096. */
const RSA_SIGNATURE_BYTES: readonly number[] = [256, 384, 512];

/** AMD's arc of certificate extensions (VCEK specification, 57230, table 8): VCEK and VLEK have them, and no other. */
const AMD_EXTENSIONS = '1.3.6.1.4.1.3704.1.';
/** TCG EK credential profile, 3.2.16: the certificate is of an attestation key. */
const ATTESTATION_KEY = '2.23.133.8.3';
const AMD_ORGANISATION = 'Advanced Micro Devices';

/**
 * Assigns files to the parts of evidence that they hold. The content decides. The name decides only where the content of
 * several kinds looks the same: PCR values, signatures, runtime data. Nothing is verified.
 *
 * @throws {CollectError} `evidence_files` if two files hold the same part, and the name of neither says which one is meant
 */
export function recogniseFiles(files: readonly RawFile[], recognise: Recognise): RecognisedFiles {
  const first = files.map((file) => ({ file, parts: partsByContent(file.bytes, recognise) }));
  const known = new Map(first.flatMap(({ parts }) => parts ?? []));
  const found = first.map(({ file, parts }) => ({ file, parts: parts ?? partsByOthers(file, known) }));
  const contents = new Map<EvidenceFileKey, Uint8Array>();
  const notes: string[] = [];
  const holders = new Map<EvidenceFileKey, string>();
  // A file whose name says what its content is goes before the others.
  for (const { file, parts } of found.toSorted((a, b) => Number(isWellNamed(b)) - Number(isWellNamed(a)))) {
    if (parts.length === 0) {
      notes.push(leftOut(file.name));
      continue;
    }
    const taken = parts.map(([key]) => holders.get(key)).find((holder) => holder !== undefined);
    if (taken !== undefined) {
      notes.push(secondOf(file.name, taken, parts));
      continue;
    }
    for (const [key, bytes] of parts) {
      contents.set(key, bytes);
      holders.set(key, file.name);
    }
    if (!isWellNamed({ file, parts })) notes.push(...renamed(file.name, parts));
  }
  return { contents, notes };
}

/** @throws {CollectError} where neither name says which of two files is meant */
function secondOf(name: string, other: string, parts: Parts): string {
  const what = parts.map(([key]) => EVIDENCE_FILES[key].what).join(', ');
  if (keyOfName(other) !== null) return `${quotedName(name)} is left out: ${quotedName(other)} has the ${what} already`;
  throw new CollectError(
    'evidence_files',
    `${quotedName(other)} and ${quotedName(name)} both hold the ${what}: leave one out`,
  );
}

function leftOut(name: string): string {
  const [near] = nearNames(
    name,
    Object.values(EVIDENCE_FILES).map((file) => file.name),
  );
  const meant = near === undefined || near === name ? '' : `; did you mean ${near}?`;
  return `${quotedName(name)} is left out: neither its content nor its name is of evidence${meant}`;
}

/** A name of evidence over other content is a mistake that people want to hear of; any other name is not. */
function renamed(name: string, parts: Parts): readonly string[] {
  if (keyOfName(name) === null) return [];
  const held = parts.map(([key]) => EVIDENCE_FILES[key]);
  return [
    `${quotedName(name)} holds the ${held.map(({ what }) => what).join(', ')}, and is used as ${held.map((file) => file.name).join(', ')}`,
  ];
}

function isWellNamed({ file, parts }: { readonly file: RawFile; readonly parts: Parts }): boolean {
  const key = keyOfName(file.name);
  return key !== null && parts.some(([part]) => part === key);
}

/** Null where the content of this file alone does not say it. */
function partsByContent(bytes: Uint8Array, recognise: Recognise): Parts | null {
  const [kind, ...others] = recognise(bytes);
  if (kind === undefined) return partsOfAnswer(bytes);
  return others.length > 0 ? null : partsOf(kind, bytes);
}

function partsOf(kind: StructureKind, bytes: Uint8Array): Parts | null {
  switch (kind) {
    case 'snp-report':
      return [['report', bytes]];
    case 'snp-extended-report':
      return [
        ['report', bytes.subarray(0, SNP_REPORT_LENGTH)],
        ['certificateTable', bytes.subarray(SNP_REPORT_LENGTH)],
      ];
    case 'snp-certificate-table':
      return [['certificateTable', bytes]];
    case 'hcl-report':
      return [['hcl', bytes]];
    case 'td-quote':
      return [['tdQuote', bytes]];
    case 'tpm-quote':
      return [['quoteMessage', bytes]];
    case 'collateral':
      return [['collateral', bytes]];
    case 'crl':
      return [['crl', bytes]];
    case 'certificate':
      return partsOfCertificate(bytes);
    case 'pem':
      return partsOfPem(bytes);
    // The other files say which log it is; a TDREPORT and a token are no part of evidence.
    default:
      return null;
  }
}

/** Answers of the metadata service are JSON with members of their own. */
function partsOfAnswer(bytes: Uint8Array): Parts | null {
  if (isAnswer(() => readAmdCertification(bytes))) return [['certification', bytes]];
  return isAnswer(() => readTdQuote(bytes)) ? [['tdQuoteAnswer', bytes]] : null;
}

function isAnswer(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof CollectError) return false;
    throw error;
  }
}

/** The zeros that fill the NV index of an AK certificate stay: whoever reads it drops them. */
function partsOfCertificate(bytes: Uint8Array): Parts | null {
  const certificate = certificateOf(withoutFilling(bytes));
  const key = certificate === null ? null : leafKeyOf(certificate);
  return key === null ? null : [[key, bytes]];
}

function partsOfPem(bytes: Uint8Array): Parts | null {
  const blocks = nullIfMalformed(() => parsePemBlocks(latin1(bytes)));
  const [first] = blocks ?? [];
  if (blocks === null || first === undefined) return null;
  if (first.label === 'X509 CRL') return blocks.length === 1 ? [['crl', first.der]] : null;
  const certificate = certificateOf(first.der);
  const key = certificate === null ? null : leafKeyOf(certificate);
  if (key === null) return certificate === null ? null : [[chainKeyOf(certificate), bytes]];
  // Azure writes a VCEK and its chain into one text.
  const { vek, chain } = splitVcekChain(bytes);
  const leaf = key === 'vek' ? Buffer.from(vek) : first.der;
  const above = key === 'vek' ? 'chain' : 'akChain';
  return chain === null
    ? [[key, leaf]]
    : [
        [key, leaf],
        [above, Buffer.from(chain)],
      ];
}

function certificateOf(der: Uint8Array): X509Certificate | null {
  return nullIfMalformed(() => parseCertificate(der, { allowZeroSerial: true }));
}

/** Azure's CAs for attestation keys carry the key purpose of their leaves too. */
function leafKeyOf({ extensions, basicConstraints }: X509Certificate): 'vek' | 'akCertificate' | null {
  if (extensions.some(({ oid }) => oid.startsWith(AMD_EXTENSIONS))) return 'vek';
  if (basicConstraints?.ca === true) return null;
  const usage = onlyExtension(extensions, EXTENSION.extendedKeyUsage);
  const purposes = usage === null ? [] : (nullIfMalformed(() => parseExtendedKeyUsage(usage)) ?? []);
  return purposes.includes(ATTESTATION_KEY) ? 'akCertificate' : null;
}

function chainKeyOf({ issuer }: X509Certificate): 'chain' | 'akChain' {
  return latin1(issuer.der).includes(AMD_ORGANISATION) ? 'chain' : 'akChain';
}

/** What the other files tell of a file: the log of a TD or of a vTPM, values that a quote was made over, hashed data. */
function partsByOthers({ name, bytes }: RawFile, known: EvidenceContents): Parts {
  const message = known.get('quoteMessage');
  const quote = message === undefined ? null : nullIfMalformed(() => parseTpmsQuote(message));
  const key =
    (quote !== null && isOver(bytes, quote) ? 'pcrs' : null) ??
    (isRuntimeData(bytes, known) ? 'runtimeData' : null) ??
    logKeyOf(bytes, known) ??
    keyOfName(name) ??
    (quote !== null && isSignature(bytes) ? 'quoteSignature' : null);
  return key === null ? [] : [[key, bytes]];
}

function isOver(bytes: Uint8Array, quote: TpmsQuote): boolean {
  const values = nullIfMalformed(() => readPcrValues(bytes, quote));
  return values !== null && isDigestOf(values, quote);
}

/** An HCL report has its runtime data inside. */
function isRuntimeData(bytes: Uint8Array, known: EvidenceContents): boolean {
  if (known.has('hcl')) return false;
  const [report, quote] = [known.get('report'), known.get('tdQuote')];
  const data =
    report === undefined
      ? quote && nullIfMalformed(() => parseTdQuote(quote).body.reportData)
      : nullIfMalformed(() => parseSnpReport(report).reportData);
  return data !== undefined && data !== null && isSameBytes(data.subarray(0, 32), sha256(bytes));
}

function logKeyOf(bytes: Uint8Array, known: EvidenceContents): EvidenceFileKey | null {
  const log = nullIfMalformed(() => parseEventLog(bytes, bytes.byteLength));
  if (log === null || log.events.length === 0) return null;
  if (!known.has('quoteMessage') && (known.has('tdQuote') || known.has('tdQuoteAnswer'))) return 'ccel';
  return log.format === 'cel-json' || log.format === 'cel-tlv' ? 'systemLog' : 'eventLog';
}

function isSignature(bytes: Uint8Array): boolean {
  return (
    RSA_SIGNATURE_BYTES.includes(bytes.byteLength) || nullIfMalformed(() => parseTpmSignature(bytes, null)) !== null
  );
}
