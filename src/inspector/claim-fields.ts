import { type FoundBytes, isJudged, isRuntimeData } from './structures.js';

/** A field in the recognised bytes. */
export interface FieldPlace {
  /** Index of the structure. */
  readonly found: number;
  /** Index of the field, across all structures of those bytes. */
  readonly field: number;
}

const [REPORT, BODY, RUNTIME, ATTEST] = ['ATTESTATION_REPORT', 'TD quote', 'runtime data', 'TPMS_ATTEST'];

/** The field of each claim, by its structure. */
const FIELDS: { readonly [claim: string]: readonly [structure: string, field: string] } = {
  'snp.cpuid': [REPORT, 'CPUID'],
  'snp.chipId': [REPORT, 'CHIP_ID'],
  'snp.signingKey': [REPORT, 'KEY_INFO'],
  'snp.firmware': [REPORT, 'CURRENT_VERSION'],
  'snp.tcb': [REPORT, 'REPORTED_TCB'],
  'snp.platformInfo': [REPORT, 'PLATFORM_INFO'],
  'snp.policy': [REPORT, 'POLICY'],
  'snp.measurement': [REPORT, 'MEASUREMENT'],
  'snp.reportData': [REPORT, 'REPORT_DATA'],
  'tdx.teeTcbSvn': [BODY, 'TEE_TCB_SVN'],
  'tdx.mrSeam': [BODY, 'MRSEAM'],
  'tdx.mrtd': [BODY, 'MRTD'],
  'tdx.rtmr': [BODY, 'RTMR0'],
  'tdx.reportData': [BODY, 'REPORTDATA'],
  'hcl.vmConfiguration': [RUNTIME, 'vm-configuration'],
  'hcl.userData': [RUNTIME, 'user-data'],
  'hcl.akThumbprint': [RUNTIME, 'keys'],
  'tpm.clock': [ATTEST, 'clockInfo'],
};

/**
 * Finds the bytes of a claim; null if they are not available or ambiguous, or if the
 * claim comes from several fields.
 */
export function placeOfClaim(claim: string, found: readonly FoundBytes[]): FieldPlace | null {
  const [structure, name] = FIELDS[claim] ?? [];
  const places = found.flatMap((each, index) => {
    if (!isJudged(each) && !(each.kind === 'runtime-data' && isRuntimeData(each))) return [];
    const fields = each.structures.flatMap((one) =>
      one.fields.map((field) => ({ structure: one.name, name: field.name })),
    );
    const field = fields.findIndex((one) => one.structure === structure && one.name === name);
    return field < 0 ? [] : [{ found: index, field }];
  });
  const [place, ...others] = places;
  return place === undefined || others.length > 0 ? null : place;
}

/** The claims that come from fields of one structure, by field index. */
export function claimsOfFields(
  index: number,
  found: readonly FoundBytes[],
  claims: ReadonlySet<string>,
): ReadonlyMap<number, string> {
  return new Map(
    [...claims].flatMap((claim) => {
      const place = placeOfClaim(claim, found);
      return place?.found === index ? [[place.field, claim] as const] : [];
    }),
  );
}
