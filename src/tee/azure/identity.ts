import type { AzSnpVtpmEvidence, AzTdxVtpmEvidence } from '../../core/evidence.js';
import {
  type IdentityParts,
  identityOfEventLog,
  identityOfTpmQuote,
  type SmallerS,
} from '../shared/evidence/identity.js';
import { HCL_HARDWARE_OFFSET } from './format/hcl-report.js';

/**
 * Where the guest took the paravisor's report apart, it is the hardware report alone, and the runtime claims. That is
 * another identity: header and filling of the report are missing, and nothing says what they were.
 */
export function azSnpIdentity(evidence: AzSnpVtpmEvidence, smallerS: SmallerS): IdentityParts {
  const { hclReport } = evidence;
  if (hclReport instanceof Uint8Array) {
    return { first: smallerS.snpReport(hclReport, HCL_HARDWARE_OFFSET), ...identityOfGuest(evidence) };
  }
  const { hardwareReport, runtimeClaims } = hclReport;
  const first = hardwareReport === null ? {} : { first: smallerS.snpReport(hardwareReport, 0) };
  return { ...first, runtimeData: runtimeClaims, ...identityOfGuest(evidence) };
}

export function azTdxIdentity(evidence: AzTdxVtpmEvidence, smallerS: SmallerS): IdentityParts {
  const { hclReport } = evidence;
  const report = hclReport instanceof Uint8Array ? { first: hclReport } : { runtimeData: hclReport.runtimeClaims };
  return { ...report, tdQuote: smallerS.tdQuote(evidence.tdQuote), ...identityOfGuest(evidence) };
}

function identityOfGuest({ tpmQuote, eventLog }: AzSnpVtpmEvidence | AzTdxVtpmEvidence): IdentityParts {
  return { tpmQuote: identityOfTpmQuote(tpmQuote), eventLog: identityOfEventLog(eventLog) };
}
