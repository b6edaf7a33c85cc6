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

/** Sources that are asked over the network. */
export type FetchedSourceName = Exclude<CollateralSourceName, 'store'>;

export interface FetchedCollateral {
  readonly collateral: IntelCollateral;
  readonly source: FetchedSourceName;
  /** When the source said that it has nothing newer. */
  readonly fetchedAt: Date;
}

interface CollateralCacheOptions {
  readonly folder: CacheFolder;
  readonly reader: CollateralReader;
}

const PREFIX = 'tdx-collateral-';
const SOURCES: readonly FetchedSourceName[] = ['pcs', 'thim'];

/**
 * Collateral that was fetched, in memory and on disk, one set for each kind of platform and source. Only verified
 * collateral goes in, and what comes from a file is verified again: a file that is not what its name stands for is
 * ignored, and replaced by what is fetched instead. There are as many sets as Intel has kinds of platforms, at most.
 */
export class CollateralCache {
  readonly #options: CollateralCacheOptions;
  readonly #held = new Map<string, FetchedCollateral>();
  /** Sets that have ended and whose files are gone. */
  readonly #ended = new WeakSet<FetchedCollateral>();

  constructor(options: CollateralCacheOptions) {
    this.#options = options;
  }

  /** Reads what is on disk. */
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

  /** All that is cached, or all of a source. It may have ended. */
  all(source?: FetchedSourceName): readonly FetchedCollateral[] {
    return [...this.#held.values()].filter((fetched) => source === undefined || fetched.source === source);
  }

  /** Keeps a set in the place of what it had from the source. */
  async keep(fetched: FetchedCollateral): Promise<void> {
    const name = fileOf(fetched.collateral, fetched.source);
    this.#held.set(name, fetched);
    await this.#options.folder.write(name, encode(fetched));
  }

  /** Removes the files of expired sets. The sets stay in memory, so that answers can say that they have ended. */
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

/** The time of the fetch is stored beside the collateral: a file's own time changes when it is copied. */
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
