import type { EvidenceType } from '../../model/evidence.js';
import { traitsOf, VERIFIED_TYPES } from '../../model/evidence-traits.js';
import { isObject, type JsonObject } from '../../model/json.js';

/**
 * How evidence of a Trustee guest is sent, where an object looks like such evidence as it lies in a file; null where it
 * does not. For messages only: what is sent without its type is not judged.
 */
export function trusteeHint(object: JsonObject): string | null {
  const type = trusteeType(object);
  if (type === null) return null;
  const sentAs = `{"evidence":{"type":"${type}","dialect":"trustee","value":…}}`;
  return `this looks like evidence of a Trustee guest, which is sent as ${sentAs}`;
}

/**
 * Versions 1 and 2, and version 0 on TDX, have `hcl_report` and `tpm_quote`; version 0 on SEV-SNP has three plain names.
 * A type that is there stays, so that a TD whose quote is missing is told so next.
 */
function trusteeType(object: JsonObject): EvidenceType | null {
  const { type, hcl_report: hclReport, tpm_quote: tpmQuote, td_quote: tdQuote, quote, report, vcek } = object;
  if (hclReport !== undefined && tpmQuote !== undefined) {
    const named = VERIFIED_TYPES.find((verified) => verified === type);
    const isOfTd = tdQuote !== undefined || (named !== undefined && 'tdQuote' in traitsOf(named).members);
    return isOfTd ? 'az-tdx-vtpm' : 'az-snp-vtpm';
  }
  return isObject(quote) && Array.isArray(report) && vcek !== undefined ? 'az-snp-vtpm' : null;
}
