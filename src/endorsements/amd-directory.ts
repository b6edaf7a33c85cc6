import type { X509Certificate } from '../formats/x509-certificate.js';
import type { X509Crl } from '../formats/x509-crl.js';
import type { SnpProduct } from '../model/claims.js';
import type { Log } from '../model/ports.js';
import { lineName, type SnpLine } from './amd-keys.js';
import type { AmdChain, AmdRootPins, AmdVek } from './amd-material.js';
import { type AmdMaterial, newestChains, recogniseAmdMaterial } from './amd-recognition.js';
import { fingerprintOf, readMaterialFiles } from './material-files.js';

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
 * what is in it is recognised by content, and what is not taken is said by name in the log. A folder that is not there
 * is an empty one.
 *
 * The folder is looked at from time to time instead of being watched: that works on network file systems and mounted
 * volumes too, and for a folder that comes later.
 */
export class AmdDirectory {
  readonly #options: AmdDirectoryOptions;
  /** Undefined: to be read, whatever it is. */
  #fingerprint: string | null | undefined = undefined;
  /** The fault that the log has been told of. */
  #fault: string | null = null;
  #material: AmdMaterial = NOTHING;
  #chains: ReadonlyMap<string, AmdChain> = new Map();
  #reading: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: AmdDirectoryOptions) {
    this.#options = options;
  }

  /** Reads the folder, and goes on looking at it until `close`. */
  async start(): Promise<void> {
    await this.refresh();
    if (this.#isClosed) return;
    this.#timer = setInterval(() => void this.refresh(), this.#options.pollMs).unref();
  }

  /** Reads the folder again where it has changed. Never throws: what it had stays. */
  refresh(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#readIfChanged());
    return this.#reading;
  }

  /** Reads the folder again, whether it has changed or not. */
  reload(): Promise<void> {
    this.#fingerprint = undefined;
    return this.refresh();
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  chain(line: SnpLine): AmdChain | null {
    return this.#chains.get(lineName(line)) ?? null;
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
  crls(product: SnpProduct): readonly X509Crl[] {
    return this.#material.crls.map(({ item }) => item).flatMap((crl) => (crl.product === product ? [crl.list] : []));
  }

  async #readIfChanged(): Promise<void> {
    try {
      const fingerprint = await fingerprintOf(this.#options.folder);
      this.#fault = null;
      if (fingerprint === this.#fingerprint) return;
      await this.#read();
      this.#fingerprint = fingerprint;
    } catch (error) {
      const fault = String(error);
      if (fault !== this.#fault) this.#options.log.error({ err: error }, 'AMD endorsement folder cannot be read');
      this.#fault = fault;
    }
  }

  async #read(): Promise<void> {
    const { folder, pins, log } = this.#options;
    const { files, refused } = await readMaterialFiles(folder);
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
