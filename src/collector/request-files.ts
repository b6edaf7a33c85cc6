import { FormatError } from '../core/errors.js';
import { isObject, type JsonObject } from '../core/json.js';
import { encodeBase64Url } from '../formats/base64.js';
import { parsePemCertificates } from '../formats/pem.js';
import { parseStrictJson } from '../formats/strict-json.js';
import { parseHclReport } from '../tee/azure/format/hcl-report.js';
import { EVIDENCE_OF_HCL } from '../tee/format/evidence-parts.js';
import { readPcrValues } from '../tee/tpm/format/pcr-values.js';
import { parseTpmsQuote } from '../tee/tpm/format/tpms-attest.js';
import { certificateIn } from './ak-certificate.js';
import { CollectError } from './collect-error.js';
import {
  azureSnpEvidence,
  azureTdxEvidence,
  readAmdCertification,
  readTdQuote,
  type TpmParts,
  tpmEvidence,
} from './evidence-body.js';
import { EVIDENCE_FILES, type EvidenceContents, type EvidenceFileKey } from './evidence-files.js';

/** Types of evidence that files can form. */
export type FileEvidenceType = keyof typeof FORMS;

type Keys = readonly EvidenceFileKey[];

const QUOTE: Keys = ['quoteMessage', 'quoteSignature', 'pcrs'];
const OF_TPM: Keys = ['eventLog', 'systemLog', 'akCertificate', 'akChain'];
const OF_AMD: Keys = ['vek', 'chain', 'certification', 'certificateTable', 'crl'];
const TD_QUOTES: Keys = ['tdQuote', 'tdQuoteAnswer'];

/** For each type: required files, alternatives of which it needs exactly one, and optional files. */
const FORMS = {
  snp: { needs: ['report'], oneOf: [], may: [...OF_AMD, 'runtimeData'] },
  tdx: { needs: [], oneOf: TD_QUOTES, may: ['collateral', 'ccel', 'runtimeData'] },
  'az-snp-vtpm': { needs: ['hcl', ...QUOTE], oneOf: [], may: [...OF_TPM, ...OF_AMD] },
  'az-tdx-vtpm': { needs: ['hcl', ...QUOTE], oneOf: TD_QUOTES, may: [...OF_TPM, 'collateral'] },
  // The report of Trusted Launch describes the VM, and is useless to a verifier.
  tpm: { needs: [...QUOTE, 'akCertificate'], oneOf: [], may: [...OF_TPM, 'hcl'] },
} as const satisfies { readonly [type: string]: { readonly needs: Keys; readonly oneOf: Keys; readonly may: Keys } };

export const FILE_EVIDENCE_TYPES = Object.keys(FORMS) as readonly FileEvidenceType[];

/** Files that repeat each other, or of which one is meaningless without the other. */
const APART: readonly Keys[] = [
  ['tdQuote', 'tdQuoteAnswer'],
  ['certification', 'vek'],
  ['certification', 'chain'],
];
const TOGETHER: readonly (readonly [EvidenceFileKey, EvidenceFileKey])[] = [
  ['systemLog', 'eventLog'],
  ['akChain', 'akCertificate'],
];

/**
 * Builds evidence for a request from raw files. Verifies nothing.
 *
 * @param type the expected type; null: the files determine it
 * @throws {CollectError} `evidence_files` if the files do not form one piece of evidence, or one is malformed
 */
export function evidenceOf(contents: EvidenceContents, type: FileEvidenceType | null): JsonObject {
  const found = evidenceTypeOfFiles(contents);
  if (type !== null && type !== found) throw fault(`the files are evidence of type ${found}, not ${type}`);
  requireForm(contents, found);
  return EVIDENCE[found](contents);
}

/** Files that determine the type of evidence. */
export const DECIDING: Keys = ['report', 'hcl', ...TD_QUOTES, 'quoteMessage'];

/** The report with the name of the hardware decides, then a report of the TEE itself, then a quote. */
function evidenceTypeOfFiles(contents: EvidenceContents): FileEvidenceType {
  const hcl = contents.get('hcl');
  if (hcl !== undefined) {
    const { reportType } = readFile('hcl', () => parseHclReport(hcl));
    const type = EVIDENCE_OF_HCL[reportType];
    if (type === null) throw fault(`${evidenceFileName('hcl')}: an HCL report of type ${reportType} is no evidence`);
    return type;
  }
  if (contents.has('report')) return 'snp';
  if (TD_QUOTES.some((key) => contents.has(key))) return contents.has('quoteMessage') ? 'az-tdx-vtpm' : 'tdx';
  // Certificates of AMD belong to an SEV-SNP report, which is missing.
  if (contents.has('quoteMessage')) return OF_AMD.some((key) => contents.has(key)) ? 'az-snp-vtpm' : 'tpm';
  throw fault(`none of ${DECIDING.map(evidenceFileName).join(', ')} is there`);
}

const EVIDENCE: { readonly [type in FileEvidenceType]: (contents: EvidenceContents) => JsonObject } = {
  snp: (contents) => ({
    type: 'snp',
    report: encodeBase64Url(need(contents, 'report')),
    ...runtimeData(contents),
    ...optional('endorsements', endorsements(contents)),
  }),
  tdx: (contents) => ({
    type: 'tdx',
    quote: encodeBase64Url(tdQuote(contents)),
    ...runtimeData(contents),
    ...optional('collateral', collateral(contents)),
    ...optional('ccel', encoded(contents, 'ccel')),
  }),
  'az-snp-vtpm': (contents) => azureSnpEvidence(need(contents, 'hcl'), tpmParts(contents), endorsements(contents)),
  'az-tdx-vtpm': (contents) =>
    azureTdxEvidence(need(contents, 'hcl'), tdQuote(contents), tpmParts(contents), collateral(contents)),
  tpm: (contents) => tpmEvidence(tpmParts(contents)),
};

function tpmParts(contents: EvidenceContents): TpmParts {
  const message = need(contents, 'quoteMessage');
  const quote = readFile('quoteMessage', () => parseTpmsQuote(message));
  const pcrs = readFile('pcrs', () => readPcrValues(need(contents, 'pcrs'), quote));
  const logs = [contents.get('eventLog'), contents.get('systemLog')];
  return {
    quote: { message, signature: need(contents, 'quoteSignature'), pcrs },
    akCertificate: akCertificate(contents),
    akChain: pem(contents, 'akChain'),
    eventLogs: logs.filter((log) => log !== undefined),
  };
}

function akCertificate(contents: EvidenceContents): Uint8Array | null {
  const bytes = contents.get('akCertificate');
  if (bytes === undefined) return null;
  const certificate = certificateIn(bytes);
  if (certificate === null) throw fault(`${evidenceFileName('akCertificate')}: is no certificate in DER`);
  return certificate;
}

function tdQuote(contents: EvidenceContents): Uint8Array {
  const answer = contents.get('tdQuoteAnswer');
  return answer === undefined ? need(contents, 'tdQuote') : readAnswer('tdQuoteAnswer', () => readTdQuote(answer));
}

function endorsements(contents: EvidenceContents): JsonObject | null {
  const answer = contents.get('certification');
  const certification = answer === undefined ? null : readAnswer('certification', () => readAmdCertification(answer));
  const members = {
    ...optional('vek', certification?.vek ?? certificate(contents, 'vek')),
    ...optional('chain', certification?.chain ?? pem(contents, 'chain')),
    ...optional('certificateTable', encoded(contents, 'certificateTable')),
    ...crls(contents),
  };
  return Object.keys(members).length === 0 ? null : members;
}

function crls(contents: EvidenceContents): JsonObject {
  const crl = encoded(contents, 'crl');
  return crl === null ? {} : { crls: [crl] };
}

function collateral(contents: EvidenceContents): JsonObject | null {
  const bytes = contents.get('collateral');
  if (bytes === undefined) return null;
  const value = readFile('collateral', () => parseStrictJson(bytes));
  if (!isObject(value)) throw fault(`${evidenceFileName('collateral')}: is no JSON object`);
  return value;
}

function runtimeData(contents: EvidenceContents): JsonObject {
  return optional('runtimeData', encoded(contents, 'runtimeData'));
}

function optional(member: string, value: JsonObject | string | null): JsonObject {
  return value === null ? {} : { [member]: value };
}

function encoded(contents: EvidenceContents, key: EvidenceFileKey): string | null {
  const bytes = contents.get(key);
  return bytes === undefined ? null : encodeBase64Url(bytes);
}

/** PEM unchanged, DER encoded. */
function certificate(contents: EvidenceContents, key: EvidenceFileKey): string | null {
  const isPem = Buffer.from(contents.get(key) ?? []).includes('-----BEGIN');
  return isPem ? pem(contents, key) : encoded(contents, key);
}

/** Extracts only certificates: a private key beside them must not leave with the evidence. */
function pem(contents: EvidenceContents, key: EvidenceFileKey): string | null {
  const bytes = contents.get(key);
  if (bytes === undefined) return null;
  const text = Buffer.from(bytes).toString('utf8');
  readFile(key, () => parsePemCertificates(text, 'cert_chain'));
  return text;
}

function need(contents: EvidenceContents, key: EvidenceFileKey): Uint8Array {
  const bytes = contents.get(key);
  if (bytes === undefined) throw fault(`${evidenceFileName(key)} is missing`);
  return bytes;
}

function requireForm(contents: EvidenceContents, type: FileEvidenceType): void {
  const { needs, oneOf, may }: { needs: Keys; oneOf: Keys; may: Keys } = FORMS[type];
  const missing = needs.find((key) => !contents.has(key));
  if (missing !== undefined) throw fault(`${evidenceFileName(missing)} is missing, which ${type} evidence needs`);
  if (oneOf.length > 0 && !oneOf.some((key) => contents.has(key))) {
    throw fault(`${oneOf.map(evidenceFileName).join(' or ')} is missing, which ${type} evidence needs`);
  }
  const foreign = [...contents.keys()].find((key) => ![...needs, ...oneOf, ...may].includes(key));
  if (foreign !== undefined)
    throw fault(`${evidenceFileName(foreign)}: the other files are ${type} evidence, which has no such file`);
  const twice = APART.find((keys) => keys.every((key) => contents.has(key)));
  if (twice !== undefined) throw fault(`${twice.map(evidenceFileName).join(' and ')} say the same: leave one out`);
  const alone = TOGETHER.find(([key, other]) => contents.has(key) && !contents.has(other));
  if (alone !== undefined)
    throw fault(`${evidenceFileName(alone[0])}: means nothing without ${evidenceFileName(alone[1])}`);
}

function readFile<T>(key: EvidenceFileKey, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw fault(`${evidenceFileName(key)}: ${error.code}: ${error.message}`, error);
  }
}

/** Reads a stored answer of the metadata service, with the errors of a file. */
function readAnswer<T>(key: EvidenceFileKey, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CollectError)) throw error;
    throw fault(`${evidenceFileName(key)}: ${error.message}`, error);
  }
}

function evidenceFileName(key: EvidenceFileKey): string {
  return EVIDENCE_FILES[key].name;
}

function fault(message: string, cause: unknown = null): CollectError {
  return new CollectError('evidence_files', message, { cause });
}
