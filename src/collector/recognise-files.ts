import { parseEventLog } from '../boot/format/event-log.js';
import { base64, isSameBytes, latin1 } from '../core/bytes.js';
import { nullIfMalformed } from '../core/errors.js';
import type { StructureKind } from '../core/evidence.js';
import { isObject } from '../core/json.js';
import { meantHint, quotedName } from '../core/names-in-messages.js';
import { sha256 } from '../crypto/digest.js';
import { isSameName } from '../formats/distinguished-name.js';
import { parsePemCertificates, pemOf } from '../formats/pem.js';
import { parseStrictJson } from '../formats/strict-json.js';
import { parseCertificate, type X509Certificate } from '../formats/x509-certificate.js';
import { isTpmSignature, logPartOf, partsOfStructure } from '../tee/format/evidence-parts.js';
import { parseSnpReport } from '../tee/snp/format/snp-report.js';
import { parseTdQuote } from '../tee/tdx/format/td-quote.js';
import { readPcrValues } from '../tee/tpm/format/pcr-values.js';
import { parseTpmsQuote, type TpmsQuote } from '../tee/tpm/format/tpms-attest.js';
import { CollectError } from './collect-error.js';
import { readAmdCertification, readTdQuote } from './evidence-body.js';
import {
  EVIDENCE_FILES,
  type EvidenceContents,
  type EvidenceFileKey,
  keyOfName,
  type RawFile,
} from './evidence-files.js';
import { isDigestOf } from './pcr-values.js';

/** Recognises the kind of bytes. */
export interface Recogniser {
  /** Lists the kinds of structure that bytes may be. */
  readonly recognise: (bytes: Uint8Array) => readonly StructureKind[];
  /** Why decodable bytes, such as base64, are not accepted; null if no reason is found. */
  readonly remark: (bytes: Uint8Array) => string | null;
  readonly nameOf: (kind: StructureKind) => string;
}

export interface RecognisedFiles {
  readonly contents: EvidenceContents;
  /** Messages about unused files, and files whose name contradicts their content. */
  readonly notes: readonly string[];
}

/** The content of a file: one part of the evidence, or several, as in an extended report. */
type Parts = readonly (readonly [EvidenceFileKey, Uint8Array])[];

/**
 * Assigns files to parts of evidence, by their content. The name only decides if several kinds have
 * the same form: PCR values, signatures, runtime data. Verifies nothing.
 *
 * @throws {CollectError} `evidence_files` if two files are the same part, and no name selects one
 */
export function recogniseFiles(files: readonly RawFile[], recogniser: Recogniser): RecognisedFiles {
  const first = files.map((file) => ({ file, parts: partsByContent(file.bytes, recogniser) }));
  const known = new Map(first.flatMap(({ parts }) => parts));
  const second = first.map(({ file, parts }) => ({
    file,
    parts: parts.length > 0 ? parts : partsByOthers(file.bytes, known),
  }));
  const assigned = new Map(second.flatMap(({ parts }) => parts));
  const found = second.map(({ file, parts }) => ({
    file,
    parts: parts.length > 0 || recogniser.remark(file.bytes) !== null ? parts : partsByName(file, assigned),
  }));
  const contents = new Map<EvidenceFileKey, Uint8Array>();
  const notes: string[] = [];
  const holders = new Map<EvidenceFileKey, string>();
  // A file whose name matches its content takes precedence.
  for (const { file, parts } of found.toSorted((a, b) => Number(isWellNamed(b)) - Number(isWellNamed(a)))) {
    if (parts.length === 0) {
      notes.push(`${quotedName(file.name)} is left out: ${whyLeftOut(file, recogniser)}`);
      continue;
    }
    const taken = parts.map(([key]) => holders.get(key)).find((holder) => holder !== undefined);
    const joined = taken === undefined || keyOfName(taken) !== null ? null : joinedChain(parts, contents);
    if (taken !== undefined && joined === null) {
      notes.push(secondOf(file.name, taken, parts));
      continue;
    }
    for (const [key, bytes] of joined ?? parts) {
      contents.set(key, bytes);
      holders.set(key, file.name);
    }
    if (!isWellNamed({ file, parts })) notes.push(...renamed(file.name, parts));
  }
  return { contents, notes };
}

/** @throws {CollectError} if no name selects one of two files */
function secondOf(name: string, other: string, parts: Parts): string {
  const what = parts.map(([key]) => contentOf(key)).join(', ');
  if (keyOfName(other) !== null) return `${quotedName(name)} is left out: ${quotedName(other)} has ${what} already`;
  throw new CollectError(
    'evidence_files',
    `${quotedName(other)} and ${quotedName(name)} both hold ${what}: leave one out`,
  );
}

/** Some descriptions continue the previous one in the list. */
function contentOf(key: EvidenceFileKey): string {
  const { name, what } = EVIDENCE_FILES[key];
  return /^(?:its|or|AMD's) /.test(what) ? `the content of ${name}` : `the ${what}`;
}

/** Joins certificates in separate files to the chain, each before its issuer. Null for other parts. */
function joinedChain([part, ...others]: Parts, contents: EvidenceContents): Parts | null {
  if (part === undefined || others.length > 0 || !CHAINS.includes(part[0])) return null;
  const [key, bytes] = part;
  const certificates = nullIfMalformed(() =>
    [contents.get(key) ?? new Uint8Array(), bytes]
      .flatMap((pem) => parsePemCertificates(latin1(pem), 'cert_chain'))
      .map((der) => parseCertificate(der)),
  );
  if (certificates === null) return null;
  const each = new Map(certificates.map((certificate) => [base64(certificate.der, 'base64'), certificate]));
  const chain = fromTheLeaf([...each.values()]);
  return [[key, Buffer.from(chain.map(({ der }) => pemOf(der)).join(''))]];
}

const CHAINS: readonly EvidenceFileKey[] = ['chain', 'akChain'];

function fromTheLeaf(certificates: readonly X509Certificate[]): readonly X509Certificate[] {
  const issuers = (certificate: X509Certificate, bound = certificates.length): number => {
    const issuer = certificates.find((other) => other !== certificate && isSameName(other.subject, certificate.issuer));
    return issuer === undefined || bound === 0 ? 0 : 1 + issuers(issuer, bound - 1);
  };
  return certificates.toSorted((a, b) => issuers(b) - issuers(a));
}

function whyLeftOut({ name, bytes }: RawFile, { recognise, remark, nameOf }: Recogniser): string {
  const why = remark(bytes);
  if (why !== null) return why;
  const [kind] = recognise(bytes);
  if (kind === 'token') return 'it is a token, which is evidence by itself: name this file instead';
  if (kind === 'certificate')
    return 'it is a certificate in DER, and no VCEK, VLEK or AK certificate; issuers count in PEM (openssl x509 -inform der)';
  if (kind !== undefined) return `it is ${nameOf(kind)}, which is no part of this evidence`;
  if (isBody(bytes)) return 'it is a /verify body: name this file instead';
  if (keyOfName(name) !== null) return `another file holds what ${name} is the name of`;
  const names = Object.values(EVIDENCE_FILES).map((file) => file.name);
  return `neither its content nor its name is of evidence${meantHint(name, names)}`;
}

function isBody(bytes: Uint8Array): boolean {
  const value = nullIfMalformed(() => parseStrictJson(bytes));
  return isObject(value) && Object.hasOwn(value, 'evidence');
}

/** Reports a file with the name of another part. Other names are not reported: users choose them freely. */
function renamed(name: string, parts: Parts): readonly string[] {
  if (keyOfName(name) === null) return [];
  const held = parts.map(([key]) => contentOf(key)).join(', ');
  return [
    `${quotedName(name)} holds ${held}, and is used as ${parts.map(([key]) => EVIDENCE_FILES[key].name).join(', ')}`,
  ];
}

function isWellNamed({ file, parts }: { readonly file: RawFile; readonly parts: Parts }): boolean {
  const key = keyOfName(file.name);
  return key !== null && parts.some(([part]) => part === key);
}

/** Empty if the content of this file alone does not identify its part. */
function partsByContent(bytes: Uint8Array, { recognise }: Recogniser): Parts {
  const [kind, ...others] = recognise(bytes);
  if (kind === undefined) return partsOfAnswer(bytes);
  return others.length > 0 ? [] : partsOfStructure(kind, bytes);
}

/** Answers of the metadata service are JSON with specific members. */
function partsOfAnswer(bytes: Uint8Array): Parts {
  if (isAnswer(() => readAmdCertification(bytes))) return [['certification', bytes]];
  return isAnswer(() => readTdQuote(bytes)) ? [['tdQuoteAnswer', bytes]] : [];
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

/** Identifies a part by the other files: PCR values of the quote, hashed runtime data, the log of a TD or vTPM. */
function partsByOthers(bytes: Uint8Array, known: EvidenceContents): Parts {
  const quote = quoteOf(known);
  const key =
    (quote !== null && isOver(bytes, quote) ? 'pcrs' : null) ??
    (isRuntimeData(bytes, known) ? 'runtimeData' : null) ??
    logKeyOf(bytes, known);
  return key === null ? [] : [[key, bytes]];
}

/** A name only counts if no other file is its part, since users swap names. */
function partsByName({ name, bytes }: RawFile, assigned: EvidenceContents): Parts {
  const key = keyOfName(name);
  if (key !== null && !assigned.has(key)) return [[key, bytes]];
  return quoteOf(assigned) !== null && isTpmSignature(bytes) ? [['quoteSignature', bytes]] : [];
}

function quoteOf(contents: EvidenceContents): TpmsQuote | null {
  const message = contents.get('quoteMessage');
  return message === undefined ? null : nullIfMalformed(() => parseTpmsQuote(message));
}

function isOver(bytes: Uint8Array, quote: TpmsQuote): boolean {
  const values = nullIfMalformed(() => readPcrValues(bytes, quote));
  return values !== null && isDigestOf(values, quote);
}

/** An HCL report contains its runtime data. */
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
  return logPartOf(log);
}
