import type { CollateralReader } from '../../vendors/intel/collateral.js';
import { parseCollateralFile } from '../../vendors/intel/collateral-file.js';
import {
  type CollateralKey,
  type IntelCollateral,
  keyName,
  readIntelCollateral,
  windowOfAll,
} from '../../vendors/intel/collateral-parts.js';
import {
  attempt,
  COLLATERAL_FILES,
  type EndingFile,
  lastOfEach,
  type MaterialFiles,
  type NamedFile,
  type RefusedFile,
} from '../files/material-files.js';
import { type FolderOptions, type TakenFolder, WatchedFolder } from '../files/watched-folder.js';

interface CollateralDirectoryOptions extends FolderOptions {
  readonly reader: CollateralReader;
}

/**
 * The operator's folder of collateral (`intel.collateral`), one set a file. Read at start and whenever it changes; the
 * log names files that are not used. A missing folder counts as empty.
 */
export class CollateralDirectory extends WatchedFolder {
  readonly #reader: CollateralReader;
  #collateral: ReadonlyMap<string, readonly IntelCollateral[]> = new Map();
  #endings: readonly EndingFile[] = [];

  constructor({ reader, ...options }: CollateralDirectoryOptions) {
    super({ ...options, key: 'intel.collateral', material: COLLATERAL_FILES, what: 'TDX collateral folder' });
    this.#reader = reader;
  }

  /** All sets for a key, whether they are current or not. */
  held(key: CollateralKey): readonly IntelCollateral[] {
    return this.#collateral.get(keyName(key)) ?? [];
  }

  /** All sets, likewise. */
  all(): readonly IntelCollateral[] {
    return [...this.#collateral.values()].flat();
  }

  /** Of each kind of platform the set that lasts longest, by the earliest nextUpdate of its parts. */
  get endings(): readonly EndingFile[] {
    return this.#endings;
  }

  protected override take(files: MaterialFiles): TakenFolder {
    const { taken, refused } = recogniseCollateral(files, this.#reader);
    const collateral = new Map<string, IntelCollateral[]>();
    for (const { collateral: set } of taken) {
      collateral.set(keyName(set), [...(collateral.get(keyName(set)) ?? []), set]);
    }
    this.#collateral = collateral;
    this.#endings = lastOfEach(taken.map(endingOf));
    return { refused, counts: { sets: taken.length, platforms: collateral.size } };
  }
}

function endingOf({ name, collateral }: CollateralOfFile) {
  const { fmspc, ca } = collateral;
  return {
    group: keyName(collateral),
    key: 'intel.collateral' as const,
    file: name,
    subject: `FMSPC ${fmspc}, ${ca} CA`,
    expires: windowOfAll(collateral).until.toISOString(),
  };
}

export interface CollateralOfFile {
  readonly name: string;
  readonly collateral: IntelCollateral;
}

/** Recognises collateral by content: names of files mean nothing. What does not verify is refused with a reason. */
export function recogniseCollateral({ files, refused }: MaterialFiles, reader: CollateralReader) {
  const read = files.map((file) => readFile(file, reader));
  return {
    taken: read.flatMap((result) => ('collateral' in result ? [result] : [])),
    refused: [...refused, ...read.flatMap((result) => ('why' in result ? [result] : []))],
  };
}

function readFile({ name, bytes }: NamedFile, reader: CollateralReader): CollateralOfFile | RefusedFile {
  const collateral = attempt(() => readIntelCollateral(reader, parseCollateralFile(bytes)));
  return collateral instanceof Error ? { name, why: collateral.message } : { name, collateral };
}
