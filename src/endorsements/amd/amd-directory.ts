import type { SnpProduct } from '../../core/claims.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { AmdChain } from '../../tee/snp/amd/chain.js';
import { newestChains } from '../../tee/snp/amd/chain.js';
import { lineName, type SnpLine } from '../../tee/snp/amd/issuers.js';
import type { AmdRootPins } from '../../tee/snp/amd/roots.js';
import type { AmdVek } from '../../tee/snp/amd/vek.js';
import { CERTIFICATE_FILES, type EndingFile, lastOfEach, type MaterialFiles } from '../files/material-files.js';
import { type FolderOptions, type TakenFolder, WatchedFolder } from '../files/watched-folder.js';
import { type AmdMaterial, type ListOfLine, recogniseAmdMaterial } from './amd-recognition.js';

interface AmdDirectoryOptions extends FolderOptions {
  readonly pins: AmdRootPins;
}

const NOTHING: AmdMaterial = { arks: [], chains: [], veks: [], crls: [], refused: [] };

/**
 * The operator's folder of AMD certificates and CRLs (`amd.chains`). Read at start and whenever it changes;
 * files are recognised by content, and the log names unused files. A missing folder counts as empty.
 */
export class AmdDirectory extends WatchedFolder {
  readonly #pins: AmdRootPins;
  #material: AmdMaterial = NOTHING;
  #chains: ReadonlyMap<string, AmdChain> = new Map();

  constructor({ pins, ...options }: AmdDirectoryOptions) {
    super({ ...options, key: 'amd.chains', material: CERTIFICATE_FILES, what: 'AMD endorsement folder' });
    this.#pins = pins;
  }

  /** The newest chain of a line. */
  chain(line: SnpLine): AmdChain | null {
    return this.#chains.get(lineName(line)) ?? null;
  }

  /** All chains of a line, the newest first: AMD can re-issue an ASK or ASVK with a new key. */
  chains(line: SnpLine): readonly AmdChain[] {
    const newest = this.chain(line);
    const all = this.#material.chains.map(({ item }) => item).filter((chain) => lineName(chain) === lineName(line));
    return newest === null ? [] : [newest, ...all.filter((chain) => chain !== newest)];
  }

  ark(product: SnpProduct): X509Certificate | null {
    return this.#material.arks.find(({ item }) => item.product === product)?.item.ark ?? null;
  }

  /** VCEKs or VLEKs of a line. Verified only if the folder has the line's chain. */
  veks({ product, signingKey }: SnpLine): readonly AmdVek[] {
    return this.#material.veks
      .map(({ item }) => item)
      .filter((vek) => vek.product === product && vek.signingKey === signingKey);
  }

  /** CRLs that name a line's root as issuer. Verified only if the folder has that root. */
  crls(product: SnpProduct): readonly ListOfLine[] {
    return this.#material.crls.map(({ item }) => item).filter((crl) => crl.product === product);
  }

  /**
   * CRLs by their nextUpdate. A newer one replaces another only if both are known to be of one series: a CRL of unknown series
   * may be for VCEKs or for VLEKs, so each counts.
   */
  get endings(): readonly EndingFile[] {
    const lists = this.#material.crls.flatMap(({ name, item: { product, series, list } }, index) => {
      if (list.nextUpdate === null) return [];
      const subject = `CRL of ${list.issuer.commonName ?? product}`;
      const group = series === null ? String(index) : `${product} ${series}`;
      return [{ group, key: 'amd.chains' as const, file: name, subject, expires: list.nextUpdate.toISOString() }];
    });
    return lastOfEach(lists);
  }

  protected override take({ files, refused }: MaterialFiles): TakenFolder {
    const material = recogniseAmdMaterial(files, this.#pins);
    const { arks, chains, veks, crls } = material;
    this.#material = material;
    this.#chains = newestChains(chains.map(({ item }) => item));
    return {
      refused: [...refused, ...material.refused],
      counts: { roots: arks.length, chains: chains.length, veks: veks.length, crls: crls.length },
    };
  }
}
