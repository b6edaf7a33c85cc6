import { EXIT_CODE } from '../cli/exit-code.js';
import type { Configuration } from '../config/configuration.js';
import { writeBundle } from '../endorsements/export-bundle.js';
import { SNP_PRODUCTS } from '../model/claims.js';
import type { EndorsementRequest } from '../model/endorsement.js';
import type { SnpReportVerifier, TdQuoteVerifier } from '../model/verification.js';
import { createAppContainer, useIntelRootPins, useRootPins } from './container.js';
import { type EndorsementWorld, openAmd, openIntel } from './endorsements.js';
import { TOKENS } from './tokens.js';

/** What the commands work with, beside the configuration. */
export interface BundleWorld extends EndorsementWorld {
  /** Writes a line for people. */
  readonly writeLine: (line: string) => void;
}

/** Longest time that collecting endorsements may take: KDS gives about one certificate in ten seconds. */
const EXPORT_MS = 10 * 60_000;

/**
 * Collects what machines without network need into a folder: chains and lists of AMD's lines, and what SNP reports and
 * TD quotes need.
 *
 * @param reports SNP reports and TD quotes
 * @returns the exit code: 0, or 3 where something could not be had
 * @throws {FormatError} for a report that is neither
 */
export async function exportEndorsements(
  folder: string,
  reports: readonly Uint8Array[],
  configuration: Configuration,
  world: BundleWorld,
): Promise<number> {
  const found = reports.map(requestsFrom(configuration, world));
  const requests = found.flat();
  const [amd, intel] = [openAmd(configuration, world), openIntel(configuration, world)];
  try {
    const lines = SNP_PRODUCTS.map((product) => ({ product, signingKey: 'vcek' as const }));
    const selection = { lines, requests: requests.filter((request) => request.kind === 'amd-snp') };
    const platforms = requests.filter((request) => request.kind === 'intel-tdx');
    const signal = AbortSignal.timeout(EXPORT_MS);
    const bundles = await Promise.all([amd.exportBundle(selection, signal), intel.exportBundle(platforms, signal)]);
    for (const bundle of bundles) await writeBundle(folder, bundle);
    for (const { name } of bundles.flatMap(({ files }) => files)) world.writeLine(`wrote ${name}`);
    const missing = [...bundles.flatMap((bundle) => bundle.missing), ...found.filter(isEmpty).map(() => UNVOUCHED)];
    for (const { code, detail } of missing) world.writeLine(`missing ${code}: ${detail}`);
    return missing.length === 0 ? EXIT_CODE.allow : EXIT_CODE.indeterminate;
  } finally {
    await Promise.all([amd.close(), intel.close()]);
  }
}

/**
 * Verifies what a folder holds and takes over what holds.
 *
 * @returns the exit code: 0, or 2 where something was refused
 * @throws {ConfigurationError} where there is no such folder
 */
export async function importEndorsements(
  folder: string,
  configuration: Configuration,
  world: BundleWorld,
): Promise<number> {
  const [amd, intel] = [openAmd(configuration, world), openIntel(configuration, world)];
  try {
    const reports = [await amd.importBundle(folder), await intel.importBundle(folder)];
    for (const { name, what, keptAs } of reports.flatMap(({ taken }) => taken)) {
      world.writeLine(`took ${name}: ${what}, kept as ${keptAs}`);
    }
    const refused = reports.flatMap((report) => report.refused);
    for (const { name, why } of refused) world.writeLine(`refused ${name}: ${why}`);
    return refused.length === 0 ? EXIT_CODE.allow : EXIT_CODE.deny;
  } finally {
    await Promise.all([amd.close(), intel.close()]);
  }
}

const NO_INPUT = { vek: null, chain: null, certificateTable: null, crls: [] };
const TEE_TYPE_OFFSET = 4;
const TEE_TDX = 0x81;
const SNP_REPORT_BYTES = 1184;

/** Of a quote whose certificate no root of Intel vouches for. Nobody is asked about the platform that it names. */
const UNVOUCHED = {
  code: 'collateral_unavailable',
  detail: 'of a quote: its certificate does not hold up to a pinned root',
};

function isEmpty(requests: readonly EndorsementRequest[]): boolean {
  return requests.length === 0;
}

function requestsFrom(configuration: Configuration, { amdRootPins, intelRootPins }: BundleWorld) {
  const container = createAppContainer(configuration, (app) => {
    if (amdRootPins !== undefined) useRootPins(app, configuration, amdRootPins);
    if (intelRootPins !== undefined) useIntelRootPins(app, intelRootPins);
  });
  const snp = container.resolve<SnpReportVerifier>(TOKENS.snpReportVerifier);
  const tdx = container.resolve<TdQuoteVerifier>(TOKENS.tdQuoteVerifier);
  return (bytes: Uint8Array): readonly EndorsementRequest[] =>
    isTdQuote(bytes)
      ? tdx.quoteEndorsements(bytes, null, { quote: '', collateral: '' })
      : snp.reportEndorsements(bytes, NO_INPUT, { report: '', endorsements: '' });
}

/** Tells the two apart, and nothing else: each is read as strictly as ever. An SNP report has another length. */
function isTdQuote(bytes: Uint8Array): boolean {
  if (bytes.byteLength === SNP_REPORT_BYTES || bytes.byteLength < TEE_TYPE_OFFSET + 4) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(TEE_TYPE_OFFSET, true) === TEE_TDX;
}
