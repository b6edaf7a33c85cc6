import { LRUCache } from 'lru-cache';
import type { X509Certificate } from '../formats/x509-certificate.js';
import type { Log } from '../model/ports.js';
import { lineName, type SnpLine, type VcekSubject, vcekName } from './amd-keys.js';
import {
  type AmdChain,
  type AmdCrl,
  type AmdRootPins,
  type AmdVek,
  issuedAt,
  isVcekOf,
  readChain,
  readCrl,
  readVek,
  verifyCrl,
  verifyVek,
} from './amd-material.js';
import type { CacheFolder } from './cache-folder.js';
import { isOlder } from './crl-memory.js';
import { encodePem } from './pem-text.js';
import { ReadOnce } from './read-once.js';
import { UnfitError } from './unfit-error.js';

interface AmdCacheOptions {
  readonly folder: CacheFolder;
  readonly pins: AmdRootPins;
  readonly log: Log;
  /** VCEKs kept as files, and in memory. */
  readonly maximumFiles: number;
  readonly maximumInMemory: number;
}

/**
 * What was fetched from AMD, in memory and on disk. Only verified material goes in, and what comes from a file is
 * verified again: a file that is not what its name stands for is ignored, and replaced by what is fetched instead.
 *
 * A VCEK's key never changes for its product, chip and TCB, so it stays until its own end (AMD 57230).
 */
export class AmdCache {
  readonly #options: AmdCacheOptions;
  readonly #veks: LRUCache<string, AmdVek>;
  /** The VCEK files that there are; falling out of here removes the file. */
  readonly #files: LRUCache<string, true>;
  readonly #chains = new ReadOnce<AmdChain>();
  readonly #crls = new ReadOnce<AmdCrl>();
  /** Lists that have ended and whose files are gone. */
  readonly #ended = new WeakSet<AmdCrl>();

  constructor(options: AmdCacheOptions) {
    this.#options = options;
    this.#veks = new LRUCache({ max: options.maximumInMemory });
    this.#files = new LRUCache({
      max: options.maximumFiles,
      dispose: (_value, name, reason) => {
        if (reason === 'evict') void options.folder.remove(name);
      },
    });
  }

  /** Learns which files there are. */
  async start(): Promise<void> {
    for (const name of await this.#options.folder.namesFrom('vcek-')) this.#files.set(name, true);
  }

  /** The VCEK of a chip and TCB. Its signature is verified again where the line's chain is given. */
  async vcek(subject: VcekSubject, chain: AmdChain | null): Promise<AmdVek | null> {
    const name = `vcek-${vcekName(subject)}.der`;
    const known = this.#veks.get(name);
    if (known !== undefined) {
      // Used is used: what is asked for all the time must not lose its file to what was once read.
      this.#files.get(name);
      return known;
    }
    const vek = await this.#read(name, (bytes) => {
      const read = readVek(bytes);
      if (!isVcekOf(read, subject)) throw new UnfitError('certificate is of another chip or TCB');
      if (chain !== null) verifyVek(read, chain, this.#options.pins);
      return read;
    });
    if (vek === null) return null;
    this.#files.set(name, true);
    if (chain !== null) this.#veks.set(name, vek);
    return vek;
  }

  /** Keeps a VCEK that was verified under its chain, unless it has one that was issued as late: many may bring one. */
  async keepVcek(subject: VcekSubject, vek: AmdVek): Promise<void> {
    const name = `vcek-${vcekName(subject)}.der`;
    const known = this.#veks.peek(name);
    if (known !== undefined && issuedAt(known) >= issuedAt(vek)) return;
    this.#veks.set(name, vek);
    await this.#options.folder.write(name, vek.certificate.der);
    this.#files.set(name, true);
  }

  chain(line: SnpLine): Promise<AmdChain | null> {
    return this.#chains.get(lineName(line), () =>
      this.#read(chainFile(line), (bytes) =>
        readChain(Buffer.from(bytes).toString('latin1'), line, this.#options.pins),
      ),
    );
  }

  async keepChain(chain: AmdChain): Promise<void> {
    if (this.#chains.known(lineName(chain)) !== null) return;
    this.#chains.set(lineName(chain), chain);
    await this.#options.folder.write(chainFile(chain), encodePem(chain.intermediate.der, chain.ark.der));
  }

  /** The revocation list kept for a line. It may have ended. */
  crl(line: SnpLine, ark: X509Certificate): Promise<AmdCrl | null> {
    return this.#crls.get(lineName(line), () =>
      this.#read(crlFile(line), (bytes) => verifyCrl(readCrl(bytes), ark, line.product)),
    );
  }

  /** Removes the file of a line's list once it has ended. In memory it stays, so that it can be said that it has. */
  async endCrl(line: SnpLine, now: Date): Promise<void> {
    const crl = this.#crls.known(lineName(line));
    if (crl === null || now <= crl.nextUpdate || this.#ended.has(crl)) return;
    this.#ended.add(crl);
    await this.#options.folder.remove(crlFile(line));
  }

  /** Keeps a list. One that is as old as what is kept changes nothing. */
  async keepCrl(line: SnpLine, crl: AmdCrl): Promise<void> {
    const before = this.#crls.known(lineName(line));
    if (before !== null && !isOlder(before, crl) && !isOlder(crl, before)) return;
    this.#crls.set(lineName(line), crl);
    await this.#options.folder.write(crlFile(line), crl.list.der);
  }

  async #read<T>(name: string, verify: (bytes: Uint8Array) => T): Promise<T | null> {
    const bytes = await this.#options.folder.read(name);
    if (bytes === null) return null;
    try {
      return verify(bytes);
    } catch (error) {
      if (!(error instanceof UnfitError)) throw error;
      this.#options.log.warn({ file: name, why: error.message }, 'cached endorsement does not fit and is ignored');
      return null;
    }
  }
}

const chainFile = (line: SnpLine) => `chain-${lineName(line)}.pem`;
const crlFile = (line: SnpLine) => `crl-${lineName(line)}.crl`;
