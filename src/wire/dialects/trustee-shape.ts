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

/** Versions 1 and 2, and version 0 on TDX, have `hcl_report`; version 0 on SEV-SNP has three plain names. */
function trusteeType(object: JsonObject): 'az-snp-vtpm' | 'az-tdx-vtpm' | null {
  if (object['hcl_report'] !== undefined) return object['td_quote'] === undefined ? 'az-snp-vtpm' : 'az-tdx-vtpm';
  const { quote, report, vcek } = object;
  return isObject(quote) && Array.isArray(report) && vcek !== undefined ? 'az-snp-vtpm' : null;
}
