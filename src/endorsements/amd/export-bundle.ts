import { join } from 'node:path';
import type { FetchContext, SnpEndorsementRequest, Unavailable } from '../../core/endorsement.js';
import { writeAtomically } from '../../files/whole-files.js';
import { lineName, type SnpLine } from '../../tee/snp/amd/issuers.js';
import type { ExportedBundle, NamedFile } from '../files/material-files.js';
import type { AmdFinders } from './amd-endorsements.js';
import { chainFile, crlFile, vekFile } from './bundle-files.js';

export interface BundleSelection {
  /** Product lines to export, each with chain and CRL. */
  readonly lines: readonly SnpLine[];
  /** Requests to export, each with the certificate of its key, and the chain and the CRL of its product line. */
  readonly requests: readonly SnpEndorsementRequest[];
}

/** Collects a bundle from folder, cache and KDS. */
export async function exportBundle(
  finders: AmdFinders,
  { lines, requests }: BundleSelection,
  context: FetchContext,
): Promise<ExportedBundle> {
  const files: NamedFile[] = [];
  const missing: Unavailable[] = [];
  const wanted = new Map(lines.map((line) => [lineName(line), line]));
  for (const request of requests) {
    const vek = await finders.veks.find(request, context);
    if ('code' in vek) missing.push(vek);
    else files.push(vekFile(vek.value));
    const products = 'code' in vek ? request.products : [vek.value.product];
    for (const product of products) {
      const line = { product, signingKey: request.signingKey };
      wanted.set(lineName(line), line);
    }
  }
  for (const line of wanted.values()) {
    const found = await exportLine(finders, line, context);
    files.push(...found.files);
    missing.push(...found.missing);
  }
  return { files: [...new Map(files.map((file) => [file.name, file])).values()], missing };
}

/** Writes a bundle into a folder, which is created if it does not exist. */
export async function writeBundle(folder: string, { files }: ExportedBundle): Promise<void> {
  for (const { name, bytes } of files) await writeAtomically(join(folder, name), bytes, 'everybody');
}

/** A CRL is exported with its chain: without the chain it cannot be verified. */
async function exportLine(
  { chains, crls, snapshots }: AmdFinders,
  line: SnpLine,
  context: FetchContext,
): Promise<ExportedBundle> {
  const snapshot = await snapshots.of(line);
  const found = await chains.first(snapshot, context);
  if ('code' in found) return { files: [], missing: [found] };
  // The product of the importing machine includes the same chain.
  const chain = found.origin === 'carried' ? [] : [chainFile(found.chain)];
  const { own, others } = await crls.find(await snapshots.under(snapshot, found.chain.ark), context);
  const lists = 'code' in own ? others : [own, ...others];
  return {
    // All CRLs: readers of the bundle must see every revocation.
    files: [...chain, ...lists.map(({ series, list }) => crlFile(line.product, series, list.der))],
    missing: 'code' in own ? [own] : [],
  };
}
