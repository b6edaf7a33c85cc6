import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import { claimsOfFields, placeOfClaim } from '../../../src/inspector/claim-fields.js';
import { QUESTIONS, questionOfClaim, shownClaims } from '../../../src/inspector/questions.js';
import { findBytes } from '../../../src/inspector/structures.js';
import { createAmdPki, createVirtualMachine } from '../../lab/index.js';
import { TDX_VM } from '../tee/azure/tdx-fixture.js';
import { NONCE } from '../tee/fixture.js';

const vm = await createVirtualMachine({ pki: createAmdPki() });
const evidence = vm.wireEvidence({ nonce: NONCE }) as unknown as JsonObject;
const quote = Buffer.from(TDX_VM.evidence().tdQuote).toString('base64url');
const found = findBytes({ evidence: { ...evidence, quote } });
const fieldsOf = (index: number) =>
  found[index]?.structures.flatMap(({ name, fields }) => fields.map((field) => `${name} ${field.name}`)) ?? [];

describe('the bytes of a claim', () => {
  it.each([
    ['snp.cpuid', 'ATTESTATION_REPORT CPUID'],
    ['snp.chipId', 'ATTESTATION_REPORT CHIP_ID'],
    ['snp.signingKey', 'ATTESTATION_REPORT KEY_INFO'],
    ['snp.firmware', 'ATTESTATION_REPORT CURRENT_VERSION'],
    ['snp.tcb', 'ATTESTATION_REPORT REPORTED_TCB'],
    ['snp.platformInfo', 'ATTESTATION_REPORT PLATFORM_INFO'],
    ['snp.policy', 'ATTESTATION_REPORT POLICY'],
    ['snp.measurement', 'ATTESTATION_REPORT MEASUREMENT'],
    ['snp.reportData', 'ATTESTATION_REPORT REPORT_DATA'],
    ['tdx.teeTcbSvn', 'TD quote TEE_TCB_SVN'],
    ['tdx.mrSeam', 'TD quote MRSEAM'],
    ['tdx.mrtd', 'TD quote MRTD'],
    ['tdx.rtmr', 'TD quote RTMR0'],
    ['tdx.reportData', 'TD quote REPORTDATA'],
    ['hcl.vmConfiguration', 'runtime data vm-configuration'],
    ['hcl.userData', 'runtime data user-data'],
    ['hcl.akThumbprint', 'runtime data keys'],
    ['tpm.clock', 'TPMS_ATTEST clockInfo'],
  ])('%s are those of %s', (claim, field) => {
    const place = placeOfClaim(claim, found);
    expect(place === null ? null : fieldsOf(place.found)[place.field]).toBe(field);
    const back = claimsOfFields(place?.found ?? -1, found, new Set([claim, 'snp.product']));
    expect([...back]).toEqual([[place?.field, claim]]);
    expect(QUESTIONS[questionOfClaim(claim) ?? -1]?.claims).toContain(claim);
  });

  it('are none of claims that no single field has, and where the bytes are not at hand', () => {
    expect(placeOfClaim('snp.product', found)).toBeNull();
    expect(placeOfClaim('snp.measurement', [])).toBeNull();
    expect(questionOfClaim('snp.imageId')).toBeNull();
  });
});

describe('the bytes of a claim are not those that the sender chose:', () => {
  const claim = 'snp.measurement';
  const { hclReport } = evidence;

  it.each([
    [
      'a report in runtime data',
      { evidence: { runtimeData: hclReport ?? null, hclReport: hclReport ?? null } },
      '/evidence/hclReport',
    ],
    ['a report beside the evidence', { binding: { jwk: { n: hclReport ?? null } }, evidence }, '/evidence/hclReport'],
  ])('%s', (_what, body, pointer) => {
    const all = findBytes(body);
    expect(all[placeOfClaim(claim, all)?.found ?? -1]?.pointer).toBe(pointer);
    const [first] = all;
    expect(first?.pointer).not.toBe(pointer);
    expect(claimsOfFields(0, all, new Set([claim])).size).toBe(0);
  });

  it('of two in the evidence, none is taken', () => {
    const all = findBytes({ evidence: { hclReport: hclReport ?? null, report: hclReport ?? null } });
    expect(placeOfClaim(claim, all)).toBeNull();
  });
});

describe('claims that an answer has', () => {
  it('are those that speak to a question', () => {
    expect([...shownClaims({ snp: { chipId: '00', imageId: '00' }, tdx: null })]).toEqual(['snp.chipId']);
    expect([...shownClaims(undefined)]).toEqual([]);
  });
});
