import { equalInConstantTime } from '../../crypto/constant-time.js';
import { sha384 } from '../../crypto/digest.js';
import type { TdReport } from '../../formats/td-report.js';

/**
 * Whether the hashes that a TDREPORT states are those of its two parts. It does not make the report genuine: whoever
 * writes a report writes its hashes.
 */
export function holdsTdReportHashes(report: TdReport): boolean {
  return (
    equalInConstantTime(sha384(report.teeTcbInfo), report.teeTcbInfoHash) &&
    equalInConstantTime(sha384(report.tdInfo), report.tdInfoHash)
  );
}
