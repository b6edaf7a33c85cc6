import type { AzSnpVtpmEvidence, AzTdxVtpmEvidence } from '../../core/evidence.js';
import { type IdentityParts, identityOfEventLog, identityOfTpmQuote } from '../shared/evidence/identity.js';
import { HCL_HARDWARE_OFFSET } from './format/hcl-report.js';

/**
 * Where the guest took the paravisor's report apart, it is the hardware report alone, and the runtime claims. That is
 * another identity: header and filling of the report are missing, and nothing says what they were.
 *
 * @param reportWithLowS reduces the signature of an SNP report that begins at an offset
 */
export function azSnpIdentity(
  evidence: AzSnpVtpmEvidence,
  reportWithLowS: (bytes: Uint8Array, report: number) => Uint8Array,
): IdentityParts {
  const { hclReport } = evidence;
  if (hclReport instanceof Uint8Array) {
    return { first: reportWithLowS(hclReport, HCL_HARDWARE_OFFSET), ...identityOfGuest(evidence) };
  }
  const { hardwareReport, runtimeClaims } = hclReport;
  const first = hardwareReport === null ? {} : { first: reportWithLowS(hardwareReport, 0) };
  return { ...first, runtimeData: runtimeClaims, ...identityOfGuest(evidence) };
}

/** @param quoteWithLowS reduces the signatures of a TD quote */
export function azTdxIdentity(
  evidence: AzTdxVtpmEvidence,
  quoteWithLowS: (quote: Uint8Array) => Uint8Array,
): IdentityParts {
  const { hclReport } = evidence;
  const report = hclReport instanceof Uint8Array ? { first: hclReport } : { runtimeData: hclReport.runtimeClaims };
  return { ...report, tdQuote: quoteWithLowS(evidence.tdQuote), ...identityOfGuest(evidence) };
}

function identityOfGuest({ tpmQuote, eventLog }: AzSnpVtpmEvidence | AzTdxVtpmEvidence): IdentityParts {
  return { tpmQuote: identityOfTpmQuote(tpmQuote), eventLog: identityOfEventLog(eventLog) };
}
