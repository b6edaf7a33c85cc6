import type { AzSnpVtpmEvidence, AzTdxVtpmEvidence } from '../../core/evidence.js';
import {
  type IdentityParts,
  identityOfEventLog,
  identityOfTpmQuote,
  type SmallerS,
} from '../shared/evidence/identity.js';
import { HCL_HARDWARE_OFFSET } from './format/hcl-report.js';

/**
 * Returns the parts of the evidence identity. If the guest sent only parts of the paravisor's report, these are the
 * hardware report and the runtime claims. This is another identity, because header and padding are not known.
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
