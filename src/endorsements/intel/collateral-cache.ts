import { FormatError, UnfitError } from '../../core/errors.js';
import { isObject, type JsonValue } from '../../core/json.js';
import { parseStrictJson } from '../../formats/strict-json.js';
import type { CollateralReader } from '../../tee/tdx/intel/collateral.js';
import { collateralMembers, readCollateralMembers } from '../../tee/tdx/intel/collateral-file.js';
import {
  type CollateralKey,
  collateralOf,
  hasEnded,
  type IntelCollateral,
  keyName,
  readIntelCollateral,
} from '../../tee/tdx/intel/collateral-parts.js';
import type { CacheFolder } from '../files/cache-folder.js';
import type { CollateralSourceName } from './collateral-memory.js';

/** Sources on the network. */
export type FetchedSourceName = Exclude<CollateralSourceName, 'store'>;

export interface FetchedCollateral {
  readonly collateral: IntelCollateral;
  readonly source: FetchedSourceName;
  /** When the source confirmed that it has nothing newer. */
  readonly fetchedAt: Date;
}

interface CollateralCacheOptions {
  readonly folder: CacheFolder;
  readonly reader: CollateralReader;
}

const PREFIX = 'tdx-collateral-';
const SOURCES: readonly FetchedSourceName[] = ['pcs', 'thim'];

/**
 * Fetched collateral, in memory and on disk, one set for each kind of platform and source. Only verified
 * collateral is stored. A file is verified again: a file that does not match its name is
 * ignored, and replaced by the next fetch. There are at most as many sets as Intel has kinds of platforms.
 */
export class CollateralCache {
  readonly #options: CollateralCacheOptions;
  readonly #held = new Map<string, FetchedCollateral>();
  /** Expired sets whose files are removed. */
  readonly #ended = new WeakSet<FetchedCollateral>();

  constructor(options: CollateralCacheOptions) {
    this.#options = options;
  }

  /** Reads the files. */
  async start(): Promise<void> {
    for (const name of await this.#options.folder.namesFrom(PREFIX)) {
      const found = await this.#read(name);
      if (found !== null) this.#held.set(name, found);
    }
  }

  /** The cached collateral for a key, by source. It may have expired. */
  held(key: CollateralKey): readonly FetchedCollateral[] {
    return SOURCES.flatMap((source) => this.#held.get(fileOf(key, source)) ?? []);
  }

  /** All cached sets, or all of a source. They may have expired. */
  all(source?: FetchedSourceName): readonly FetchedCollateral[] {
    return [...this.#held.values()].filter((fetched) => source === undefined || fetched.source === source);
  }

  /** Stores a set, and replaces the previous one of the source. */
  async keep(fetched: FetchedCollateral): Promise<void> {
    const name = fileOf(fetched.collateral, fetched.source);
    this.#held.set(name, fetched);
    await this.#options.folder.write(name, encode(fetched));
  }

  /** Removes the files of expired sets. The sets stay in memory, so that answers can report their expiry. */
  async removeEnded(now: Date): Promise<void> {
    for (const [name, held] of this.#held) {
      if (!hasEnded(held.collateral, now) || this.#ended.has(held)) continue;
      this.#ended.add(held);
      await this.#options.folder.remove(name);
    }
  }

  #read(name: string): Promise<FetchedCollateral | null> {
    const { folder, reader } = this.#options;
    return folder.readVerified(name, (bytes) => {
      const { fetchedAt, members } = decode(bytes);
      const collateral = readIntelCollateral(reader, readCollateralMembers(members));
      const source = SOURCES.find((candidate) => fileOf(collateral, candidate) === name);
      if (source === undefined) throw new UnfitError('collateral is for another platform');
      return { collateral, source, fetchedAt };
    });
  }
}

const fileOf = (key: CollateralKey, source: FetchedSourceName) => `${PREFIX}${keyName(key)}-${source}.json`;

/** The file has the time of the fetch: the modification time of a file changes when it is copied. */
function encode({ collateral, fetchedAt }: FetchedCollateral): string {
  const members = { fetched_at: fetchedAt.toISOString(), collateral: collateralMembers(collateralOf(collateral)) };
  return `${JSON.stringify(members, null, 2)}\n`;
}

/** @throws {FormatError} */
function decode(bytes: Uint8Array): { readonly fetchedAt: Date; readonly members: JsonValue | undefined } {
  const file = parseStrictJson(bytes);
  if (!isObject(file)) throw new FormatError('schema', 'is not fetched collateral');
  const { fetched_at: written, collateral: members } = file;
  const fetchedAt = new Date(typeof written === 'string' ? written : Number.NaN);
  if (Number.isNaN(fetchedAt.getTime())) throw new FormatError('schema', 'does not say when it was fetched');
  return { fetchedAt, members };
}
