import type { EarlyCollateralSource } from '../../core/early-collateral.js';
import { BoundedFetch } from '../../outside/bounded-fetch.js';
import { ResilientFetch } from '../../outside/resilient-fetch.js';
import { CollateralReader } from '../../tee/tdx/intel/collateral.js';
import type { SourceOptions } from '../files/open-source.js';
import { CollateralService, originsOf } from './collateral-service.js';
import { EarlyIntelCollateral } from './early-collateral.js';
import { DEFAULT_INTEL_TUNING, type IntelTuning } from './open-intel-endorsements.js';

export interface EarlyCollateralOptions extends Pick<SourceOptions, 'clock' | 'log' | 'connect'> {
  /** SHA-256 of the SubjectPublicKeyInfo of each trusted root, lower-case hex. */
  readonly pins: ReadonlySet<string>;
  /** URL of Intel's service or a PCCS. */
  readonly pcs: string;
  readonly tuning?: Partial<Pick<IntelTuning, 'pauses' | 'attemptTimeoutMs' | 'resilience'>>;
}

/** Early collateral, with its background work. */
export interface OpenEarlyCollateral {
  readonly source: EarlyCollateralSource;
  /** Ends connections and fetches. */
  close(): Promise<void>;
}

/**
 * Creates the source. Nothing is fetched before the first call. It shares no part with the collateral source for
 * decisions, and does not report outages: its faults must not look like faults of that source.
 */
export function openEarlyCollateral({
  pins,
  pcs,
  clock,
  log,
  ...options
}: EarlyCollateralOptions): OpenEarlyCollateral {
  const { pauses, attemptTimeoutMs, resilience } = { ...DEFAULT_INTEL_TUNING, ...options.tuning };
  const bounded = new BoundedFetch({ origins: originsOf(pcs), attemptTimeoutMs, connect: options.connect });
  const fetch = new ResilientFetch(bounded, resilience);
  const service = new CollateralService({ name: 'pcs', url: pcs, clock, fetch, update: 'early' });
  const source = new EarlyIntelCollateral({ service, reader: new CollateralReader(pins), clock, log, pauses });
  return { source, close: () => source.close() };
}
