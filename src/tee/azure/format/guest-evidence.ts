import type { EvidenceType } from '../../../core/evidence.js';
import { EVIDENCE_TYPES, traitsOf } from '../../../core/evidence-traits.js';
import { isObject, type JsonObject } from '../../../core/json.js';

/** `IsolationInfo.Type` of attestationInfo (Azure guest attestation client), and the type of evidence that it is. */
export const AZURE_ISOLATION_TYPES = {
  SevSnp: 'az-snp-vtpm',
  Tdx: 'az-tdx-vtpm',
  TrustedLaunch: 'tpm',
} as const satisfies { readonly [type: string]: EvidenceType };

/**
 * How evidence that a guest made is sent, where an object looks like such evidence as it lies in a file; null where it does
 * not. For messages only: what is sent without its type is not judged.
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
 * Versions 1 and 2, and version 0 on TDX, have `hcl_report` and `tpm_quote`; version 0 on SEV-SNP has three plain names.
 * A TD without paravisor has `quote` and `cc_eventlog`,
 * a vTPM by itself `tpm_quote` and `ak_public`. A type that is there stays, so that a TD whose quote is missing is told so next.
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
