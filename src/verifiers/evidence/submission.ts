import type { SnpReportVerification, Submission } from '../../model/verification.js';

/** A report as another verifier takes it; null where it did not hold. */
export function submissionOf(
  report: Uint8Array,
  runtimeData: Uint8Array | null,
  { certificates }: SnpReportVerification,
): Submission | null {
  return certificates === null ? null : { tee: 'snp', report, certificates, runtimeData };
}
