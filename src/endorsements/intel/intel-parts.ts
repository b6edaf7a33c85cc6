import type { Clock, Log } from '../../core/ports.js';
import type { CollateralReader } from '../../tee/tdx/intel/collateral.js';
import { type IntelCollateral, windowOfAll } from '../../tee/tdx/intel/collateral-parts.js';
import type { CollateralCache } from './collateral-cache.js';
import type { CollateralDirectory } from './collateral-directory.js';
import type { CollateralMemory } from './collateral-memory.js';
import type { CollateralService } from './collateral-service.js';

/** Times of fetches and renewals. */
export interface CollateralPauses {
  /** Time between fetches, reduced by up to a quarter at random, so that they spread. */
  readonly refreshMs: number;
  /** Shortest time between two attempts to renew one set in the background. */
  readonly retryMs: number;
  /** Longest time of such an attempt. */
  readonly timeoutMs: number;
  /** Longest wait for a service if other collateral is available. */
  readonly askMs: number;
  /** Time after such a failed attempt in which no request waits for another. */
  readonly cooldownMs: number;
}

/** Time until the renewal of fetched collateral: a day, with jitter, or half of its remaining validity if that is shorter. */
export function renewalPauseMs(
  collateral: IntelCollateral,
  fetchedAt: Date,
  { refreshMs, retryMs }: Pick<CollateralPauses, 'refreshMs' | 'retryMs'>,
): number {
  const leftMs = windowOfAll(collateral).until.getTime() - fetchedAt.getTime();
  return Math.max(retryMs, Math.min(refreshMs * (1 - Math.random() / 4), leftMs / 2));
}

/** The dependencies for finding collateral. */
export interface IntelParts {
  readonly reader: CollateralReader;
  readonly directory: CollateralDirectory;
  readonly cache: CollateralCache;
  readonly memory: CollateralMemory;
  /** In the order of the calls. */
  readonly services: readonly CollateralService[];
  readonly clock: Clock;
  readonly log: Log;
  readonly pauses: CollateralPauses;
  /** Whether the process continues after a request. A command ends with it. */
  readonly inBackground: boolean;
}
