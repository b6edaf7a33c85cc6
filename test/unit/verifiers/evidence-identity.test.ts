import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PcrBank } from '../../../src/model/evidence.js';
import { evidenceSha256 } from '../../../src/verifiers/evidence-identity.js';
import { createVirtualMachine, flipBit, SnpGuest, withOtherSnpSignature } from '../../lab/index.js';
import { expectVerified, NONCE, OTHER_NONCE, PKI, verifyAzure, verifySnp } from './fixture.js';

const vm = await createVirtualMachine({ pki: PKI });
const guest = new SnpGuest(vm.platform);

const HARDWARE_REPORT = 0x20;

/** The paravisor's report with n - s in the hardware report. */
function withOtherSignature(hclReport: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(hclReport);
  copy.set(withOtherSnpSignature(hclReport.subarray(HARDWARE_REPORT, HARDWARE_REPORT + 1184)), HARDWARE_REPORT);
  return copy;
}

describe('identity of evidence', () => {
  it('SNP-05 is the same for both signatures of a bare report, which verify alike', async () => {
    const evidence = guest.evidence({ nonce: NONCE });
    const other = { ...evidence, report: withOtherSnpSignature(evidence.report) };
    expect(other.report).not.toEqual(evidence.report);
    expectVerified(await verifySnp(evidence, { nonce: NONCE }));
    expectVerified(await verifySnp(other, { nonce: NONCE }));
    expect(evidenceSha256(other)).toBe(evidenceSha256(evidence));
  });

  it("SNP-05 is the same for both signatures in a paravisor's report", async () => {
    const evidence = vm.evidence({ nonce: NONCE });
    const other = { ...evidence, hclReport: withOtherSignature(evidence.hclReport) };
    expectVerified(await verifyAzure(other, { nonce: NONCE }));
    expect(evidenceSha256(other)).toBe(evidenceSha256(evidence));
  });

  it('is the same whatever endorsements come with it', () => {
    const report = guest.evidence({ nonce: NONCE });
    const bare = { ...report, endorsements: { vek: null, chain: null, certificateTable: null, crls: [] } };
    expect(evidenceSha256(bare)).toBe(evidenceSha256(report));
  });

  it('is another for a changed byte of any part', () => {
    const bare = guest.evidence({ nonce: NONCE, runtimeData: 'nonce' });
    const azure = vm.evidence({ nonce: NONCE });
    const { tpmQuote } = azure;
    const values = new Map(tpmQuote.pcrs.get('sha256'));
    values.set(3, new Uint8Array(32));
    const all = [
      bare,
      { ...bare, report: flipBit(bare.report, 0x50) },
      { ...bare, report: flipBit(bare.report, 0x2a0) },
      { ...bare, runtimeData: flipBit(bare.runtimeData ?? new Uint8Array(1), 0) },
      { ...bare, runtimeData: null },
      azure,
      { ...azure, hclReport: flipBit(azure.hclReport, 0x4d4) },
      { ...azure, tpmQuote: { ...tpmQuote, message: flipBit(tpmQuote.message, 9) } },
      { ...azure, tpmQuote: { ...tpmQuote, signature: flipBit(tpmQuote.signature, 9) } },
      { ...azure, tpmQuote: { ...tpmQuote, pcrs: new Map([['sha256' as const, values]]) } },
      vm.evidence({ nonce: OTHER_NONCE }),
    ];
    expect(new Set(all.map(evidenceSha256)).size).toBe(all.length);
  });

  it('counts the SHA-256 bank of the PCR values alone', () => {
    const evidence = vm.evidence({ nonce: NONCE });
    const withBanks = (...banks: readonly PcrBank[]) => {
      const pcrs = vm.vtpm.selected(banks.map((bank) => ({ bank, indices: [0, 7] })));
      return evidenceSha256({ ...evidence, tpmQuote: { ...evidence.tpmQuote, pcrs } });
    };
    expect(withBanks('sha384')).toBe(withBanks());
    expect(withBanks('sha256', 'sha384')).toBe(withBanks('sha256'));
    expect(withBanks('sha256')).not.toBe(withBanks());
  });

  it('is there for a report that is too short to hold a signature', () => {
    const evidence = guest.evidence({ nonce: NONCE });
    const { report } = evidence;
    const ids = [0, 1, 1183].map((length) => evidenceSha256({ ...evidence, report: report.subarray(0, length) }));
    expect(new Set([...ids, evidenceSha256(evidence)]).size).toBe(4);
  });

  it('does not depend on the order in which PCRs were sent', () => {
    const evidence = vm.evidence({ nonce: NONCE });
    const reversed = new Map([...(evidence.tpmQuote.pcrs.get('sha256') ?? [])].reverse());
    const other = { ...evidence, tpmQuote: { ...evidence.tpmQuote, pcrs: new Map([['sha256' as const, reversed]]) } };
    expect(evidenceSha256(other)).toBe(evidenceSha256(evidence));
  });

  it('of a token is over what its issuer signed, whatever the signature', () => {
    const input = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0';
    const parts = [Buffer.from(input), ...Array.from({ length: 6 }, () => Buffer.alloc(0))];
    const counted = parts.flatMap((part) => [Buffer.from([0, 0, 0, part.byteLength]), part]);
    const expected = createHash('sha256').update(Buffer.concat(counted)).digest('hex');
    for (const type of ['maa-token', 'ita-token'] as const) {
      expect(evidenceSha256({ type, token: `${input}.c2ln` })).toBe(expected);
      expect(evidenceSha256({ type, token: `${input}.b3RoZXI` })).toBe(expected);
      expect(evidenceSha256({ type, token: `${input}A.c2ln` })).not.toBe(expected);
    }
  });
});
