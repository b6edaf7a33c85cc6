import { EXIT_CODE } from '../../cli/output.js';
import type { Configuration } from '../../config/configuration.js';
import type { EndorsementRequest, Unavailable } from '../../core/endorsement.js';
import { writeBundle } from '../../endorsements/amd/export-bundle.js';
import { requireBundle, requireEmptyFolder } from '../../endorsements/files/material-files.js';
import { AmdSnpReportVerifier } from '../../tee/snp/snp-report-verifier.js';
import { DcapTdQuoteVerifier } from '../../tee/tdx/td-quote-verifier.js';
import { servedLines, servedPins } from '../amd-lines.js';
import { connectOptions } from '../egress.js';
import { type EndorsementOptions, openAmd, openIntel } from '../endorsements.js';
import { OpenParts } from '../open-parts.js';
import { memoriesOfCommand } from '../shared-memories.js';

export interface BundleOptions extends EndorsementOptions {
  readonly writeLine: (line: string) => void;
}

/** An SNP report or a TD quote. */
export interface NamedReport {
  /** The name of its file, for messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Longest time that collecting endorsements may take: KDS gives about one certificate in ten seconds. */
const EXPORT_MS = 10 * 60_000;

/**
 * Collects the endorsements for machines without a network into a folder: AMD's chains and CRLs, and the endorsements
 * that SNP reports and TD quotes need.
 *
 * @param reports SNP reports and TD quotes
 * @returns the exit code: 0, or 3 if an endorsement could not be fetched
 * @throws {FormatError} for a report that is neither
 * @throws {ConfigurationError} if the folder is not empty
 */
export async function exportEndorsements(
  folder: string,
  reports: readonly NamedReport[],
  configuration: Configuration,
  options: BundleOptions,
): Promise<number> {
  await requireEmptyFolder(folder);
  const wanted = reports.map(wantedFor(configuration, options));
  const requests = wanted.flatMap((each) => each.requests);
  const outside = { ...options, connect: connectOptions(configuration, options.connect) };
  const opened = new OpenParts();
  const { amd, intel } = openSources(configuration, outside, opened);
  try {
    const lines = [...servedLines(configuration).keys()].map((product) => ({ product, signingKey: 'vcek' as const }));
    const selection = { lines, requests: requests.filter((request) => request.kind === 'amd-snp') };
    const platforms = requests.filter((request) => request.kind === 'intel-tdx');
    const signal = AbortSignal.timeout(EXPORT_MS);
    const bundles = await Promise.all([amd.exportBundle(selection, signal), intel.exportBundle(platforms, signal)]);
    for (const bundle of bundles) await writeBundle(folder, bundle);
    for (const { name } of bundles.flatMap(({ files }) => files)) options.writeLine(`wrote ${name}`);
    const missing = [...bundles, ...wanted].flatMap((each) => each.missing);
    for (const { code, detail } of missing) options.writeLine(`missing ${code}: ${detail}`);
    return missing.length === 0 ? EXIT_CODE.allow : EXIT_CODE.indeterminate;
  } finally {
    await opened.close();
  }
}

/**
 * Verifies the content of a folder, and imports the valid part.
 *
 * @returns the exit code: 0, or 2 if a part was rejected
 * @throws {ConfigurationError} if the folder does not exist, or has nothing to import
 */
export async function importEndorsements(
  folder: string,
  configuration: Configuration,
  options: BundleOptions,
): Promise<number> {
  await requireBundle(folder);
  const opened = new OpenParts();
  const { amd, intel } = openSources(configuration, options, opened);
  try {
    const reports = [await amd.importBundle(folder), await intel.importBundle(folder)];
    for (const { name, what, keptAs } of reports.flatMap(({ taken }) => taken)) {
      options.writeLine(`imported ${name}: ${what}, cached as ${keptAs}`);
    }
    const refused = reports.flatMap((report) => report.refused);
    for (const { name, why } of refused) options.writeLine(`refused ${name}: ${why}`);
    return refused.length === 0 ? EXIT_CODE.allow : EXIT_CODE.deny;
  } finally {
    await opened.close();
  }
}

function openSources(configuration: Configuration, options: BundleOptions, opened: OpenParts) {
  const outside = { ...options, sharedMarks: memoriesOfCommand(configuration, options, opened)?.marks };
  return { amd: opened.add(openAmd(configuration, outside)), intel: opened.add(openIntel(configuration, outside)) };
}

const NO_INPUT = { vek: null, chain: null, certificateTable: null, crls: [] };
const TEE_TYPE_OFFSET = 4;
const TEE_TDX = 0x81;
const SNP_REPORT_BYTES = 1184;

/** For a report whose KEY_INFO names no key. */
const UNSIGNED: Unavailable = {
  code: 'vcek_unavailable',
  detail: 'no key signed the report, so there is no key certificate to fetch',
  retryable: false,
};

/** For a quote whose PCK chain ends at no root of Intel. No request names its platform. */
const UNVOUCHED: Unavailable = {
  code: 'collateral_unavailable',
  detail: 'the certificate chain of the quote does not verify up to a pinned root',
  retryable: false,
};

/** The endorsements that a report needs. `missing` lists those that cannot be requested. */
interface Wanted {
  readonly requests: readonly EndorsementRequest[];
  readonly missing: readonly Unavailable[];
}

function wantedFor(configuration: Configuration, { amdRootPins, intelRootPins }: BundleOptions) {
  const lines = servedLines(configuration);
  const snp = new AmdSnpReportVerifier({
    refuseProducts: new Set(),
    pins: servedPins(configuration, amdRootPins),
    lines,
  });
  const tdx = new DcapTdQuoteVerifier(intelRootPins === undefined ? {} : { pins: intelRootPins });
  return ({ name, bytes }: NamedReport): Wanted =>
    isTdQuote(bytes)
      ? orMissing(name, tdx.open(bytes, null, { quote: '', collateral: '' }).needs, UNVOUCHED)
      : orMissing(name, snp.open(bytes, NO_INPUT, { report: '', endorsements: '' }).needs, UNSIGNED);
}

/** @param otherwise reason that no endorsement is needed or known, for evidence that requests none */
function orMissing(name: string, requests: readonly EndorsementRequest[], otherwise: Unavailable): Wanted {
  if (requests.length > 0) return { requests, missing: [] };
  return { requests, missing: [{ ...otherwise, detail: `${name}: ${otherwise.detail}` }] };
}

/** Distinguishes TD quotes from SNP reports, which have a fixed length. Each is parsed strictly afterwards. */
function isTdQuote(bytes: Uint8Array): boolean {
  if (bytes.byteLength === SNP_REPORT_BYTES || bytes.byteLength < TEE_TYPE_OFFSET + 4) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(TEE_TYPE_OFFSET, true) === TEE_TDX;
}
