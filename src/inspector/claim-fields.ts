import type { FoundBytes } from './structures.js';

/** A field among the bytes that were found. */
export interface FieldPlace {
  /** Number among what was found. */
  readonly found: number;
  /** Number among the fields of all its structures. */
  readonly field: number;
}

const [REPORT, BODY, RUNTIME, ATTEST] = ['ATTESTATION_REPORT', 'TD quote', 'runtime data', 'TPMS_ATTEST'];

/** The field that each claim is read from, by the structure that it stands in. */
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

/** Where the bytes of a claim are; null where they are not at hand, or the claim is read from no single field. */
export function placeOfClaim(claim: string, found: readonly FoundBytes[]): FieldPlace | null {
  const [structure, name] = FIELDS[claim] ?? [];
  for (const [index, { structures }] of found.entries()) {
    const fields = structures.flatMap((each) =>
      each.fields.map((field) => ({ structure: each.name, name: field.name })),
    );
    const field = fields.findIndex((each) => each.structure === structure && each.name === name);
    if (field >= 0) return { found: index, field };
  }
  return null;
}

/** The claim that is read from a field; null where none is by itself. */
export function claimOfField(structure: string, name: string): string | null {
  const claim = Object.entries(FIELDS).find(([, place]) => place[0] === structure && place[1] === name);
  return claim?.[0] ?? null;
}
