import type { Clock, Log } from '../../core/ports.js';
import type { CollateralReader } from '../../tee/tdx/intel/collateral.js';
import { type IntelCollateral, windowOfAll } from '../../tee/tdx/intel/collateral-parts.js';
import type { CollateralCache } from './collateral-cache.js';
import type { CollateralDirectory } from './collateral-directory.js';
import type { CollateralMemory } from './collateral-memory.js';
import type { CollateralService } from './collateral-service.js';

/** When collateral is asked for, and for how long. */
export interface CollateralPauses {
  /** Time from one fetch to the next. Up to a quarter less, so that not all are due at once. */
  readonly refreshMs: number;
  /** Shortest time between two attempts to renew one set in the background. */
  readonly retryMs: number;
  /** Longest time of such an attempt. */
  readonly timeoutMs: number;
  /** Longest time that a service is waited for where there is something else to judge by. */
  readonly askMs: number;
  /** Time after such an attempt that failed, in which nobody waits for another. */
  readonly cooldownMs: number;
}

/** How long after a fetch collateral is renewed: a day, with jitter; half of what was left then where that is sooner. */
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
  /** In the order in which they are asked. */
  readonly services: readonly CollateralService[];
  readonly clock: Clock;
  readonly log: Log;
  readonly pauses: CollateralPauses;
  /** Whether the process lives on after a request. A command ends with it. */
  readonly inBackground: boolean;
}
