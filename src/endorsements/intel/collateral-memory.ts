import type { CacheFolder } from '../cache-folder.js';
import { type CrlAge, CrlMemory, isOlder } from '../crl-memory.js';
import { ReadOnce } from '../read-once.js';
import type { IntelCollateral } from './intel-collateral.js';

/** Whom collateral is from: Intel's service or a PCCS, Azure's cache, or the operator, who imported it. */
export type CollateralSourceName = 'pcs' | 'thim' | 'store';

const COLLATERAL_SOURCES: readonly CollateralSourceName[] = ['pcs', 'thim', 'store'];

/**
 * The newest that a source ever gave: evaluation numbers of collateral, by FMSPC, and revocation lists, by issuer. It only
 * grows, so that nobody can put old collateral in the place of newer by serving it. Advances with what the service fetched
 * or an operator imported, never with what a request brings.
 *
 * Lists are compared by date too: Intel has given all of its lists the number 1 so far.
 *
 * Sources are apart, since Azure's cache lags behind Intel on purpose. Lives in the cache folder, one small file a number.
 */
export class CollateralMemory {
  readonly #folder: CacheFolder;
  readonly #numbers = new ReadOnce<number>();
  readonly #lists: CrlMemory;

  constructor(folder: CacheFolder) {
    this.#folder = folder;
    this.#lists = new CrlMemory(folder);
  }

  /** Whether a source gave something newer before. */
  async isRolledBack(collateral: IntelCollateral, source: CollateralSourceName): Promise<boolean> {
    const highest = await this.#highest(source, collateral.fmspc);
    if (highest !== null && collateral.documents.evaluation < highest) return true;
    for (const [issuer, list] of listsOf(collateral)) {
      const newest = await this.#lists.highest(`${source}-${issuer}`);
      if (newest !== null && isOlder(list, newest)) return true;
    }
    return false;
  }

  /** Whether any source gave documents with a higher evaluation number before. */
  async isOlderThanAny({ fmspc, documents }: IntelCollateral): Promise<boolean> {
    const highest = await Promise.all(COLLATERAL_SOURCES.map((source) => this.#highest(source, fmspc)));
    return highest.some((number) => number !== null && documents.evaluation < number);
  }

  /** Notes what a source gave. What is older changes nothing. */
  async advance(collateral: IntelCollateral, source: CollateralSourceName): Promise<void> {
    await this.#advanceNumber(fileOf(source, collateral.fmspc), collateral.documents.evaluation);
    for (const [issuer, list] of listsOf(collateral)) await this.#lists.advance(`${source}-${issuer}`, list);
  }

  async #advanceNumber(name: string, number: number): Promise<void> {
    await this.#read(name);
    // Looked at after the wait, and set before the next: another number may have been noted meanwhile.
    const before = this.#numbers.known(name);
    if (before !== null && number <= before) return;
    this.#numbers.set(name, number);
    await this.#folder.write(name, `${number}\n`);
  }

  #highest(source: CollateralSourceName, fmspc: string): Promise<number | null> {
    return this.#read(fileOf(source, fmspc));
  }

  #read(name: string): Promise<number | null> {
    return this.#numbers.get(name, async () => parseNumber(await this.#folder.read(name)));
  }
}

function listsOf({ ca, pckList, rootList }: IntelCollateral): readonly (readonly [string, CrlAge])[] {
  return [
    [ca, pckList],
    ['root', rootList],
  ];
}

const fileOf = (source: CollateralSourceName, fmspc: string) => `tdx-highest-${source}-${fmspc}`;

/** An evaluation number has 32 bits. */
const NUMBER = /^(\d{1,10})\n$/;

function parseNumber(bytes: Uint8Array | null): number | null {
  const [, number] = NUMBER.exec(Buffer.from(bytes ?? []).toString('latin1')) ?? [];
  return number === undefined ? null : Number(number);
}
