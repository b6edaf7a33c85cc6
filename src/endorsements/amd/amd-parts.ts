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
  /** How often the operator's folder is polled. */
  readonly folderPollMs: number;
  /** How often the age of CRLs is checked. */
  readonly crlPollMs: number;
  /** Shortest time between two attempts to get a newer CRL of one series, while one is cached. */
  readonly crlRefreshPauseMs: number;
  /** Longest time of a background renewal of a CRL or chain. */
  readonly crlRefreshTimeoutMs: number;
  /** Longest wait of a request for a CRL of KDS if it has another one. */
  readonly crlAskTimeoutMs: number;
  /** Longest time of one request to KDS. */
  readonly attemptTimeoutMs: number;
  readonly resilience: ResilienceOptions;
  /** Most VCEKs as files, and in memory. */
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
  /** Chains of the pinned product lines that are part of the product. */
  readonly carried: readonly AmdChain[];
  readonly directory: AmdDirectory;
  readonly cache: AmdCache;
  readonly memory: CrlMemory;
  /** Null if KDS is disabled. */
  readonly kds: AmdKds | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the process continues after a request. If not, a due CRL is renewed before it is used. */
  readonly inBackground: boolean;
  readonly tuning: AmdTuning;
}
