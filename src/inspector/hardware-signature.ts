import { hex, joined } from '../core/bytes.js';
import { FormatError } from '../core/errors.js';
import { isSameName } from '../formats/distinguished-name.js';
import { parsePemCertificates } from '../formats/pem.js';
import { isSelfIssued, parseCertificate, type X509Certificate } from '../formats/x509-certificate.js';
import { AMD_ROOT_PINS, CARRIED_CERTIFICATES } from '../tee/snp/amd/roots.js';
import { parseSnpReport } from '../tee/snp/format/snp-report.js';
import { parseTdQuote } from '../tee/tdx/format/td-quote.js';
import { isTdQuotingEnclave } from '../tee/tdx/intel/quoting-enclave.js';
import { INTEL_SGX_ROOT, INTEL_SGX_ROOT_PINS } from '../tee/tdx/intel/roots.js';
import { certificatesIn } from './brought-certificates.js';
import { type FoundBytes, isJudged, nameOfFound, speaksOfMachine } from './structures.js';
import { hasUnknownAlgorithm, unshared, verifyEcdsa, verifyIssued, type WebCrypto } from './web-crypto.js';

/**
 * Verifies the signature of a report or quote in the browser, with WebCrypto: the signature itself, and the certificate chain up to the
 * vendor's pinned root.
 *
 * Deliberately not checked here, since the service does it: validity, revocation, roles and extensions of certificates, TCB, the
 * version of the quoting enclave, and all requirements of a policy.
 */

/** One verified signature or comparison, in order. Steps after a failure are not run. */
export interface Step {
  readonly what: string;
  readonly holds: boolean;
}

export type HardwareVerdict =
  /** Every step passed. */
  | { readonly state: 'verified'; readonly steps: readonly Step[] }
  | { readonly state: 'failed'; readonly steps: readonly Step[] }
  /** It could not be verified, so it is neither valid nor invalid. */
  | { readonly state: 'open'; readonly why: string };

/** SubjectPublicKeyInfo digests, lower-case hex. */
export interface Pins {
  readonly amd: ReadonlySet<string>;
  readonly intel: ReadonlySet<string>;
}

/** AMD's roots of all product lines, and Intel's. */
const VENDOR_PINS: Pins = {
  amd: new Set([...AMD_ROOT_PINS.values()].flatMap((pins) => [...pins])),
  intel: INTEL_SGX_ROOT_PINS,
};

/** Public certificates of the vendors, which complete a chain that the evidence lacks. */
const CARRIED = [
  INTEL_SGX_ROOT,
  ...[...CARRIED_CERTIFICATES.values()].flatMap(({ ark, ask, asvk }) => [ark, ask, asvk]),
].flatMap((pem) => parsePemCertificates(pem, 'cert_format').map((der) => parseCertificate(der)));

/** WebCrypto; null if the page is not in a secure context. */
export type Subtle = WebCrypto | null;

const LONGEST_CHAIN = 4;
const SNP_REPORT = 'ATTESTATION_REPORT';
const TD_REPORT = 'TDREPORT';

const PINNED_ROOT = 'its key is a pinned root';

/** Whether every signature is valid, but the root is not the vendor's. */
export function endsAtOtherRoot(verdict: HardwareVerdict): boolean {
  return verdict.state === 'failed' && verdict.steps.at(-1)?.what.startsWith(PINNED_ROOT) === true;
}

/**
 * Verifies the report or quote in the recognised bytes. Several are ambiguous.
 *
 * @throws {Error} for a fault of the page itself
 */
export async function verifyHardware(
  found: readonly FoundBytes[],
  subtle: Subtle,
  pins = VENDOR_PINS,
): Promise<HardwareVerdict> {
  if (subtle === null) return open('this page has no WebCrypto: it was not loaded over HTTPS or from this machine');
  try {
    const [unfit] = found.flatMap((each) => whyNoReport(each) ?? []);
    if (unfit !== undefined) return open(unfit);
    const [report, another] = reportsIn(found);
    if (report === undefined) return open(whyNone(found));
    if (another !== undefined)
      return open(`there are several hardware reports, ${whereIs(report)} and ${whereIs(another)}: give one of them`);
    return report.isQuote
      ? await verifyTdQuote(report, found, subtle, pins.intel)
      : await verifySnp(report, found, subtle, pins.amd);
  } catch (error) {
    if (error instanceof FormatError)
      return { state: 'failed', steps: [{ what: `can be read: ${error.message}`, holds: false }] };
    throw error;
  }
}

async function verifySnp(
  { bytes, pointer }: FoundReport,
  found: readonly FoundBytes[],
  subtle: WebCrypto,
  pins: ReadonlySet<string>,
) {
  const { signed, signature, signingKey } = parseSnpReport(bytes);
  const certificates = certificatesIn(found);
  // A host may supply both: KEY_INFO names the signing key (AMD 56860, ATTESTATION_REPORT). Other certificates are not for AMD keys.
  const leaf = certificates.find(({ subject }) => subject.commonName === `SEV-${signingKey.toUpperCase()}`);
  if (leaf === undefined) return open('no VCEK or VLEK came with the evidence');
  const steps = new Steps();
  const isSigned = () => verifyEcdsa(subtle, { curve: 'P-384', hash: 'SHA-384' }, leaf, signature, signed);
  await steps.check(`${leaf.subject.commonName ?? 'the key certificate'} signed the report${at(pointer)}`, isSigned);
  return chainSteps(steps, leaf, certificates, { subtle, pins, vendor: 'AMD' });
}

/** Clauses of the Intel TDX DCAP Quoting Library API, annex A; version 5 quotes have the same structures after their body. */
async function verifyTdQuote(
  { bytes, pointer }: FoundReport,
  found: readonly FoundBytes[],
  subtle: WebCrypto,
  pins: ReadonlySet<string>,
): Promise<HardwareVerdict> {
  const { signed, signature, attestationKey, qe, pckChain } = parseTdQuote(bytes);
  const certificates = parsePemCertificates(pckChain, 'cert_chain').map((der) => parseCertificate(der));
  const [leaf] = certificates;
  if (leaf === undefined) return open('no PCK certificate came with the quote');
  const steps = new Steps();
  // A.3.8, ECDSA 256-bit Quote Signature Data Structure: over header and body, by the attestation key beside it.
  await steps.check(`the attestation key signed the quote${at(pointer)}`, async () => {
    const raw = joined([Uint8Array.of(4), attestationKey]);
    const key = await subtle.importKey('raw', unshared(raw), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
    return subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, unshared(signature), unshared(signed));
  });
  // A.3.11, QE Report Certification Data: REPORTDATA is SHA-256 of attestation key and QE authentication data, and then zeros.
  await steps.check('the quoting enclave vouches for the attestation key', async () => {
    const digest = new Uint8Array(await subtle.digest('SHA-256', unshared(joined([attestationKey, qe.authData]))));
    // None of these values is secret.
    const vouchedFor = hex(qe.report.reportData);
    return vouchedFor === hex(digest).padEnd(128, '0');
  });
  // A.3.10, Enclave Report Body: ATTRIBUTES of the QE report.
  await steps.check('the quoting enclave is no debug enclave', async () => !qe.report.debug);
  // A.3.11: the signature over the QE report, by the PCK certificate of the certification data of type 5 inside (A.3.9).
  const isSigned = () => verifyEcdsa(subtle, { curve: 'P-256', hash: 'SHA-256' }, leaf, qe.signature, qe.report.bytes);
  await steps.check('the PCK signed the report of the quoting enclave', isSigned);
  const all = [...certificates, ...certificatesIn(found)];
  const verdict = await chainSteps(steps, leaf, all, { subtle, pins, vendor: 'Intel' });
  if (verdict.state !== 'verified') return verdict;
  // Intel may use another key for its quoting enclaves one day, and a platform owner may sign an enclave.
  return isTdQuotingEnclave(qe.report)
    ? { ...verdict, steps: [...verdict.steps, { what: KNOWN_ENCLAVE, holds: true }] }
    : open(OTHER_ENCLAVE);
}

const OTHER_ENCLAVE =
  "MRSIGNER or ISVPRODID of the quoting enclave is not Intel's as this page knows it, though every signature holds up to Intel's root";
const KNOWN_ENCLAVE = "MRSIGNER and ISVPRODID of the quoting enclave are Intel's";

interface ChainOptions {
  readonly subtle: WebCrypto;
  readonly pins: ReadonlySet<string>;
  readonly vendor: string;
}

/** Verifies the chain from a certificate to a self-signed root with the vendor's pin. */
async function chainSteps(steps: Steps, leaf: X509Certificate, all: readonly X509Certificate[], options: ChainOptions) {
  const { subtle, pins, vendor } = options;
  let below = leaf;
  for (let length = 1; length < LONGEST_CHAIN && !isSelfIssued(below); length += 1) {
    const issuer = all.find(({ subject }) => isSameName(subject, below.issuer)) ?? (await carriedIssuer(subtle, below));
    if (issuer === undefined && steps.hold)
      return open(`the certificate ${below.issuer.commonName ?? 'above'} did not come with the evidence`);
    if (issuer === undefined) return steps.verdict;
    if (steps.hold && hasUnknownAlgorithm(below)) return open(ofUnknownAlgorithm(below));
    const subject = below;
    await steps.check(`${subjectName(issuer)} signed ${subjectName(subject)}`, () =>
      verifyIssued(subtle, subject, issuer),
    );
    below = issuer;
  }
  const root = below;
  if (steps.hold && hasUnknownAlgorithm(root)) return open(ofUnknownAlgorithm(root));
  await steps.check(
    `${subjectName(root)} signed itself`,
    async () => isSelfIssued(root) && verifyIssued(subtle, root, root),
  );
  await steps.check(`${PINNED_ROOT} of ${vendor}`, async () =>
    pins.has(hex(new Uint8Array(await subtle.digest('SHA-256', unshared(root.spki))))),
  );
  return steps.verdict;
}

/** The built-in issuer of a certificate, by its signature. AMD can re-issue one with a new key, so the name proves nothing. */
async function carriedIssuer(subtle: WebCrypto, below: X509Certificate): Promise<X509Certificate | undefined> {
  for (const carried of CARRIED) {
    const isNamed = isSameName(carried.subject, below.issuer);
    if (isNamed && !hasUnknownAlgorithm(below) && (await verifyIssued(subtle, below, carried))) return carried;
  }
  return undefined;
}

/** Runs steps until one fails. */
class Steps {
  readonly #made: Step[] = [];

  get hold(): boolean {
    return this.#made.every(({ holds }) => holds);
  }

  get verdict(): HardwareVerdict {
    return { state: this.hold ? 'verified' : 'failed', steps: this.#made };
  }

  async check(what: string, check: () => Promise<boolean>): Promise<void> {
    if (this.hold) this.#made.push({ what, holds: await check().catch(noneOf) });
  }
}

/**
 * Returns false for errors that mean an invalid signature: WebCrypto throws for a key that is no point, or is on another curve. Any other
 * error is a fault of this page, and the signature stays unverified.
 */
function noneOf(error: unknown): false {
  if (error instanceof DOMException) return false;
  throw error;
}

/** A hardware report, and the JSON pointer to its container. */
interface FoundReport {
  readonly pointer: string;
  readonly bytes: Uint8Array;
  readonly isQuote: boolean;
}

/** Why the report at its place is unreadable: a report elsewhere must not replace it. */
function whyNoReport(each: FoundBytes): string | null {
  const { pointer, kind, problem } = each;
  const what = nameOfFound(kind);
  if (kind === 'unread') return `${whereIs(each)} was not read: ${problem}`;
  // An unreadable quote fails by itself.
  if (kind === 'td-quote' || !isJudged(each)) return null;
  if (problem !== null) return `${whereIs(each)} looks like ${what}, and cannot be read: ${problem}`;
  return pointer === '' || speaksOfMachine(each) ? null : `${pointer} is ${what}, and no report or quote`;
}

function whyNone(found: readonly FoundBytes[]): string {
  const isOfTd = found.some((each) => isJudged(each) && each.structures.some(({ name }) => name === TD_REPORT));
  return isOfTd
    ? 'only its own machine can verify a TDREPORT, and a TD quote did not come with it'
    : 'there is no hardware report';
}

/** TD quotes, and SNP reports: single, in extended reports, and in the paravisor's report; without duplicates. */
function reportsIn(found: readonly FoundBytes[]): readonly FoundReport[] {
  const reports = found.filter(isJudged).flatMap(({ pointer, kind, bytes, structures }) => {
    if (kind === 'td-quote') return [{ pointer, bytes, isQuote: true }];
    const report = structures.find(({ name, start }) => name === SNP_REPORT && start !== null);
    if (report === undefined) return [];
    const start = report.start ?? 0;
    return [{ pointer, bytes: bytes.subarray(start, start + report.length), isQuote: false }];
  });
  return [...new Map(reports.map((report) => [hex(report.bytes), report])).values()];
}

const at = (pointer: string) => (pointer === '' ? '' : ` at ${pointer}`);
const whereIs = ({ pointer }: Pick<FoundBytes, 'pointer'>) => (pointer === '' ? 'the file' : pointer);
const subjectName = ({ subject }: X509Certificate) => subject.commonName ?? 'a certificate without a name';
const ofUnknownAlgorithm = (certificate: X509Certificate) =>
  `the signature of ${subjectName(certificate)} is of an algorithm that this page does not know`;
const open = (why: string): HardwareVerdict => ({ state: 'open', why });
