import type { SnpProduct } from '../../core/claims.js';
import type { SnpSigningKey } from '../../core/endorsement.js';
import { UnfitError } from '../../core/errors.js';
import { isSameName } from '../../formats/distinguished-name.js';
import { parseCertificate, type X509Certificate } from '../../formats/x509-certificate.js';
import type { CrlFrame } from '../../formats/x509-crl.js';
import {
  type AmdChain,
  carriedChains,
  hasSigned,
  newestChains,
  verifyArk,
  verifyChain,
} from '../../tee/snp/amd/chain.js';
import { readCrl, verifyCrl } from '../../tee/snp/amd/crls.js';
import { lineName, productOfRoot, type SnpLine } from '../../tee/snp/amd/issuers.js';
import type { AmdRootPins } from '../../tee/snp/amd/roots.js';
import { type AmdVek, readVek, verifyVek } from '../../tee/snp/amd/vek.js';
import { dersOf } from '../files/certificate-files.js';
import { attempt, type NamedFile, type RefusedFile } from '../files/material-files.js';
import { seriesOfCrlFile } from './bundle-files.js';

/** A recognised object, and its file. */
export interface Found<T> {
  readonly name: string;
  readonly item: T;
}

/** A CRL by the line that its issuer names. */
export interface ListOfLine {
  readonly product: SnpProduct;
  /** Whether it is for VCEKs or for VLEKs; null if its file name does not state that. */
  readonly series: SnpSigningKey | null;
  readonly list: CrlFrame;
  /** When its file was last written, including an import; null if unknown. */
  readonly modifiedAt: Date | null;
}

/** AMD material of a set of files, by kind. */
export interface AmdMaterial {
  readonly arks: readonly Found<{ readonly product: SnpProduct; readonly ark: X509Certificate }>[];
  readonly chains: readonly Found<AmdChain>[];
  /** Marked as verified if a chain of their line was available and verified them. */
  readonly veks: readonly Found<AmdVek & { readonly verified: boolean }>[];
  /** Marked as verified if an ARK of their line was available and verified them. */
  readonly crls: readonly Found<ListOfLine & { readonly verified: boolean }>[];
  readonly refused: readonly RefusedFile[];
}

/** Available roots and chains outside the files. */
interface KnownRoots {
  ark(product: SnpProduct): X509Certificate | null;
  chain(line: SnpLine): AmdChain | null;
}

const NOTHING_KNOWN: KnownRoots = { ark: () => null, chain: () => null };

interface Sorted {
  readonly roots: Found<X509Certificate>[];
  readonly intermediates: Found<X509Certificate>[];
  readonly veks: Found<AmdVek>[];
  readonly lists: Found<CrlFrame>[];
}

/**
 * Recognises AMD material by content: PEM by its first line, certificates by their form, ARK by pin and own
 * signature, ASK and ASVK by the ARK's signature, VCEK and VLEK by their extensions, CRLs by issuer.
 * File names are ignored, except for the series of a CRL in the name of an exported file. Material that does not verify, or that
 * no pin covers, is rejected with a reason.
 */
export function recogniseAmdMaterial(
  files: readonly NamedFile[],
  pins: AmdRootPins,
  known: KnownRoots = NOTHING_KNOWN,
): AmdMaterial {
  const refused: RefusedFile[] = [];
  const sorted = sort(files, pins, refused);
  const arks = keep(sorted.roots, refused, (ark) => ({ product: verifyArk(ark, pins), ark }));
  const chains = keep(sorted.intermediates, refused, (intermediate) => {
    const ofFiles = arks.map(({ item }) => item.ark);
    const atHand = [
      ...ofFiles,
      ...[...pins.keys()].map((product) => known.ark(product)),
      ...carriedChains(pins).map(({ ark }) => ark),
    ];
    const ark = atHand.find((held) => held !== null && isIssuedBy(intermediate, held));
    if (ark == null) throw new UnfitError('no pinned root for this certificate is available');
    return verifyChain(intermediate, ark, pins);
  });
  const newest = newestChains(chains.map(({ item }) => item));
  const veks = keep(sorted.veks, refused, (vek) => {
    const ofLine = chains.map(({ item }) => item).filter((chain) => lineName(chain) === lineName(vek));
    const signer = ofLine.find((chain) => hasSigned(chain, vek));
    const chain = signer ?? newest.get(lineName(vek)) ?? known.chain(vek);
    if (chain !== null) verifyVek(vek, chain, pins);
    return { ...vek, verified: chain !== null };
  });
  const crls = keep(sorted.lists, refused, (list, name) => {
    const product = productOfRoot(list.issuer.commonName, pins);
    if (product === null) throw new UnfitError('CRL is not from an AMD root');
    const ark = arks.find(({ item }) => item.product === product)?.item.ark ?? known.ark(product);
    if (ark !== null) verifyCrl(list, ark, product);
    const modifiedAt = files.find((file) => file.name === name)?.modifiedAt ?? null;
    return { product, series: seriesOfCrlFile(name, product, list.der), list, modifiedAt, verified: ark !== null };
  });
  return { arks, chains, veks, crls, refused };
}

const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate) =>
  isSameName(certificate.issuer, issuer.subject);

function sort(files: readonly NamedFile[], pins: AmdRootPins, refused: RefusedFile[]): Sorted {
  const sorted: Sorted = { roots: [], intermediates: [], veks: [], lists: [] };
  for (const file of files) {
    for (const der of dersOf(file, refused)) sortItem({ name: file.name, der, pins }, sorted, refused);
  }
  return sorted;
}

function sortItem(
  { name, der, pins }: { readonly name: string; readonly der: Uint8Array; readonly pins: AmdRootPins },
  sorted: Sorted,
  refused: RefusedFile[],
): void {
  const add = <T>(kind: Found<T>[], read: () => T, otherwise = ''): void => {
    const item = attempt(read);
    if (item instanceof Error) refused.push({ name, why: `${otherwise}${item.message}` });
    else kind.push({ name, item });
  };
  const certificate = attempt(() => parseCertificate(der, { allowZeroSerial: true }));
  if (certificate instanceof Error) {
    add(sorted.lists, () => readCrl(der), `not a certificate (${certificate.message}) and not a CRL: `);
  } else if (certificate.basicConstraints?.ca === true) {
    // Only VEKs have a zero serial: a CA is parsed again under the rule for all others.
    add(isIssuedBy(certificate, certificate) ? sorted.roots : sorted.intermediates, () => parseCertificate(der));
  } else {
    add(sorted.veks, () => readVek(der, pins));
  }
}

function keep<T, R>(
  found: readonly Found<T>[],
  refused: RefusedFile[],
  verify: (item: T, name: string) => R,
): Found<R>[] {
  const kept: Found<R>[] = [];
  for (const { name, item } of found) {
    const verified = attempt(() => verify(item, name));
    if (verified instanceof Error) refused.push({ name, why: verified.message });
    else kept.push({ name, item: verified });
  }
  return kept;
}
