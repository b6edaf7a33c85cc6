import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PcrBank } from '../../../src/core/evidence.js';
import { evidenceSha256 } from '../../../src/tee/evidence-identity.js';
import {
  buildEcdsaSignature,
  createTdxGuest,
  createTrustedLaunchMachine,
  createVirtualMachine,
  flipBit,
  SnpGuest,
  tdQuoteLayout,
  VirtualTpm,
  withOtherSnpSignature,
} from '../../lab/index.js';
import { PLATFORM, TDX_VM, verifyAzureTdx } from './azure/tdx-fixture.js';
import { expectVerified, NONCE, OTHER_NONCE, PKI, verifyAzure, verifySnp } from './fixture.js';
import { MACHINE, verifyTpm } from './tpm/tpm-fixture.js';

const vm = await createVirtualMachine({ pki: PKI });
const guest = new SnpGuest(vm.platform);

const HARDWARE_REPORT = 0x20;

/** The paravisor's report with n - s in the hardware report. */
function withOtherSignature(hclReport: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(hclReport);
  copy.set(withOtherSnpSignature(hclReport.subarray(HARDWARE_REPORT, HARDWARE_REPORT + 1184)), HARDWARE_REPORT);
  return copy;
}

/** Order of P-256 (SEC 2, 2.4.2). */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

const N_384 = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n;

/** The quote with n - s in the signature at an offset. */
function withOtherTdSignature(quote: Uint8Array, offset: number): Uint8Array {
  const copy = Buffer.from(quote);
  const s = BigInt(`0x${copy.subarray(offset + 32, offset + 64).toString('hex')}`);
  copy.write((N - s).toString(16).padStart(64, '0'), offset + 32, 'hex');
  return Uint8Array.from(copy);
}

const tdGuest = createTdxGuest({ platform: PLATFORM });

describe('identity of a vTPM by itself', () => {
  it('covers message, signature and SHA-256 PCRs, and no certificate', () => {
    const evidence = MACHINE.evidence({ nonce: NONCE });
    const { tpmQuote } = evidence;
    const values = [...(tpmQuote.pcrs.get('sha256') ?? [])].sort(([a], [b]) => a - b).map(([, value]) => value);
    const none = Buffer.alloc(4);
    const parts = [tpmQuote.message, tpmQuote.signature, Buffer.concat(values)].flatMap((part) => [
      Buffer.from([0, 0, part.byteLength >> 8, part.byteLength & 0xff]),
      part,
    ]);
    const hash = createHash('sha256')
      .update(Buffer.concat([none, none, ...parts, none, none]))
      .digest('hex');
    expect(evidenceSha256(evidence)).toBe(hash);
    expect(evidenceSha256({ ...evidence, ak: MACHINE.certificate({ chain: null }) })).toBe(hash);
    const reordered = new Map([...(tpmQuote.pcrs.get('sha256') ?? [])].reverse());
    const pcrs = new Map([['sha256', reordered] as const]);
    expect(evidenceSha256({ ...evidence, tpmQuote: { ...tpmQuote, pcrs } })).toBe(hash);
    for (const member of ['message', 'signature'] as const) {
      const changed = { ...tpmQuote, [member]: flipBit(tpmQuote[member], 20) };
      expect(evidenceSha256({ ...evidence, tpmQuote: changed })).not.toBe(hash);
    }
    const other = new Map([...(tpmQuote.pcrs.get('sha256') ?? []), [3, new Uint8Array(32)] as const]);
    expect(evidenceSha256({ ...evidence, tpmQuote: { ...tpmQuote, pcrs: new Map([['sha256', other]]) } })).not.toBe(
      hash,
    );
  });

  it.each([
    ['P-256', 32],
    ['P-384', 48],
  ] as const)('is the same for every way to write a signature of %s that verifies', async (curve, octets) => {
    const machine = await createTrustedLaunchMachine({
      pki: MACHINE.pki,
      vtpm: await VirtualTpm.create({ curve }),
    });
    const evidence = machine.evidence({ nonce: NONCE });
    const { signature } = evidence.tpmQuote;
    const [r, s] = [signature.subarray(6, 6 + octets), signature.subarray(8 + octets)];
    const withSignature = (...numbers: readonly [Uint8Array, Uint8Array]) => ({
      ...evidence,
      tpmQuote: { ...evidence.tpmQuote, signature: buildEcdsaSignature('sha256', ...numbers) },
    });
    const order = curve === 'P-256' ? N : N_384;
    const otherS = Buffer.from(
      (order - BigInt(`0x${Buffer.from(s).toString('hex')}`)).toString(16).padStart(2 * octets, '0'),
      'hex',
    );
    const other = withSignature(r, otherS);
    expectVerified(await verifyTpm(other, { nonce: NONCE }));
    expect(evidenceSha256(other)).toBe(evidenceSha256(evidence));
    // Zeros in front of a number may be left out.
    const short = Uint8Array.from([0, ...r.subarray(1)]);
    expect(evidenceSha256(withSignature(short.subarray(1), s))).toBe(evidenceSha256(withSignature(short, s)));
    expect(evidenceSha256(withSignature(s, r))).not.toBe(evidenceSha256(evidence));
    // A number beyond the curve stays as it is.
    const long = new Uint8Array(66);
    expect(evidenceSha256(withSignature(long, s))).not.toBe(evidenceSha256(evidence));
  });
});

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

describe('identity of evidence of TDX', () => {
  it('is the same for both values of each signature of a quote, which verify alike', async () => {
    const evidence = TDX_VM.evidence({ nonce: NONCE });
    const layout = tdQuoteLayout(evidence.tdQuote);
    for (const offset of [layout.signature, layout.qeReportSignature]) {
      const other = { ...evidence, tdQuote: withOtherTdSignature(evidence.tdQuote, offset) };
      expect(other.tdQuote).not.toEqual(evidence.tdQuote);
      expectVerified(await verifyAzureTdx(other, { nonce: NONCE }));
      expect(evidenceSha256(other)).toBe(evidenceSha256(evidence));
    }
    const bare = tdGuest.evidence({ nonce: NONCE, quote: { version: 5 } });
    const { signature, qeReportSignature } = tdQuoteLayout(bare.quote);
    for (const offset of [signature, qeReportSignature]) {
      const other = { ...bare, quote: withOtherTdSignature(bare.quote, offset) };
      expect(other.quote).not.toEqual(bare.quote);
      expect(evidenceSha256(other)).toBe(evidenceSha256(bare));
    }
    const cut = { ...bare, quote: bare.quote.subarray(0, qeReportSignature) };
    expect(evidenceSha256(cut)).not.toBe(evidenceSha256(bare));
  });

  it('is the same whatever collateral and AK certificate come with it', () => {
    const evidence = TDX_VM.evidence({ nonce: NONCE });
    const ak = { certificate: { der: Uint8Array.of(1) }, chain: null };
    expect(evidenceSha256({ ...evidence, collateral: null, ak })).toBe(evidenceSha256(evidence));
    const bare = tdGuest.evidence({ nonce: NONCE });
    expect(evidenceSha256({ ...bare, collateral: null })).toBe(evidenceSha256(bare));
  });

  it('is another for a changed byte of any part, and for a part in another place', () => {
    const bare = tdGuest.evidence({ nonce: NONCE, runtimeData: 'nonce' });
    const azure = TDX_VM.evidence({ nonce: NONCE });
    const { tpmQuote } = azure;
    const all = [
      bare,
      { ...bare, quote: flipBit(bare.quote, 570) },
      { ...bare, runtimeData: null },
      { ...bare, runtimeData: null, ccel: bare.runtimeData },
      azure,
      { ...azure, hclReport: flipBit(azure.hclReport, 0x4d4) },
      { ...azure, tdQuote: flipBit(azure.tdQuote, 570) },
      { ...azure, tdQuote: azure.hclReport, hclReport: azure.tdQuote },
      { ...azure, tpmQuote: { ...tpmQuote, message: flipBit(tpmQuote.message, 9) } },
    ];
    expect(new Set(all.map(evidenceSha256)).size).toBe(all.length);
  });

  it('is there for bytes that are no quote', () => {
    const bare = tdGuest.evidence({ nonce: NONCE });
    const ids = [0, 1, 48].map((length) => evidenceSha256({ ...bare, quote: bare.quote.subarray(0, length) }));
    expect(new Set(ids).size).toBe(3);
  });

  it('is made of the parts that the contract lists, in its order', () => {
    const hclReport = Uint8Array.of(1);
    const tpmQuote = {
      message: Uint8Array.of(3),
      signature: Uint8Array.of(4),
      pcrs: new Map([
        [
          'sha256' as const,
          new Map([
            [1, Uint8Array.of(6)],
            [0, Uint8Array.of(5)],
          ]),
        ],
      ]),
    };
    const parts = [[1], [2], [3], [4], [5, 6], [], [7, 8]].flatMap((part) => [0, 0, 0, part.length, ...part]);
    const evidence = {
      type: 'az-tdx-vtpm',
      hclReport,
      tdQuote: Uint8Array.of(2),
      tpmQuote,
      collateral: null,
      ak: null,
      eventLog: [Uint8Array.of(7), Uint8Array.of(8)],
    } as const;
    expect(evidenceSha256(evidence)).toBe(createHash('sha256').update(Uint8Array.from(parts)).digest('hex'));
  });
});
