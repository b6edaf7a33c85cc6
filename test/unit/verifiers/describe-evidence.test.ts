import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../src/model/evidence.js';
import { describeEvidence } from '../../../src/verifiers/describe-evidence.js';
import { createVirtualMachine, SnpGuest } from '../../lab/index.js';
import { PKI } from './fixture.js';

const vm = await createVirtualMachine({ pki: PKI });
const guest = new SnpGuest(vm.platform);

const structures = (evidence: Evidence) => describeEvidence(evidence).map(({ name, about }) => `${name} ${about}`);

function expectRefused(evidence: Evidence, code: string, pointer: string): void {
  expect(() => describeEvidence(evidence)).toThrow(expect.objectContaining({ name: 'FormatError', code, pointer }));
}

describe('description of evidence', () => {
  it('has the report of a bare guest, and its runtime data where there are any', () => {
    expect(structures(guest.evidence())).toEqual(['ATTESTATION_REPORT /report']);
    expect(structures(guest.evidence({ runtimeData: 'nonce' }))).toEqual([
      'ATTESTATION_REPORT /report',
      'runtime data /runtimeData',
    ]);
  });

  it('has every structure of an Azure confidential VM', () => {
    expect(structures(vm.evidence())).toEqual([
      'HCL report /hclReport',
      'runtime data /hclReport',
      'ATTESTATION_REPORT /hclReport',
      'TPMS_ATTEST /tpmQuote/message',
      'PCR values /tpmQuote/pcrs',
    ]);
  });

  it('refuses what is malformed, and says which structure it is', () => {
    const bare = guest.evidence();
    expectRefused({ ...bare, report: bare.report.subarray(1) }, 'snp_format', '/report');
    const azure = vm.evidence();
    expectRefused({ ...azure, hclReport: azure.hclReport.subarray(1) }, 'hcl_format', '/hclReport');
    const tpmQuote = { ...azure.tpmQuote, message: new Uint8Array(3) };
    expectRefused({ ...azure, tpmQuote }, 'tpm_format', '/tpmQuote');
  });

  it('refuses the paravisor report of another TEE', () => {
    const evidence = vm.evidence({
      hcl: { reportType: 4, hardwareReport: Uint8Array.of(0x81, ...new Uint8Array(1023)) },
    });
    expectRefused(evidence, 'hcl_format', '/hclReport');
  });
});
