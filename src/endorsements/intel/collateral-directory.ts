import { groupedBy } from '../../core/grouped.js';
import type { CollateralReader } from '../../tee/tdx/intel/collateral.js';
import { parseCollateralFile } from '../../tee/tdx/intel/collateral-file.js';
import {
  allWithNewestShared,
  type CollateralKey,
  type IntelCollateral,
  keyName,
  readIntelCollateral,
  windowOfAll,
} from '../../tee/tdx/intel/collateral-parts.js';
import {
  attempt,
  COLLATERAL_FILES,
  type EndingFile,
  type MaterialFiles,
  type NamedFile,
  type RefusedFile,
} from '../files/material-files.js';
import { type FolderOptions, type TakenFolder, WatchedFolder } from '../files/watched-folder.js';

interface CollateralDirectoryOptions extends FolderOptions {
  readonly reader: CollateralReader;
}

/**
 * The operator's folder of collateral (`intel.collateral`), one set per file. Read at start and whenever it changes; the
 * log names unused files. A missing folder counts as empty.
 */
export class CollateralDirectory extends WatchedFolder {
  readonly #reader: CollateralReader;
  #collateral: ReadonlyMap<string, readonly IntelCollateral[]> = new Map();
  #files: readonly CollateralOfFile[] = [];

  constructor({ reader, ...options }: CollateralDirectoryOptions) {
    super({ ...options, key: 'intel.collateral', material: COLLATERAL_FILES, what: 'TDX collateral folder' });
    this.#reader = reader;
  }

  /** All sets for a key, current or not. */
  held(key: CollateralKey): readonly IntelCollateral[] {
    return this.#collateral.get(keyName(key)) ?? [];
  }

  /** All sets, current or not. */
  all(): readonly IntelCollateral[] {
    return [...this.#collateral.values()].flat();
  }

  /**
   * Sets by the earliest nextUpdate of the parts in use at `at`: newer CRLs and QE identities of other sets replace older ones.
   * For one kind of platform, a replaced set is left out.
   */
  endings(at: Date): readonly EndingFile[] {
    return endingsOf(this.#files, at);
  }

  protected override take(files: MaterialFiles): TakenFolder {
    const { taken, refused } = recogniseCollateral(files, this.#reader);
    const sets = taken.map(({ collateral }) => collateral);
    this.#collateral = groupedBy(sets, keyName);
    this.#files = taken;
    return { refused, counts: { sets: taken.length, platforms: this.#collateral.size } };
  }
}

function endingsOf(files: readonly CollateralOfFile[], at: Date): readonly EndingFile[] {
  const sets = files.map(({ collateral }) => collateral);
  const used = allWithNewestShared(sets, sets, at);
  const kept = new Map<string, readonly CollateralOfFile[]>();
  for (const [index, collateral] of used.entries()) {
    const others = kept.get(keyName(collateral)) ?? [];
    if (others.some((other) => replaces(other.collateral, collateral))) continue;
    const rest = others.filter((other) => !replaces(collateral, other.collateral));
    kept.set(keyName(collateral), [...rest, { name: files[index]?.name ?? '', collateral }]);
  }
  return [...kept.values()].flat().map(endingOf);
}

/** A TD is verified with the highest evaluation numbers, so a set with lower ones does not extend the validity of another. */
function replaces(a: IntelCollateral, b: IntelCollateral): boolean {
  return (
    windowOfAll(a).until >= windowOfAll(b).until &&
    a.tcbInfo.number >= b.tcbInfo.number &&
    a.qeIdentity.number >= b.qeIdentity.number
  );
}

function endingOf({ name, collateral }: CollateralOfFile): EndingFile {
  const { fmspc, ca } = collateral;
  return {
    key: 'intel.collateral',
    file: name,
    subject: `FMSPC ${fmspc}, ${ca} CA`,
    expires: windowOfAll(collateral).until.toISOString(),
  };
}

export interface CollateralOfFile {
  readonly name: string;
  readonly collateral: IntelCollateral;
}

/** Recognises collateral by content, not by file name. Collateral that does not verify is rejected with a reason. */
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
