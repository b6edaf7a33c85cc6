import { LRUCache } from 'lru-cache';
import { hex } from '../../core/bytes.js';
import { SNP_TCB_COMPONENTS } from '../../core/claims.js';
import type { Provenance } from '../../core/endorsement.js';
import { UnfitError } from '../../core/errors.js';
import { sha256 } from '../../crypto/digest.js';
import { isOlder } from '../../crypto/revocation-list.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import { type AmdChain, hasSigned, isSameChain, readChain } from '../../tee/snp/amd/chain.js';
import { type AmdCrl, readCrl, verifyCrl } from '../../tee/snp/amd/crls.js';
import { lineName, type SnpLine } from '../../tee/snp/amd/issuers.js';
import type { AmdRootPins } from '../../tee/snp/amd/roots.js';
import type { VcekSubject } from '../../tee/snp/amd/vek.js';
import { type AmdVek, issuedAt, isVcekOf, readVek, verifyVek } from '../../tee/snp/amd/vek.js';
import type { CacheFolder } from '../files/cache-folder.js';
import { ReadOnce } from '../files/read-once.js';
import { encodeChain } from './bundle-files.js';

interface AmdCacheOptions {
  readonly folder: CacheFolder;
  readonly pins: AmdRootPins;
  /** Most VCEKs as files, and in memory. */
  readonly maximumFiles: number;
  readonly maximumInMemory: number;
}

/**
 * Endorsements fetched from AMD, in memory and on disk. Only verified ones are stored. A file is
 * verified again: a file that does not match its name is ignored, and replaced by the next fetch.
 *
 * A VCEK's key never changes for its product, chip and TCB, so it stays until it expires (AMD 57230).
 */
export class AmdCache {
  readonly #options: AmdCacheOptions;
  readonly #veks: LRUCache<string, AmdVek>;
  /** The VCEK files that exist. An eviction from here removes the file. */
  readonly #files: LRUCache<string, true>;
  /** For each line, the last fetched chain and the one before. */
  readonly #chains = new ReadOnce<readonly AmdChain[]>();
  readonly #crls = new ReadOnce<AmdCrl>();
  readonly #fetchedAt = new ReadOnce<Date>();
  /** Fetch times of VCEKs and chains. */
  readonly #fetchedOn = new WeakMap<AmdVek | AmdChain, Date>();
  /** Expired CRLs whose files are removed. */
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

  /** Number of changes: replaced chains or CRLs, and repeated fetches of a CRL. */
  get changes(): number {
    return this.#chains.changes + this.#crls.changes + this.#fetchedAt.changes;
  }

  /** Reads the list of files. */
  async start(): Promise<void> {
    for (const name of await this.#options.folder.namesFrom('vcek-')) this.#files.set(name, true);
  }

  /** When a VCEK or chain was fetched, or its file written; null if unknown. */
  fetchedOn(material: AmdVek | AmdChain): Date | null {
    return this.#fetchedOn.get(material) ?? null;
  }

  /** The VCEK of a chip and TCB. Its signature is verified again if `chains` has chains of the line. */
  async vcek(subject: VcekSubject, chains: readonly AmdChain[]): Promise<AmdVek | null> {
    const name = vcekFile(subject);
    const known = this.#veks.get(name);
    if (known !== undefined) {
      // Reading counts as use: otherwise a constantly used VCEK could lose its file to one that was read once.
      this.#files.get(name);
      return known;
    }
    const vek = await this.#options.folder.readVerified(name, (bytes) => {
      const read = readVek(bytes, this.#options.pins);
      if (!isVcekOf(read, subject)) throw new UnfitError('certificate is for another chip or TCB');
      const signer = chains.find((chain) => hasSigned(chain, read)) ?? chains[0];
      if (signer !== undefined) verifyVek(read, signer, this.#options.pins);
      return read;
    });
    if (vek === null) return null;
    await this.#noteWritten(vek, name);
    this.#files.set(name, true);
    if (chains.length > 0) this.#veks.set(name, vek);
    return vek;
  }

  /**
   * Stores a verified VCEK.
   * @param replaces whether it may replace one with the same or a later issue time
   */
  async keepVcek(
    subject: VcekSubject,
    vek: AmdVek,
    { replaces = false, fetchedAt }: { readonly replaces?: boolean; readonly fetchedAt?: Date } = {},
  ): Promise<void> {
    const name = vcekFile(subject);
    if (fetchedAt !== undefined) this.#fetchedOn.set(vek, fetchedAt);
    const known = this.#veks.peek(name);
    if (!replaces && known !== undefined && issuedAt(known) >= issuedAt(vek)) return;
    this.#veks.set(name, vek);
    await this.#options.folder.write(name, vek.certificate.der);
    this.#files.set(name, true);
  }

  /** The chains of a line, the last fetched first: AMD can re-issue an ASK or ASVK with a new key. */
  async chains(line: SnpLine): Promise<readonly AmdChain[]> {
    const { folder, pins } = this.#options;
    const verify = (bytes: Uint8Array) => readChain(Buffer.from(bytes).toString('latin1'), line, pins);
    const kept = await this.#chains.get(lineName(line), async () => {
      const read = await Promise.all(
        chainFiles(line).map(async (name) => {
          const chain = await folder.readVerified(name, verify);
          return chain === null ? [] : [await this.#noteWritten(chain, name)];
        }),
      );
      return read.flat();
    });
    return kept ?? [];
  }

  /** Stores a chain, and keeps the one before it, which signed earlier key certificates. */
  async keepChain(chain: AmdChain, fetchedAt?: Date): Promise<void> {
    if (fetchedAt !== undefined) this.#fetchedOn.set(chain, fetchedAt);
    const [last] = await this.chains(chain);
    if (last !== undefined && isSameChain(last, chain)) return;
    const kept = last === undefined ? [chain] : [chain, last];
    this.#chains.set(lineName(chain), kept);
    const [file, fileBefore] = chainFiles(chain);
    if (last !== undefined) await this.#options.folder.write(fileBefore, encodeChain(last));
    await this.#options.folder.write(file, encodeChain(chain));
  }

  /** The last fetched CRL of a series. It may have expired. */
  crl(line: SnpLine, ark: X509Certificate): Promise<AmdCrl | null> {
    return this.#crls.get(lineName(line), () => this.#readCrl(line, ark));
  }

  /** When the CRL of a series was last fetched, new or unchanged; null if unknown. */
  crlFetchedAt(line: SnpLine): Promise<Date | null> {
    return this.#fetchedAt.get(lineName(line), () => this.#readFetchedAt(line));
  }

  /** When KDS last failed to serve the CRL of a series to a command; null if unknown. */
  async crlFailedAt(line: SnpLine): Promise<Date | null> {
    return instantIn(await this.#options.folder.read(crlFailedFile(line)));
  }

  /** Stores the time of such a failure for later commands. */
  keepCrlFailure(line: SnpLine, failedAt: Date): Promise<void> {
    return this.#options.folder.write(crlFailedFile(line), encodeInstant(failedAt));
  }

  /** Removes the file of a CRL past its next update. It stays in memory, so that answers can state that it expired. */
  async endCrl(line: SnpLine, now: Date): Promise<void> {
    const crl = this.#crls.known(lineName(line));
    if (crl === null || now <= crl.nextUpdate || this.#ended.has(crl)) return;
    this.#ended.add(crl);
    await this.#options.folder.remove(crlFile(line));
  }

  /** Caches a CRL. If it is as old as the cached one, only the fetch time changes. */
  async keepCrl(line: SnpLine, crl: AmdCrl, fetchedAt: Date): Promise<void> {
    const before = this.#crls.known(lineName(line));
    const isNews = before === null || isOlder(before, crl) || isOlder(crl, before);
    if (isNews) this.#crls.set(lineName(line), crl);
    this.#fetchedAt.set(lineName(line), fetchedAt);
    if (isNews) await this.#options.folder.write(crlFile(line), crl.list.der);
    await this.#options.folder.write(crlFetchedFile(line), encodeInstant(fetchedAt));
  }

  async #noteWritten<T extends AmdVek | AmdChain>(material: T, name: string): Promise<T> {
    const writtenAt = await this.#options.folder.writtenAt(name);
    if (writtenAt !== null) this.#fetchedOn.set(material, writtenAt);
    return material;
  }

  #readCrl(line: SnpLine, ark: X509Certificate): Promise<AmdCrl | null> {
    return this.#options.folder.readVerified(crlFile(line), (bytes) => verifyCrl(readCrl(bytes), ark, line.product));
  }

  async #readFetchedAt(line: SnpLine): Promise<Date | null> {
    return instantIn(await this.#options.folder.read(crlFetchedFile(line)));
  }
}

/** The fetch time as a member of the provenance. */
export function fetchedOn(cache: AmdCache, material: AmdVek | AmdChain): Pick<Provenance, 'fetchedAt'> {
  const fetchedAt = cache.fetchedOn(material);
  return fetchedAt === null ? {} : { fetchedAt };
}

const chainFiles = (line: SnpLine) => [`chain-${lineName(line)}.pem`, `chain-${lineName(line)}-before.pem`] as const;
const crlFile = (line: SnpLine) => `crl-${lineName(line)}.crl`;
const crlFetchedFile = (line: SnpLine) => `crl-fetched-${lineName(line)}`;
const crlFailedFile = (line: SnpLine) => `crl-failed-${lineName(line)}`;

const encodeInstant = (instant: Date) => `${instant.toISOString()}\n`;

/** Null if the file is missing or damaged: then the fetch or failure counts as long ago. */
function instantIn(bytes: Uint8Array | null): Date | null {
  const instant = new Date(
    Buffer.from(bytes ?? [])
      .toString('latin1')
      .trimEnd(),
  );
  return Number.isNaN(instant.getTime()) ? null : instant;
}

/** File name from product, chip (64 bytes) and TCB: SHA-256 over all of them, hex. */
function vcekFile({ product, chipId, tcb }: VcekSubject): string {
  const levels = SNP_TCB_COMPONENTS.map((component) => tcb[component] ?? '');
  const key = [product, Buffer.from(chipId).toString('hex').padEnd(128, '0'), ...levels].join('/');
  return `vcek-${hex(sha256(Buffer.from(key, 'utf8')))}.der`;
}
