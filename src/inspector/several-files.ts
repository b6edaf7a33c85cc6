import { parseEventLog } from '../boot/format/event-log.js';
import { base64, hex, isSameBytes, latin1 } from '../core/bytes.js';
import { nullIfMalformed } from '../core/errors.js';
import { hasTdEventLog } from '../core/evidence-traits.js';
import type { JsonObject } from '../core/json.js';
import { parseHclReport } from '../tee/azure/format/hcl-report.js';
import { EVIDENCE_OF_HCL, isTpmSignature, logPartOf, partsOfStructure } from '../tee/format/evidence-parts.js';
import { collateralMembers, parseCollateralFile } from '../tee/tdx/intel/collateral-file.js';
import { type PcrValues, readPcrValues } from '../tee/tpm/format/pcr-values.js';
import { parseTpmsQuote, type TpmsQuote } from '../tee/tpm/format/tpms-attest.js';
import { sha256 } from './browser-digest.js';
import { type Intake, readIntake } from './intake.js';
import { nameOfFound } from './structures.js';

/** A dropped or chosen file. */
export interface GivenFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A file that the page does not use. */
export interface UnusedFile {
  readonly name: string;
  /** A sentence. */
  readonly why: string;
}

/** The display names of the parts of evidence. */
const PARTS = {
  hcl: 'the HCL report',
  report: 'the SNP report',
  tdQuote: 'the TD quote',
  quoteMessage: 'the TPM quote',
  quoteSignature: 'the signature of the TPM quote',
  pcrs: 'the PCR values',
  vek: 'the VCEK or VLEK',
  chain: 'the certificate chain of AMD',
  certificateTable: 'the certificate table',
  crl: 'the CRL',
  collateral: 'the collateral',
  akCertificate: 'the AK certificate',
  akChain: 'the certificate chain of the AK',
  eventLog: 'the event log',
  systemLog: 'the event log of the system',
  runtimeData: 'the runtime data',
} as const;

type Part = keyof typeof PARTS;
type Parts = ReadonlyMap<Part, Uint8Array>;

const OF_SNP: readonly Part[] = ['vek', 'chain', 'certificateTable', 'crl'];
const QUOTE: readonly Part[] = ['quoteMessage', 'quoteSignature', 'pcrs'];
const OF_VTPM: readonly Part[] = [...QUOTE, 'akCertificate', 'akChain', 'eventLog', 'systemLog'];

/** Parts of each type of evidence. */
const PARTS_OF = {
  snp: ['report', ...OF_SNP, 'runtimeData'],
  tdx: ['tdQuote', 'collateral', 'eventLog', 'runtimeData'],
  'az-snp-vtpm': ['hcl', ...OF_SNP, ...OF_VTPM],
  'az-tdx-vtpm': ['hcl', 'tdQuote', 'collateral', ...OF_VTPM],
  tpm: OF_VTPM,
} as const satisfies { readonly [type: string]: readonly Part[] };

type Type = keyof typeof PARTS_OF;

/**
 * Builds a /verify body from files, only by their content. A body among the files takes precedence. Verifies nothing.
 *
 * @returns the body or structure, and each unused file
 */
export function readFiles(files: readonly GivenFile[]): {
  readonly intake: Intake;
  readonly unused: readonly UnusedFile[];
} {
  const read = files.map((file) => ({ ...file, intake: readIntake(file.bytes) }));
  const known = read.filter(({ intake }) => intake.kind !== 'unknown');
  const whole = read.find(({ intake }) => intake.kind === 'request') ?? (known.length === 1 ? known[0] : undefined);
  if (whole !== undefined) {
    const others = read.filter((each) => each !== whole);
    return { intake: whole.intake, unused: others.map((each) => besideWhole(each, whole)) };
  }
  const { parts, unused } = assign(read);
  const type = evidenceTypeOfParts(parts);
  return type === null
    ? { intake: { kind: 'unknown', why: NO_REPORT }, unused }
    : { intake: { kind: 'request', body: { evidence: evidenceOf(type, parts) } }, unused };
}

const NO_REPORT = 'None of the files is a report or a quote that can be judged. A single file is read by itself.';

type ReadFile = GivenFile & { readonly intake: Intake };

function besideWhole({ name, intake }: ReadFile, whole: ReadFile): UnusedFile {
  if (intake.kind === 'unknown') return { name, why: intake.why };
  return { name, why: `“${whole.name}” is a whole /verify body, which takes no other file.` };
}

/** The part in each file. The quote identifies signatures and PCR values, so they come last. */
function assign(files: readonly ReadFile[]): { readonly parts: Parts; readonly unused: readonly UnusedFile[] } {
  const byContent = files.map((file) => ({ file, held: partsIn(file.intake) }));
  const found = new Map(byContent.flatMap(({ held }) => held));
  const message = found.get('quoteMessage');
  const quote = message === undefined ? null : nullIfMalformed(() => parseTpmsQuote(message));
  const all = byContent.map(({ file, held }) => ({ file, held: held.length > 0 ? held : besideQuote(file, quote) }));
  const type = evidenceTypeOfParts(found);
  const parts = new Map<Part, Uint8Array>();
  const holders = new Map<Part, string>();
  const unused: UnusedFile[] = [];
  for (const { file, held } of all) {
    const fit = held.filter(([part]) => isPartOf(type, part) && !parts.has(part));
    for (const [part, bytes] of fit) {
      parts.set(part, bytes);
      holders.set(part, file.name);
    }
    if (fit.length === 0) unused.push({ name: file.name, why: whyUnused(file, held[0]?.[0], type, holders) });
  }
  return { parts, unused };
}

function whyUnused(
  { intake }: ReadFile,
  part: Part | undefined,
  type: Type | null,
  holders: ReadonlyMap<Part, string>,
): string {
  if (part !== undefined) {
    const holder = holders.get(part);
    if (holder !== undefined) return `“${holder}” is ${PARTS[part]} already.`;
    return type === null
      ? `It is ${PARTS[part]}, and the report or quote that it belongs to is missing.`
      : `It is ${PARTS[part]}, which evidence of type ${type} does not have.`;
  }
  if (intake.kind === 'unknown') return intake.why;
  if (intake.kind !== 'bytes') return `It is a ${intake.kind.replace('-', ' ')}: give it by itself.`;
  return `It looks like ${nameOfFound(intake.found.kind)}, and cannot be told to be a part of evidence.`;
}

function isPartOf(type: Type | null, part: Part): boolean {
  return type !== null && (PARTS_OF[type] as readonly Part[]).includes(part);
}

function evidenceTypeOfParts(parts: Parts): Type | null {
  const hcl = parts.get('hcl');
  if (hcl !== undefined) {
    const reportType = nullIfMalformed(() => parseHclReport(hcl).reportType) ?? 'snp';
    return EVIDENCE_OF_HCL[reportType];
  }
  if (parts.has('tdQuote')) return 'tdx';
  if (parts.has('report')) return 'snp';
  return parts.has('quoteMessage') ? 'tpm' : null;
}

type Held = readonly (readonly [Part, Uint8Array])[];

function partsIn(intake: Intake): Held {
  if (intake.kind !== 'bytes') return [];
  const { kind, bytes } = intake.found;
  if (kind === 'runtime-data') return [['runtimeData', bytes]];
  if (kind !== 'event-log') return partsOfStructure(kind, bytes);
  const log = nullIfMalformed(() => parseEventLog(bytes, bytes.byteLength));
  return [[log === null ? 'eventLog' : logPartOf(log), bytes]];
}

/** PCR values may be as long as a signature: the digest in the quote identifies them. */
function besideQuote({ bytes }: GivenFile, quote: TpmsQuote | null): Held {
  if (quote === null) return [];
  const values = nullIfMalformed(() => readPcrValues(bytes, quote));
  if (values !== null && isSameBytes(sha256(...values.values()), quote.pcrDigest)) return [['pcrs', bytes]];
  if (isTpmSignature(bytes)) return [['quoteSignature', bytes]];
  return values === null ? [] : [['pcrs', bytes]];
}

/** A missing part has no member: the service reports the member that it needs. */
function evidenceOf(type: Type, parts: Parts): JsonObject {
  const text = (part: Part) => encoded(parts.get(part));
  const isTd = hasTdEventLog(type);
  const members = {
    hclReport: text('hcl'),
    report: text('report'),
    [isTd ? 'quote' : 'tdQuote']: text('tdQuote'),
    tpmQuote: tpmQuoteOf(parts),
    endorsements: endorsementsOf(parts),
    collateral: collateralOf(parts.get('collateral')),
    [isTd ? 'ccel' : 'eventLog']: logsOf(parts),
    akCertificate: text('akCertificate'),
    akChain: pemOf(parts.get('akChain')),
    runtimeData: text('runtimeData'),
  };
  return { type, ...present(members) };
}

function tpmQuoteOf(parts: Parts): JsonObject | null {
  const message = parts.get('quoteMessage');
  if (message === undefined) return null;
  const bytes = parts.get('pcrs');
  const values = bytes === undefined ? null : nullIfMalformed(() => readPcrValues(bytes, parseTpmsQuote(message)));
  return present({
    message: encoded(message),
    signature: encoded(parts.get('quoteSignature')),
    pcrs: values === null ? null : { sha256: inHex(values) },
  });
}

function inHex(values: PcrValues): JsonObject {
  return Object.fromEntries([...values].map(([index, value]) => [String(index), hex(value)]));
}

function endorsementsOf(parts: Parts): JsonObject | null {
  const crl = encoded(parts.get('crl'));
  const members = present({
    vek: encoded(parts.get('vek')),
    chain: pemOf(parts.get('chain')),
    certificateTable: encoded(parts.get('certificateTable')),
    crls: crl === null ? null : [crl],
  });
  return Object.keys(members).length === 0 ? null : members;
}

function logsOf(parts: Parts): JsonObject[string] | null {
  const [only, ...others] = [parts.get('eventLog'), parts.get('systemLog')].flatMap((log) => encoded(log) ?? []);
  if (only === undefined) return null;
  return others.length === 0 ? only : [only, ...others];
}

function collateralOf(bytes: Uint8Array | undefined): JsonObject | null {
  return bytes === undefined ? null : collateralMembers(parseCollateralFile(bytes));
}

function encoded(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : base64(bytes, 'base64url');
}

function pemOf(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : latin1(bytes);
}

function present(members: { readonly [name: string]: JsonObject[string] | null }): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
}
