import { describeHclReport, describeRuntimeData, describeTpmQuote } from '../formats/describe-azure-evidence.js';
import { describeSnpReport } from '../formats/describe-snp-report.js';
import { describeToken } from '../formats/describe-token.js';
import type { StructureDescription } from '../formats/field-description.js';
import { parseHclReport } from '../formats/hcl-report.js';
import { FormatError, within } from '../model/errors.js';
import type { Evidence } from '../model/evidence.js';

/**
 * What evidence says, structure by structure and field by field. Verifies nothing.
 * Pointers are into the evidence in its native form.
 *
 * @throws {FormatError} where a structure is malformed
 */
export function describeEvidence(evidence: Evidence): readonly StructureDescription[] {
  if (evidence.type === 'snp') {
    const { report, runtimeData } = evidence;
    return [
      within('/report', () => describeSnpReport(report, '/report')),
      ...(runtimeData === null ? [] : [describeRuntimeData(runtimeData, '/runtimeData')]),
    ];
  }
  if (evidence.type !== 'az-snp-vtpm') return within('/token', () => describeToken(evidence.token, '/token'));
  const { hclReport, tpmQuote } = evidence;
  return within('/hclReport', () => {
    const { reportType, hardwareReport } = parseHclReport(hclReport);
    if (reportType !== 'snp') throw new FormatError('hcl_format', `the report type is ${reportType}, expected snp`);
    return [
      ...describeHclReport(hclReport, '/hclReport'),
      describeSnpReport(hardwareReport, '/hclReport'),
      ...within('/tpmQuote', () => describeTpmQuote(tpmQuote, '/tpmQuote')),
    ];
  });
}
