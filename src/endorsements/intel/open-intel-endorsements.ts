import { BoundedFetch } from '../../outside/bounded-fetch.js';
import { DEFAULT_RESILIENCE, type ResilienceOptions, ResilientFetch } from '../../outside/resilient-fetch.js';
import { CollateralReader } from '../../tee/tdx/intel/collateral.js';
import { type CollateralKey, hasEnded, windowOfAll } from '../../tee/tdx/intel/collateral-parts.js';
import { CacheFolder } from '../files/cache-folder.js';
import type { FetchedMaterial, OpenFolderSource, SourceOptions } from '../files/open-source.js';
import { exportCollateral, importCollateral } from './collateral-bundle.js';
import { CollateralCache, type FetchedSourceName } from './collateral-cache.js';
import { CollateralDirectory } from './collateral-directory.js';
import { CollateralMemory } from './collateral-memory.js';
import { CollateralService, originsOf } from './collateral-service.js';
import { CollateralSupply } from './collateral-supply.js';
import { IntelEndorsements, type TdxCollateralSource } from './intel-endorsements.js';
import type { CollateralPauses } from './intel-parts.js';

/** Times. The defaults are for production; tests shorten them. */
export interface IntelTuning {
  /** How often the operator's folder is polled. */
  readonly folderPollMs: number;
  /** How often due renewals are checked. */
  readonly duePollMs: number;
  readonly pauses: CollateralPauses;
  /** Longest time of one request to a service. */
  readonly attemptTimeoutMs: number;
  readonly resilience: ResilienceOptions;
}

export const DEFAULT_INTEL_TUNING: IntelTuning = {
  folderPollMs: 5_000,
  duePollMs: 10 * 60_000,
  pauses: {
    refreshMs: 24 * 60 * 60_000,
    retryMs: 60 * 60_000,
    timeoutMs: 30_000,
    askMs: 2_000,
    cooldownMs: 60_000,
  },
  // Less than the wait for an answer, so that a hanging service differs from a caller that has left.
  attemptTimeoutMs: 1_900,
  resilience: DEFAULT_RESILIENCE,
};

export interface IntelEndorsementsOptions extends SourceOptions {
  /** SHA-256 of the SubjectPublicKeyInfo of each trusted root, lower-case hex. */
  readonly pins: ReadonlySet<string>;
  /** URL of Intel's service or a PCCS; null: it is never called. */
  readonly pcs: string | null;
  /** URL of Azure's cache, called if the other has no answer; null: it is never called. */
  readonly thim: string | null;
  /** The operator's folder of collateral. */
  readonly folder: string;
  /** Folder for fetched collateral; null: in memory only. */
  readonly cacheFolder: string | null;
  readonly tuning?: Partial<IntelTuning>;
}

/** Intel's collateral, with its background work. */
export type OpenIntelEndorsements = OpenFolderSource<TdxCollateralSource, readonly CollateralKey[]>;

/** Creates the parts and starts to read folder and cache. Never fails: a missing folder counts as empty. */
export function openIntelEndorsements(options: IntelEndorsementsOptions): OpenIntelEndorsements {
  const { pins, clock, log } = options;
  const tuning = { ...DEFAULT_INTEL_TUNING, ...options.tuning };
  const reader = new CollateralReader(pins);
  const directory = new CollateralDirectory({ folder: options.folder, reader, log, pollMs: tuning.folderPollMs });
  const folder = new CacheFolder(options.cacheFolder, log);
  const cache = new CollateralCache({ folder, reader });
  const memory = new CollateralMemory({ folder, log, shared: options.sharedMarks }, options, directory);
  const services = openServices(options, tuning);
  const { pauses } = tuning;
  const inBackground = options.inBackground ?? true;
  const parts = { reader, directory, cache, memory, services, clock, log, pauses, inBackground };
  const supply = new CollateralSupply(parts);
  const ready = Promise.all([directory.start(), cache.start()]).then(() => supply.start());
  const source = new IntelEndorsements(parts, supply, ready);
  const timer = setInterval(() => void supply.refreshDue(), tuning.duePollMs).unref();
  return {
    source,
    ready,
    fetched: async () => services.flatMap(({ name }) => fetchedSets(cache, name, clock.now())),
    endings: (at) => directory.endings(at),
    reload: async () => [await directory.reload()],
    refreshDue: () => supply.refreshDue(),
    exportBundle: (keys, signal) => exportCollateral(source, keys, { at: clock.now(), historical: false, signal }),
    importBundle: async (path) => {
      await ready;
      return importCollateral({ ...parts, folder: options.folder }, path, clock.now());
    },
    close: async () => {
      clearInterval(timer);
      directory.close();
      await Promise.all([supply.close(), ...services.map((service) => service.close())]);
      await folder.settled();
    },
  };
}

const SOURCE_KEYS = { pcs: 'intel.pcs', thim: 'azure.thim' } as const satisfies Record<FetchedSourceName, string>;

/** Expired collateral is no longer renewed until a request needs it: a platform may no longer exist. */
function fetchedSets(cache: CollateralCache, source: FetchedSourceName, now: Date): readonly FetchedMaterial[] {
  const held = cache.all(source).filter(({ collateral }) => !hasEnded(collateral, now));
  return held.map(({ collateral, fetchedAt }) => ({
    kind: 'tdx-collateral',
    source: SOURCE_KEYS[source],
    fetchedAt,
    expires: windowOfAll(collateral).until,
  }));
}

function openServices(options: IntelEndorsementsOptions, tuning: IntelTuning): readonly CollateralService[] {
  const { pcs, thim, clock, connect, observer } = options;
  const open = (name: FetchedSourceName, url: string) => {
    const { attemptTimeoutMs } = tuning;
    const bounded = new BoundedFetch({ origins: originsOf(url), attemptTimeoutMs, observer, connect });
    return new CollateralService({ name, url, clock, fetch: new ResilientFetch(bounded, tuning.resilience) });
  };
  return [...(pcs === null ? [] : [open('pcs', pcs)]), ...(thim === null ? [] : [open('thim', thim)])];
}
