import type { CacheFolder } from '../cache-folder.js';
import { type CrlAge, CrlMemory, isOlder } from '../crl-memory.js';
import { ReadOnce } from '../read-once.js';
import type { CollateralKey, IntelCollateral } from './intel-collateral.js';

/** Whom collateral is from: Intel's service or a PCCS, Azure's cache, or the operator, who imported it. */
export type CollateralSourceName = 'pcs' | 'thim' | 'store';

const COLLATERAL_SOURCES: readonly CollateralSourceName[] = ['pcs', 'thim', 'store'];

/** The newest that a source gave for a kind of platform; null where it gave nothing yet. */
export interface CollateralMarks {
  /** Evaluation number of the TCB info, and that of the QE identity: Intel does not raise them in one moment. */
  readonly tcbInfo: bigint | null;
  readonly qeIdentity: bigint | null;
  readonly pckList: CrlAge | null;
  readonly rootList: CrlAge | null;
}

/** Whether some part of collateral is older than what was given before. */
export function isBehind({ tcbInfo, qeIdentity, pckList, rootList }: IntelCollateral, marks: CollateralMarks): boolean {
  return (
    (marks.tcbInfo !== null && tcbInfo.number < marks.tcbInfo) ||
    (marks.qeIdentity !== null && qeIdentity.number < marks.qeIdentity) ||
    (marks.pckList !== null && isOlder(pckList, marks.pckList)) ||
    (marks.rootList !== null && isOlder(rootList, marks.rootList))
  );
}

/**
 * The newest that a source ever gave: evaluation numbers of TCB info and QE identity, by FMSPC, and revocation lists, by
 * issuer. It only grows, so that nobody can put old collateral in the place of newer by serving it. Advances with what the
 * service fetched or an operator imported, never with what a request brings.
 *
 * Lists are compared by date too: Intel has given all of its lists the number 1 so far.
 *
 * Sources are apart, since Azure's cache lags behind Intel on purpose. Lives in the cache folder, one small file a number.
 */
export class CollateralMemory {
  readonly #folder: CacheFolder;
  readonly #numbers = new ReadOnce<bigint>();
  readonly #lists: CrlMemory;

  constructor(folder: CacheFolder) {
    this.#folder = folder;
    this.#lists = new CrlMemory(folder);
  }

  /** The cache may have changed by the time this resolves: compare with what is at hand then. */
  async marksOf({ fmspc, ca }: CollateralKey, source: CollateralSourceName): Promise<CollateralMarks> {
    const [tcbInfo, qeIdentity, pckList, rootList] = await Promise.all([
      this.#read(fileOf(source, fmspc)),
      this.#read(fileOfQe(source, fmspc)),
      this.#lists.highest(`${source}-${ca}`),
      this.#lists.highest(`${source}-root`),
    ]);
    return { tcbInfo, qeIdentity, pckList, rootList };
  }

  /** Of every source. */
  marksOfAll(key: CollateralKey): Promise<readonly CollateralMarks[]> {
    return Promise.all(COLLATERAL_SOURCES.map((source) => this.marksOf(key, source)));
  }

  /** Notes what a source gave. What is older changes nothing. */
  async advance(
    { fmspc, ca, tcbInfo, qeIdentity, pckList, rootList }: IntelCollateral,
    source: CollateralSourceName,
  ): Promise<void> {
    await Promise.all([
      this.#advanceNumber(fileOf(source, fmspc), tcbInfo.number),
      this.#advanceNumber(fileOfQe(source, fmspc), qeIdentity.number),
      this.#lists.advance(`${source}-${ca}`, pckList),
      this.#lists.advance(`${source}-root`, rootList),
    ]);
  }

  async #advanceNumber(name: string, number: bigint): Promise<void> {
    await this.#read(name);
    // Looked at after the wait, and set before the next: another number may have been noted meanwhile.
    const before = this.#numbers.known(name);
    if (before !== null && number <= before) return;
    this.#numbers.set(name, number);
    await this.#folder.write(name, `${number}\n`);
  }

  #read(name: string): Promise<bigint | null> {
    return this.#numbers.get(name, async () => parseNumber(await this.#folder.read(name)));
  }
}

const fileOf = (source: CollateralSourceName, fmspc: string) => `tdx-highest-${source}-${fmspc}`;
const fileOfQe = (source: CollateralSourceName, fmspc: string) => `tdx-highest-${source}-${fmspc}-qe`;

/** An evaluation number has 32 bits. */
const NUMBER = /^(\d{1,10})\n$/;

function parseNumber(bytes: Uint8Array | null): bigint | null {
  const [, number] = NUMBER.exec(Buffer.from(bytes ?? []).toString('latin1')) ?? [];
  return number === undefined ? null : BigInt(number);
}
