import type { Log } from '../../model/ports.js';
import type { CollateralReader } from '../../vendors/intel/collateral.js';
import { COLLATERAL_FILES, type MaterialFiles } from '../files/material-files.js';
import { WatchedFolder } from '../files/watched-folder.js';
import { recogniseCollateral } from './collateral-files.js';
import { type CollateralKey, type IntelCollateral, keyName } from './intel-collateral.js';

interface CollateralDirectoryOptions {
  readonly folder: string;
  readonly reader: CollateralReader;
  readonly log: Log;
  /** How often the folder is looked at. */
  readonly pollMs: number;
}

/**
 * The operator's folder of collateral (`intel.collateral`), one set a file. Read at start and whenever it changes; the
 * log names files that are not used. A missing folder counts as empty.
 */
export class CollateralDirectory {
  readonly #options: CollateralDirectoryOptions;
  readonly #folder: WatchedFolder;
  #collateral: ReadonlyMap<string, readonly IntelCollateral[]> = new Map();

  constructor(options: CollateralDirectoryOptions) {
    this.#options = options;
    const { folder, pollMs, log } = options;
    const take = (files: MaterialFiles) => this.#take(files);
    this.#folder = new WatchedFolder({
      folder,
      key: 'intel.collateral',
      pollMs,
      log,
      material: COLLATERAL_FILES,
      what: 'TDX collateral folder',
      take,
    });
  }

  /** Reads the folder, and goes on looking at it until `close`. */
  start(): Promise<void> {
    return this.#folder.start();
  }

  /** Reads the folder again, whether it has changed or not. @returns whether what it holds is in force */
  reload(): Promise<boolean> {
    return this.#folder.reload();
  }

  close(): void {
    this.#folder.close();
  }

  /** All sets for a key, whether they are current or not. */
  held(key: CollateralKey): readonly IntelCollateral[] {
    return this.#collateral.get(keyName(key)) ?? [];
  }

  /** All sets, likewise. */
  all(): readonly IntelCollateral[] {
    return [...this.#collateral.values()].flat();
  }

  #take(files: MaterialFiles): void {
    const { reader, log } = this.#options;
    const { taken, refused } = recogniseCollateral(files, reader);
    const collateral = new Map<string, IntelCollateral[]>();
    for (const { collateral: set } of taken) {
      collateral.set(keyName(set), [...(collateral.get(keyName(set)) ?? []), set]);
    }
    this.#collateral = collateral;
    for (const { name, why } of refused) log.warn({ file: name, why }, 'file of the TDX collateral folder not taken');
    log.info({ sets: taken.length, platforms: collateral.size }, 'TDX collateral folder read');
  }
}
