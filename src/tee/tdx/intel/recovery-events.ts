import type { RecoveryEvent } from '../../../core/early-collateral.js';
import { UnfitError, unfitIfMalformed } from '../../../core/errors.js';
import type { TdxCollateral } from '../../../core/evidence.js';
import { isRevoked } from '../../../crypto/revocation-list.js';
import type { CollateralReader } from './collateral.js';
import { verifiedCollateral, type Window, windowOf } from './collateral-parts.js';

/** A list of TCB evaluation data numbers from a service. Not verified. */
export interface SuppliedEvaluationNumbers {
  /** The exact signed text. */
  readonly text: string;
  /** r‖s. */
  readonly signature: Uint8Array;
  /** PEM, the signer's certificate first. */
  readonly issuerChain: string;
}

/** Intel's list of its TCB recoveries, and its validity. */
export interface RecoveryEvents extends Window {
  readonly recoveries: readonly RecoveryEvent[];
}

/**
 * Reads a list of TCB evaluation data numbers and verifies everything except that it is current: chain, role and
 * signature of the signer, and that the root has not revoked the signer.
 *
 * @param collateral collateral that came with the list; supplies the root CA CRL
 * @throws {UnfitError}
 */
export function readRecoveryEvents(
  reader: CollateralReader,
  { text, signature, issuerChain }: SuppliedEvaluationNumbers,
  collateral: TdxCollateral,
): RecoveryEvents {
  const { rootCrl } = verifiedCollateral(reader, collateral);
  const reading = unfitIfMalformed(() => reader.readEvaluationNumbers(text, signature, issuerChain));
  if (!reading.ok) throw new UnfitError(`TCB evaluation data numbers: ${reading.detail}`);
  const { value, chain } = reading.value;
  if (chain.some(({ serial }) => isRevoked(rootCrl.value, serial))) throw new UnfitError('a signer is revoked');
  const { issueDate, nextUpdate, recoveries } = value;
  return { ...windowOf(issueDate, nextUpdate, chain), recoveries };
}
