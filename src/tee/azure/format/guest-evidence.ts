import type { EvidenceType } from '../../../core/evidence.js';
import { EVIDENCE_TYPES, traitsOf } from '../../../core/evidence-traits.js';
import { isObject, type JsonObject } from '../../../core/json.js';

/** Evidence types by `IsolationInfo.Type` of attestationInfo (Azure guest attestation client). */
export const AZURE_ISOLATION_TYPES = {
  SevSnp: 'az-snp-vtpm',
  Tdx: 'az-tdx-vtpm',
  TrustedLaunch: 'tpm',
} as const satisfies { readonly [type: string]: EvidenceType };

/**
 * Explains how to send an object that looks like the evidence file of a guest; null for any other object. For messages
 * only: the service does not verify evidence that is sent without its type.
 */
export function guestHint(object: JsonObject): string | null {
  const trustee = trusteeType(object);
  if (trustee !== null) return sentAs('evidence of a Trustee guest', trustee, 'trustee');
  const azure = azureGuestType(object);
  return azure === null ? null : sentAs('attestationInfo of an Azure guest', azure, 'azure-guest');
}

function sentAs(what: string, type: EvidenceType, dialect: string): string {
  return `this looks like ${what}, which is sent as {"evidence":{"type":"${type}","dialect":"${dialect}","value":…}}`;
}

/**
 * Detects the evidence type of Trustee evidence by its members:
 *
 * - Versions 1 and 2, and version 0 on TDX, have `hcl_report` and `tpm_quote`.
 * - Version 0 on SEV-SNP has `quote`, `report` and `vcek`.
 * - A TD without a paravisor has `quote` and `cc_eventlog`.
 * - A vTPM alone has `tpm_quote` and `ak_public`.
 *
 * A stated `type` counts too. So a TD without its quote gets the message that the quote is missing.
 */
function trusteeType(object: JsonObject): EvidenceType | null {
  const { type, hcl_report: hclReport, tpm_quote: tpmQuote, td_quote: tdQuote, quote, report, vcek } = object;
  const { cc_eventlog: ccEventLog, ak_public: akPublic } = object;
  if (hclReport !== undefined && tpmQuote !== undefined) {
    const named = EVIDENCE_TYPES.find((verified) => verified === type);
    const isOfTd = tdQuote !== undefined || (named !== undefined && 'tdQuote' in traitsOf(named).members);
    return isOfTd ? 'az-tdx-vtpm' : 'az-snp-vtpm';
  }
  if (quote !== undefined && ccEventLog !== undefined) return 'tdx';
  if (tpmQuote !== undefined && akPublic !== undefined) return 'tpm';
  return isObject(quote) && Array.isArray(report) && vcek !== undefined ? 'az-snp-vtpm' : null;
}

function azureGuestType({ TpmInfo, IsolationInfo }: JsonObject): EvidenceType | null {
  if (!isObject(TpmInfo) || !isObject(IsolationInfo)) return null;
  const { Type } = IsolationInfo;
  return Object.entries(AZURE_ISOLATION_TYPES).find(([name]) => name === Type)?.[1] ?? AZURE_ISOLATION_TYPES.SevSnp;
}
