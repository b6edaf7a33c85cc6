import type { Clock, Log } from '../../core/ports.js';
import { DEFAULT_RESILIENCE, type ResilienceOptions } from '../../outside/resilient-fetch.js';
import type { AmdChain } from '../../tee/snp/amd/chain.js';
import type { AmdRootPins } from '../../tee/snp/amd/roots.js';
import type { CrlMemory } from '../files/rollback-marks.js';
import type { AmdCache } from './amd-cache.js';
import type { AmdDirectory } from './amd-directory.js';
import type { AmdKds } from './amd-kds.js';

/** Times and sizes. The defaults are for production; tests shorten them. */
export interface AmdTuning {
  /** How often the operator's folder is looked at. */
  readonly folderPollMs: number;
  /** How often the age of CRLs is looked at. */
  readonly crlPollMs: number;
  /** Shortest time between two attempts to get a newer CRL of one series, while one is cached. */
  readonly crlRefreshPauseMs: number;
  /** Longest time of one attempt to renew a CRL or chain that no request waits for. */
  readonly crlRefreshTimeoutMs: number;
  /** Longest time that a request waits for a CRL of KDS where it can do without. */
  readonly crlAskTimeoutMs: number;
  /** Longest time of one request to KDS. */
  readonly attemptTimeoutMs: number;
  readonly resilience: ResilienceOptions;
  /** VCEKs that are kept as files, and those in memory. */
  readonly cachedFiles: number;
  readonly cachedInMemory: number;
}

export const DEFAULT_AMD_TUNING: AmdTuning = {
  folderPollMs: 5_000,
  crlPollMs: 10 * 60_000,
  crlRefreshPauseMs: 60 * 60_000,
  crlRefreshTimeoutMs: 30_000,
  crlAskTimeoutMs: 2_000,
  attemptTimeoutMs: 3_000,
  resilience: DEFAULT_RESILIENCE,
  cachedFiles: 10_000,
  cachedInMemory: 2_000,
};

/** The sources of VEKs, chains and CRLs. */
export interface AmdParts {
  readonly pins: AmdRootPins;
  /** Chains that the product carries, of the pinned product lines. */
  readonly carried: readonly AmdChain[];
  readonly directory: AmdDirectory;
  readonly cache: AmdCache;
  readonly memory: CrlMemory;
  /** Null where KDS is switched off. */
  readonly kds: AmdKds | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the process lives on after a request. Where not, a CRL that is due is renewed before it is used. */
  readonly inBackground: boolean;
  readonly tuning: AmdTuning;
}
