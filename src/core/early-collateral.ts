import type { TdxCollateralRequest } from './endorsement.js';
import type { TdxCollateral } from './evidence.js';

/** A TCB recovery of Intel's: SVNs that were up to date are not, in collateral of this number and later ones. */
export interface RecoveryEvent {
  readonly evaluationDataNumber: number;
  readonly date: Date;
  /** `tcbDate` of the levels that fix what became known. */
  readonly tcbDate: Date;
}

/**
 * Intel's early collateral of a platform: chains and signatures hold, and all of it was current when it was asked for.
 *
 * Not a `SourcedCollateral`, so that no set of endorsements can hold it: a decision rests on those alone.
 */
export interface EarlyCollateral {
  readonly documents: TdxCollateral;
  /** As far as Intel's list is held and current. */
  readonly recoveries: readonly RecoveryEvent[];
}

/** The platform whose early collateral is wanted. */
export type EarlyCollateralKey = Pick<TdxCollateralRequest, 'fmspc' | 'ca'>;

/** Holds Intel's early collateral. It is no `EndorsementSource`, and none of those asks it. */
export interface EarlyCollateralSource {
  /** The current early collateral in memory, at once; null if there is none. */
  held(key: EarlyCollateralKey, at: Date): EarlyCollateral | null;
  /** Has it fetched in the background where that is due. Never throws, and nobody waits for it. */
  ask(key: EarlyCollateralKey): void;
}
