import { join } from 'node:path';
import { hex } from '../../core/bytes.js';
import { type CrlAge, isOlder } from '../../crypto/revocation-list.js';
import { writeAtomically } from '../../files/whole-files.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import { isSameChain, newestChains } from '../../tee/snp/amd/chain.js';
import { lineName, SNP_SIGNING_KEYS, type SnpLine } from '../../tee/snp/amd/issuers.js';
import type { AmdVek } from '../../tee/snp/amd/vek.js';
import type { ImportReport, NamedFile, RefusedFile } from '../files/material-files.js';
import { CERTIFICATE_FILES, readBundle } from '../files/material-files.js';
import { type CrlMemory, isDamaged } from '../files/rollback-marks.js';
import type { AmdDirectory } from './amd-directory.js';
import type { AmdParts } from './amd-parts.js';
import { type AmdMaterial, type Found, type ListOfLine, recogniseAmdMaterial } from './amd-recognition.js';
import { chainFile, crlFile, vekFile } from './bundle-files.js';

interface ImportParts extends Pick<AmdParts, 'pins' | 'carried' | 'directory' | 'memory'> {
  /** The operator's folder, the target of the import. */
  readonly folder: string;
}

interface Accepted {
  readonly name: string;
  readonly what: string;
  readonly file: NamedFile;
}

interface AcceptedList extends Accepted {
  /** Null if it is unknown whether the CRL is for VCEKs or for VLEKs. */
  readonly line: SnpLine | null;
  readonly age: CrlAge;
}

/**
 * Verifies a bundle and copies valid material into the operator's folder. Everything must chain to a pinned root;
 * a CRL must be valid now, and not older than a used one of its series.
 *
 * @param path folder of the bundle
 * @throws {ConfigurationError} if the folder does not exist
 * @throws {Error} if a folder cannot be read or written
 */
export async function importBundle(parts: ImportParts, path: string, now: Date): Promise<ImportReport> {
  const { pins, carried, directory, memory, folder } = parts;
  const { files, refused } = await readBundle(path, CERTIFICATE_FILES);
  const material = recogniseAmdMaterial(files, pins, {
    ark: (product) => directory.ark(product) ?? carried.find((chain) => chain.product === product)?.ark ?? null,
    chain: (line) => directory.chain(line) ?? carried.find((chain) => lineName(chain) === lineName(line)) ?? null,
  });
  const refusals = [...refused, ...material.refused];
  const others = [...acceptChains(material, directory, refusals), ...acceptVeks(material, refusals)];
  const lists = await acceptLists(material, memory, now, refusals);
  const accepted = [...others, ...lists];
  for (const { file } of accepted) await writeAtomically(join(folder, file.name), file.bytes, 'everybody');
  for (const { line, age } of lists) {
    if (line !== null) await memory.advance(lineName(line), age);
  }
  await directory.refresh();
  return { taken: accepted.map(({ name, what, file }) => ({ name, what, keptAs: file.name })), refused: refusals };
}

/** A line keeps one chain, the newest. */
function acceptChains({ chains, arks }: AmdMaterial, directory: AmdDirectory, refused: RefusedFile[]): Accepted[] {
  // Compared by content: AMD's files for VCEKs and for VLEKs contain the same root.
  const lone = arks.filter(({ item }) => chains.every(({ item: chain }) => !isSame(chain.ark, item.ark)));
  refused.push(...lone.map(({ name }) => ({ name, why: 'root without an intermediate below it' })));
  const held = chains.flatMap(({ item }) => directory.chain(item) ?? []);
  const newest = newestChains([...chains.map(({ item }) => item), ...held]);
  return chains.flatMap(({ name, item }) => {
    const best = newest.get(lineName(item)) ?? item;
    if (isSameChain(best, item)) return [{ name, what: describeChain(item), file: chainFile(item) }];
    refused.push({ name, why: `a newer ${describeChain(item)} is already available` });
    return [];
  });
}

function acceptVeks({ veks }: AmdMaterial, refused: RefusedFile[]): Accepted[] {
  const [verified, others] = [veks.filter(({ item }) => item.verified), veks.filter(({ item }) => !item.verified)];
  refused.push(
    ...others.map(({ name, item }) => ({ name, why: `no certificate chain of ${lineName(item)} is available` })),
  );
  return verified.map(({ name, item }) => ({ name, what: describeVek(item), file: vekFile(item) }));
}

async function acceptLists(
  { crls }: AmdMaterial,
  memory: CrlMemory,
  now: Date,
  refused: RefusedFile[],
): Promise<AcceptedList[]> {
  const accepted: AcceptedList[] = [];
  for (const found of crls) {
    const judged = await listVerdict(found, memory, now);
    if (typeof judged === 'string') refused.push({ name: found.name, why: judged });
    else accepted.push(judged);
  }
  return accepted;
}

/** Returns the CRL, or why it is not imported. */
async function listVerdict({ name, item }: Found<ListOfLine & { verified: boolean }>, memory: CrlMemory, now: Date) {
  const { product, series, list, verified } = item;
  const { crlNumber: number, thisUpdate, nextUpdate } = list;
  if (!verified) return `no root of ${product} is available`;
  if (number === null || thisUpdate === null || nextUpdate === null) return 'it does not state its validity';
  if (thisUpdate > now) return 'it is from the future';
  if (nextUpdate < now) return 'it is past its next update';
  const age = { number, thisUpdate };
  // Numbers are only comparable within a series: a CRL of unknown series is a rollback if it is too old for both.
  const keys = series === null ? SNP_SIGNING_KEYS : [series];
  const marks = await Promise.all(keys.map((signingKey) => memory.highest(lineName({ product, signingKey }))));
  if (marks.every((mark) => mark !== null && isOlder(age, mark))) {
    return marks.some(isDamaged)
      ? 'whether it is older than one that was relied on before is not known: the rollback mark is damaged'
      : 'it is older than one that was relied on before';
  }
  const kind = series === null ? '' : ` for ${series.toUpperCase()}s`;
  const what = `CRL ${number} of ${product}${kind}, valid until ${nextUpdate.toISOString()}`;
  const line = series === null ? null : { product, signingKey: series };
  return { name, what, file: crlFile(product, series, list.der), line, age };
}

const isSame = (a: X509Certificate, b: X509Certificate) => Buffer.compare(a.der, b.der) === 0;

const describeChain = ({ product, signingKey }: SnpLine) =>
  `certificate chain of ${product} for ${signingKey.toUpperCase()}s`;

function describeVek({ product, signingKey, extensions }: AmdVek): string {
  const chip = extensions.hwId === null ? '' : ` of chip ${hex(extensions.hwId.subarray(0, 8))}…`;
  return `${signingKey.toUpperCase()} of ${product}${chip}`;
}
