import type { CacheFolder } from '../cache-folder.js';
import { ReadOnce } from '../read-once.js';
import type { IntelCollateral } from './intel-collateral.js';

/** Whom collateral is from: Intel's service or a PCCS, Azure's cache, or the operator, who imported it. */
export type CollateralSourceName = 'pcs' | 'thim' | 'store';

const COLLATERAL_SOURCES: readonly CollateralSourceName[] = ['pcs', 'thim', 'store'];

/**
 * The highest numbers that a source ever gave: evaluation numbers of collateral, by FMSPC, and numbers of revocation
 * lists, by issuer. They only grow, so that nobody can put old collateral in the place of newer by serving it. Advances
 * with what the service fetched or an operator imported, never with what a request brings.
 *
 * Not noticed: an older list of the same number. Intel has given all of its lists the number 1 so far, so what counts of
 * them is that they are in their time, and that of two the newer counts.
 *
 * Sources are apart, since Azure's cache lags behind Intel on purpose. Lives in the cache folder, one small file a number.
 */
export class CollateralMemory {
  readonly #folder: CacheFolder;
  readonly #numbers = new ReadOnce<bigint>();

  constructor(folder: CacheFolder) {
    this.#folder = folder;
  }

  /** Whether a source gave something newer before. */
  async isRolledBack(collateral: IntelCollateral, source: CollateralSourceName): Promise<boolean> {
    for (const [subject, number] of numbersOf(collateral)) {
      const highest = await this.#highest(source, subject);
      if (highest !== null && number < highest) return true;
    }
    return false;
  }

  /** Whether any source gave documents with a higher evaluation number before. */
  async isOlderThanAny({ fmspc, documents }: IntelCollateral): Promise<boolean> {
    const highest = await Promise.all(COLLATERAL_SOURCES.map((source) => this.#highest(source, fmspc)));
    return highest.some((number) => number !== null && documents.evaluation < number);
  }

  /** Notes what a source gave. Lower numbers change nothing. */
  async advance(collateral: IntelCollateral, source: CollateralSourceName): Promise<void> {
    for (const [subject, number] of numbersOf(collateral)) await this.#advance(source, subject, number);
  }

  async #advance(source: CollateralSourceName, subject: string, number: bigint): Promise<void> {
    await this.#highest(source, subject);
    // Looked at after the wait, and set before the next: another number may have been noted meanwhile.
    const before = this.#numbers.known(fileOf(source, subject));
    if (before !== null && number <= before) return;
    this.#numbers.set(fileOf(source, subject), number);
    await this.#folder.write(fileOf(source, subject), `${number}\n`);
  }

  #highest(source: CollateralSourceName, subject: string): Promise<bigint | null> {
    const name = fileOf(source, subject);
    return this.#numbers.get(name, async () => parseNumber(await this.#folder.read(name)));
  }
}

function numbersOf({ fmspc, ca, documents, pckList, rootList }: IntelCollateral): readonly [string, bigint][] {
  return [
    [fmspc, BigInt(documents.evaluation)],
    [`crl-${ca}`, pckList.number],
    ['crl-root', rootList.number],
  ];
}

const fileOf = (source: CollateralSourceName, subject: string) => `tdx-highest-${source}-${subject}`;

const NUMBER = /^(\d{1,50})\n$/;

function parseNumber(bytes: Uint8Array | null): bigint | null {
  const [, number] = NUMBER.exec(Buffer.from(bytes ?? []).toString('latin1')) ?? [];
  return number === undefined ? null : BigInt(number);
}
