import type { RecoveryEvent } from '../../../core/early-collateral.js';
import { UnfitError, unfitIfMalformed } from '../../../core/errors.js';
import type { TdxCollateral } from '../../../core/evidence.js';
import { isRevoked } from '../../../crypto/revocation-list.js';
import type { CollateralReader } from './collateral.js';
import { verifiedCollateral, type Window, windowOf } from './collateral-parts.js';

/** A list of TCB evaluation data numbers as a service gives it. Not verified. */
export interface SuppliedEvaluationNumbers {
  /** Byte for byte. */
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
 * Reads a list of TCB evaluation data numbers and verifies everything in it except whether it is current, as for other
 * parts of collateral: chain, role and signature of the signer, and that the root has not revoked the signer.
 *
 * @param collateral that came with it: its root CA CRL counts
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
