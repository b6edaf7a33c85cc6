import type { EndorsementSource } from '../../core/endorsement.js';
import { BoundedFetch } from '../../outside/bounded-fetch.js';
import { ResilientFetch } from '../../outside/resilient-fetch.js';
import { carriedChains } from '../../tee/snp/amd/chain.js';
import { chainsPinned } from '../../tee/snp/amd/issuers.js';
import type { AmdRootPins } from '../../tee/snp/amd/roots.js';
import { CacheFolder } from '../files/cache-folder.js';
import type { FetchedMaterial, OpenFolderSource, SourceOptions } from '../files/open-source.js';
import { CrlMemory } from '../files/rollback-marks.js';
import { AmdCache } from './amd-cache.js';
import { AmdChains } from './amd-chains.js';
import { AmdCrlSupply } from './amd-crl-supply.js';
import { AmdCrls } from './amd-crls.js';
import { AmdDirectory } from './amd-directory.js';
import { AmdEndorsements } from './amd-endorsements.js';
import { AmdKds } from './amd-kds.js';
import { type AmdParts, type AmdTuning, DEFAULT_AMD_TUNING } from './amd-parts.js';
import { AmdVeks } from './amd-veks.js';
import { type BundleSelection, exportBundle } from './export-bundle.js';
import { importBundle } from './import-bundle.js';
import { LineSnapshots } from './line-snapshots.js';

export interface AmdEndorsementsOptions extends SourceOptions {
  readonly pins: AmdRootPins;
  /** URL of KDS, of which only the origin is used; null: nothing is ever fetched. */
  readonly kds: string | null;
  /** The operator's folder of certificates and CRLs. */
  readonly folder: string;
  /** Folder for fetched material; null: in memory only. */
  readonly cacheFolder: string | null;
  readonly tuning?: Partial<AmdTuning>;
}

/** AMD's endorsements, with their background work. */
export type OpenAmdEndorsements = OpenFolderSource<EndorsementSource, BundleSelection>;

/**
 * Creates the parts and starts to read folder and cache. A missing folder counts as empty.
 * @throws {UnfitError} if a certificate of the product does not verify up to its pin
 */
export function openAmdEndorsements(options: AmdEndorsementsOptions): OpenAmdEndorsements {
  const { pins, clock, log } = options;
  const tuning = { ...DEFAULT_AMD_TUNING, ...options.tuning };
  const folder = new CacheFolder(options.cacheFolder, log);
  const parts = openParts(options, tuning, folder);
  const { directory, kds } = parts;
  const finders = findersOf(parts);
  const { chains, crls, snapshots } = finders;
  const ready = Promise.all([directory.start(), parts.cache.start()]).then(() => {});
  const timer = setInterval(() => void crls.refreshDue(), tuning.crlPollMs).unref();
  if (parts.inBackground) {
    const renewing = ready.then(() => renewHeld(pins, snapshots, crls));
    renewing.catch((error: unknown) => log.error({ err: error }, 'CRLs are not renewed in the background'));
  }
  return {
    source: new AmdEndorsements(finders, ready),
    ready,
    fetched: () => (kds === null ? Promise.resolve([]) : fetchedLists(pins, snapshots)),
    endings: () => directory.endings,
    exportBundle: async (selection, signal) => {
      await ready;
      return exportBundle(finders, selection, { at: clock.now(), historical: false, signal });
    },
    importBundle: async (path) => {
      await ready;
      return importBundle({ ...parts, folder: options.folder }, path, clock.now());
    },
    reload: async () => [await directory.reload()],
    refreshDue: () => crls.refreshDue(),
    close: async () => {
      clearInterval(timer);
      await crls.close();
      chains.close();
      directory.close();
      await kds?.close();
      await folder.settled();
    },
  };
}

function openParts(options: AmdEndorsementsOptions, tuning: AmdTuning, folder: CacheFolder): AmdParts {
  const { pins, clock, log, inBackground = true } = options;
  return {
    pins,
    carried: carriedChains(pins),
    directory: new AmdDirectory({ folder: options.folder, pins, log, pollMs: tuning.folderPollMs }),
    cache: new AmdCache({ folder, pins, maximumFiles: tuning.cachedFiles, maximumInMemory: tuning.cachedInMemory }),
    memory: new CrlMemory({ folder, log, shared: options.sharedMarks, source: options.kds }),
    kds: openKds(options, tuning),
    clock,
    log,
    inBackground,
    tuning,
  };
}

function findersOf(parts: AmdParts) {
  const chains = new AmdChains(parts);
  const supply = new AmdCrlSupply(parts);
  const snapshots = new LineSnapshots(parts, supply);
  return { veks: new AmdVeks(parts, chains, snapshots), chains, crls: new AmdCrls(parts, supply), snapshots };
}

/** Continues to renew the CRLs of series that were in use before, without waiting for a request. */
async function renewHeld(pins: AmdRootPins, snapshots: LineSnapshots, crls: AmdCrls): Promise<void> {
  for (const line of chainsPinned(pins)) {
    const { ark } = await snapshots.of(line);
    if (ark !== null) await crls.watch({ line, ark });
  }
  await crls.refreshDue();
}

/** The CRL of each series that KDS supplied. */
async function fetchedLists(pins: AmdRootPins, snapshots: LineSnapshots): Promise<readonly FetchedMaterial[]> {
  const lists: FetchedMaterial[] = [];
  for (const line of chainsPinned(pins)) {
    const { crls, crlFetchedAt } = await snapshots.of(line);
    const list = crls.find(({ origin, series }) => origin === 'cache' && series === line.signingKey);
    if (list === undefined || crlFetchedAt === null) continue;
    lists.push({ kind: 'crl', source: 'amd.kds', fetchedAt: crlFetchedAt, expires: list.nextUpdate });
  }
  return lists;
}

function openKds(options: AmdEndorsementsOptions, tuning: AmdTuning): AmdKds | null {
  const { kds, pins, clock, connect, observer } = options;
  if (kds === null) return null;
  const { origin } = new URL(kds);
  const { attemptTimeoutMs, resilience, crlAskTimeoutMs, crlRefreshTimeoutMs } = tuning;
  const bounded = () => new BoundedFetch({ origins: [origin], attemptTimeoutMs, observer, connect });
  // Callers choose the requested VCEKs: their failures, or their use of all connections, must not block chains and CRLs.
  const lines = new ResilientFetch(bounded(), resilience);
  const chips = new ResilientFetch(bounded(), resilience);
  return new AmdKds({
    origin,
    pins,
    clock,
    chips,
    lines,
    fairMs: crlAskTimeoutMs / 2,
    lineMs: crlRefreshTimeoutMs,
  });
}
