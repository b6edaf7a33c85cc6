import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { SnpProduct } from '../../model/claims.js';
import type { Log } from '../../model/ports.js';
import { CERTIFICATE_FILES, type MaterialFiles } from '../files/material-files.js';
import { WatchedFolder } from '../files/watched-folder.js';
import { lineName, type SnpLine } from './amd-keys.js';
import type { AmdChain, AmdRootPins, AmdVek } from './amd-material.js';
import { type AmdMaterial, type ListOfLine, newestChains, recogniseAmdMaterial } from './amd-recognition.js';

interface AmdDirectoryOptions {
  readonly folder: string;
  readonly pins: AmdRootPins;
  readonly log: Log;
  /** How often the folder is looked at. */
  readonly pollMs: number;
}

const NOTHING: AmdMaterial = { arks: [], chains: [], veks: [], crls: [], refused: [] };

/**
 * The operator's folder of AMD certificates and revocation lists (`amd.chains`). Read at start and whenever it changes;
 * files are recognised by content, and the log names those that are not used. A missing folder counts as empty.
 */
export class AmdDirectory {
  readonly #options: AmdDirectoryOptions;
  readonly #folder: WatchedFolder;
  #material: AmdMaterial = NOTHING;
  #chains: ReadonlyMap<string, AmdChain> = new Map();

  constructor(options: AmdDirectoryOptions) {
    this.#options = options;
    const { folder, pollMs, log } = options;
    const take = (files: MaterialFiles) => this.#take(files);
    this.#folder = new WatchedFolder({
      folder,
      key: 'amd.chains',
      pollMs,
      log,
      material: CERTIFICATE_FILES,
      what: 'AMD endorsement folder',
      take,
    });
  }

  /** Reads the folder, and goes on looking at it until `close`. */
  start(): Promise<void> {
    return this.#folder.start();
  }

  /** Reads the folder again where it has changed. Never throws: what it had stays. */
  refresh(): Promise<boolean> {
    return this.#folder.refresh();
  }

  /** Reads the folder again, whether it has changed or not. @returns whether what it holds is in force */
  reload(): Promise<boolean> {
    return this.#folder.reload();
  }

  close(): void {
    this.#folder.close();
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

  /** VCEKs or VLEKs of a line. Verified only where the folder holds the line's chain. */
  veks({ product, signingKey }: SnpLine): readonly AmdVek[] {
    return this.#material.veks
      .map(({ item }) => item)
      .filter((vek) => vek.product === product && vek.signingKey === signingKey);
  }

  /** Revocation lists that name a line's root as issuer. Verified only where the folder holds that root. */
  crls(product: SnpProduct): readonly ListOfLine[] {
    return this.#material.crls.map(({ item }) => item).filter((crl) => crl.product === product);
  }

  #take({ files, refused }: MaterialFiles): void {
    const { pins, log } = this.#options;
    this.#material = recogniseAmdMaterial(files, pins);
    this.#chains = newestChains(this.#material.chains.map(({ item }) => item));
    for (const { name, why } of [...refused, ...this.#material.refused]) {
      log.warn({ file: name, why }, 'file of the AMD endorsement folder not taken');
    }
    log.info(countsOf(this.#material), 'AMD endorsement folder read');
  }
}

function countsOf({ arks, chains, veks, crls }: AmdMaterial): object {
  return { roots: arks.length, chains: chains.length, keys: veks.length, revocationLists: crls.length };
}
