import type { SnpEvidence } from '../../core/evidence.js';
import { SNP_REPORT_LENGTH } from '../../tee/snp/format/snp-report.js';
import { NO_SNP_ENDORSEMENTS, readStructure, refuseForeignStructure } from '../encoded-members.js';
import type { Schemas } from '../schema-check.js';

/**
 * Dialect `extended-report`: an ATTESTATION_REPORT followed by the certificate table (SNP_GET_EXT_REPORT).
 * Splits the bytes without parsing them. A report alone is valid: hosts may provide no table.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readExtendedReport(evidence: Schemas['ExtendedReportEvidence'], pointer: string): SnpEvidence {
  const bytes = readStructure(evidence.value, `${pointer}/value`);
  const report = bytes.subarray(0, SNP_REPORT_LENGTH);
  const table = bytes.subarray(SNP_REPORT_LENGTH);
  refuseForeignStructure(report, 'SNP report', `${pointer}/value`);
  return {
    type: 'snp',
    report,
    runtimeData: null,
    endorsements: { ...NO_SNP_ENDORSEMENTS, certificateTable: table.byteLength === 0 ? null : table },
  };
}
