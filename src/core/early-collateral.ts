import type { TdxCollateralRequest } from './endorsement.js';
import type { TdxCollateral } from './evidence.js';

/** A TCB recovery by Intel: in collateral of this number or later, SVNs lose their up-to-date status. */
export interface RecoveryEvent {
  readonly evaluationDataNumber: number;
  readonly date: Date;
  /** `tcbDate` of the levels that fix the published vulnerability. */
  readonly tcbDate: Date;
}

/**
 * Intel's early collateral of a platform: chains and signatures are valid, and all parts were current when they were fetched.
 *
 * Not a `SourcedCollateral`, so that no endorsement set can contain it: a decision only uses those.
 */
export interface EarlyCollateral {
  readonly documents: TdxCollateral;
  /** Recoveries, if Intel's list is cached and current. */
  readonly recoveries: readonly RecoveryEvent[];
}

/** The platform of requested early collateral. */
export type EarlyCollateralKey = Pick<TdxCollateralRequest, 'fmspc' | 'ca'>;

/** Caches Intel's early collateral. It is no `EndorsementSource`, and no such source uses it. */
export interface EarlyCollateralSource {
  /** Returns the current early collateral in memory, without waiting; null if there is none. */
  held(key: EarlyCollateralKey, at: Date): EarlyCollateral | null;
  /** Starts a background fetch if one is due. Never throws, and no caller waits for it. */
  ask(key: EarlyCollateralKey): void;
}
