import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../src/core/errors.js';
import { jwkThumbprint } from '../../../../src/crypto/jwk-thumbprint.js';
import {
  type AzureTdxEvidenceOptions,
  createTdxVirtualMachine,
  flipBit,
  type HclReportFields,
  patchBytes,
  type TdBodyFields,
  VirtualTpm,
} from '../../../lab/index.js';
import { expectFailed, expectMalformed, expectVerified, failed, idsWith, NONCE, OTHER_NONCE } from '../fixture.js';
import { azureTdxVerifier, INTEL, PLATFORM, TDX_VM, verifyAzureTdx } from './tdx-fixture.js';

const HCL_REPORT = '/evidence/hclReport';
const genuine = TDX_VM.evidence({ nonce: NONCE });
const judge = (options: AzureTdxEvidenceOptions) =>
  verifyAzureTdx(TDX_VM.evidence({ nonce: NONCE, ...options }), { nonce: NONCE });

async function outcomeOf(hclReport: Uint8Array): Promise<string> {
  try {
    return failed(await verifyAzureTdx({ ...genuine, hclReport }, { nonce: NONCE })).join() || 'accepted';
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return error.code;
  }
}

async function expectRefused(hcl: Partial<HclReportFields>, code: 'hcl_format' | 'hcl_hash_type' = 'hcl_format') {
  const evidence = TDX_VM.evidence({ nonce: NONCE, hcl });
  await expectMalformed(verifyAzureTdx(evidence), code, HCL_REPORT);
  await expectMalformed((async () => azureTdxVerifier().open(evidence).needs)(), code, HCL_REPORT);
}

describe('an Azure VM on TDX', () => {
  it('is verified, and claimed, as Azure makes it', async () => {
    const found = await verifyAzureTdx(genuine, { nonce: NONCE });
    expectVerified(found);
    expect(found.bound).toEqual(['tpm.extraData', 'hcl.userData']);
    expect(Object.keys(found.claims)).toEqual(['tdx', 'hcl', 'tpm']);
    expect(found.claims.hcl).toMatchObject({ reportType: 'tdx', paravisor: { known: true, by: 'mrtd' } });
    expect(found.claims.tdx?.rtmr).toEqual(Array(4).fill('00'.repeat(48)));
    expect(found.submission).toEqual({
      tee: 'tdx',
      quote: genuine.tdQuote,
      runtimeData: TDX_VM.runtimeClaims({ nonce: NONCE }),
    });
    expect(found.required).not.toContain('snp_vmpl');
  });

  it('tells which PCRs the quote is signed for, also where their values are others', async () => {
    const { selectedPcrs } = await verifyAzureTdx(genuine, { nonce: NONCE });
    const signed = [...(genuine.tpmQuote.pcrs.get('sha256') ?? new Map()).keys()];
    expect(selectedPcrs).toEqual(signed);
    const tpmQuote = { ...genuine.tpmQuote, pcrs: new Map([['sha256', new Map([[0, new Uint8Array(32)]])]] as const) };
    const found = await verifyAzureTdx({ ...genuine, tpmQuote }, { nonce: NONCE });
    expect([found.selectedPcrs, found.claims.tpm?.pcrs]).toEqual([signed, { sha256: {} }]);
  });

  it('TPM-10 tells whose key signed the quote, and nothing where it did not', async () => {
    const found = await verifyAzureTdx(genuine, { nonce: NONCE });
    expect(found.akThumbprint).toBe(jwkThumbprint(TDX_VM.vtpm.publicJwk));
    const signature = genuine.tpmQuote.signature.map((byte, index) => (index === 9 ? byte ^ 1 : byte));
    const unsigned = await verifyAzureTdx(
      { ...genuine, tpmQuote: { ...genuine.tpmQuote, signature } },
      { nonce: NONCE },
    );
    expect([unsigned.claims.tpm, unsigned.akThumbprint]).toEqual([undefined, undefined]);
    expect(unsigned.claims.hcl?.akThumbprint).toBe(found.akThumbprint);
  });

  it('is verified with a quote of version 5 and a TD 1.5 body', async () => {
    const found = await judge({ tdQuote: { version: 5 } });
    expectVerified(found);
    expect(found.claims.tdx?.quoteVersion).toBe(5);
  });

  it('asks for the collateral of the platform that its quote names', () => {
    const supplied = genuine.collateral;
    expect(azureTdxVerifier().open(genuine).needs).toEqual([
      { kind: 'intel-tdx', fmspc: PLATFORM.fmspc, ca: 'platform', supplied },
    ]);
  });

  it('remembers nothing of a vTPM that is made anew at each boot: two boots of one machine are as good', async () => {
    const claims = { vmConfiguration: { 'tpm-persisted': false } };
    for (const vtpm of [TDX_VM.vtpm, await VirtualTpm.create()]) {
      const boot = await createTdxVirtualMachine({ platform: PLATFORM, vtpm, nonPersistedTpm: true });
      const found = await verifyAzureTdx(boot.evidence({ nonce: NONCE, claims }), { nonce: NONCE });
      expectVerified(found);
      expect(found.claims.hcl?.vmConfiguration).toMatchObject({ tpmPersisted: false });
    }
  });

  it('has no claims of the guest while the collateral is out of reach, and its binding is judged all the same', async () => {
    const found = await verifyAzureTdx(TDX_VM.evidence({ nonce: NONCE, collateral: null }), { nonce: NONCE });
    expectFailed(found);
    expect(idsWith(found, 'unavailable')).toEqual(['collateral_unavailable']);
    expect(found.claims).toEqual({});
    expect(found.submission).toBeNull();
    expect(idsWith(found, 'pass')).toEqual(expect.arrayContaining(['hcl_binding', 'tpm_signature', 'nonce_mismatch']));
  });
});

const OTHER_48 = new Uint8Array(48).fill(0x99);
const FIELDS: readonly (readonly [string, Partial<TdBodyFields>])[] = [
  ['TEE_TCB_SVN', { teeTcbSvn: Uint8Array.of(7, 1, 9, ...new Uint8Array(13)) }],
  ['MRSEAM', { mrSeam: OTHER_48 }],
  ['MRSIGNERSEAM', { mrSignerSeam: OTHER_48 }],
  ['SEAMATTRIBUTES', { seamAttributes: 2n }],
  ['TDATTRIBUTES', { tdAttributes: 1n << 28n }],
  ['XFAM', { xfam: 0x3n }],
  ['MRTD', { mrTd: OTHER_48 }],
  ['MRCONFIGID', { mrConfigId: OTHER_48 }],
  ['MROWNER', { mrOwner: OTHER_48 }],
  ['MROWNERCONFIG', { mrOwnerConfig: OTHER_48 }],
  ...[0, 1, 2, 3].map((index) => {
    const zero = new Uint8Array(48);
    const rtmrs = [zero, zero, zero, zero].map((value, at) => (at === index ? OTHER_48 : value));
    return [`RTMR${index}`, { rtmrs: rtmrs as unknown as TdBodyFields['rtmrs'] }] as const;
  }),
];

describe('the TDREPORT in the report of the paravisor', () => {
  it.each(FIELDS)('TDX-23 is denied where its %s is not that of the quote', async (name, fields) => {
    const found = await judge({ tdReport: { fields } });
    expectFailed(found, 'tdx_report_mismatch');
    const check = found.checks.find(({ id }) => id === 'tdx_report_mismatch');
    expect(Object.keys(check?.expected ?? {})).toEqual([name]);
    expect(check?.detail).toBe(`the quote was not made from this TDREPORT: ${name}`);
    // Nothing vouches for the TDREPORT.
    expect(check?.actual).toBeNull();
    expect(found.claims.hcl).toBeUndefined();
    expect(found.claims.tpm).toBeUndefined();
    expect(idsWith(found, 'skipped')).toEqual(expect.arrayContaining(['tpm_signature', 'nonce_mismatch']));
  });

  it('TDX-23 is denied where its REPORTDATA is not that of the quote', async () => {
    expectFailed(await judge({ tdReport: { fields: { reportData: new Uint8Array(64) } } }), 'tdx_report_mismatch');
  });

  it.each<[string, Partial<TdBodyFields>]>([
    ['TEE_TCB_SVN_2', { teeTcbSvn2: Uint8Array.of(7, 1, 9, ...new Uint8Array(13)) }],
    ['MRSERVICETD', { mrServiceTd: OTHER_48 }],
  ])('TDX-23 is denied where its %s is not that of a TD 1.5 body, which alone has one', async (_, fields) => {
    expectFailed(await judge({ tdQuote: { version: 5 }, tdReport: { fields } }), 'tdx_report_mismatch');
  });

  it('is verified where its TEE_TCB_SVN_2 is one that a TD 1.0 body cannot have', async () => {
    const fields = { teeTcbSvn2: Uint8Array.of(7, 1, 9, ...new Uint8Array(13)) };
    expectVerified(await judge({ tdReport: { fields } }));
  });

  it('TDX-16 is verified with the service TD that a TD 1.5 body names too, for a policy to judge', async () => {
    const found = await judge({ td: { mrServiceTd: OTHER_48 }, tdQuote: { version: 5 } });
    expectVerified(found);
    expect(found.claims.tdx?.mrServiceTd).toBe('99'.repeat(48));
  });

  it('TDX-16 is denied where it names a service TD, and the quote has a TD 1.0 body', async () => {
    for (const tdQuote of [{}, { version: 5, body: 'td10' } as const]) {
      const found = await judge({ td: { mrServiceTd: OTHER_48 }, tdQuote });
      expectFailed(found, 'tdx_service_td');
      expect(found.checks.find(({ id }) => id === 'tdx_service_td')).toMatchObject({
        about: HCL_REPORT,
        policy: null,
        // Nothing vouches for the TDREPORT.
        actual: null,
        detail:
          'a service TD is bound, and the quote has a TD 1.0 body, which does not say which one: a TD 1.5 body does',
      });
      expect(found.claims.tdx?.mrServiceTd).toBeUndefined();
    }
  });

  it.each([
    ['TEE_TCB_INFO', 264],
    ['TEE_TCB_INFO, reserved', 420],
    ['TDINFO', 528],
    ['TDINFO, reserved', 1000],
    ['the hash of TEE_TCB_INFO', 32],
    ['the hash of TDINFO', 127],
  ])('TDX-23 is denied where its own hashes are not those of its parts: %s', async (_, offset) => {
    const report = TDX_VM.tdReport({ nonce: NONCE });
    const hardwareReport = flipBit(report, offset);
    expectFailed(await judge({ hcl: { hardwareReport } }), 'tdx_report_mismatch');
  });

  it('TDX-23 is compared before any collateral is judged, whatever the collateral says', async () => {
    const tdReport = { fields: { mrTd: OTHER_48 } };
    for (const collateral of [null, { tcbInfo: { status: 'Revoked' } }, { tcbInfo: { signer: PLATFORM.pck.key } }]) {
      const found = await judge({ tdReport, collateral });
      expect(found.checks[0]).toMatchObject({ id: 'tdx_report_mismatch', result: 'fail' });
      expect(idsWith(found, 'pass')).toContain('hcl_binding');
    }
  });

  it('TDX-23 is compared where the quote itself is forged', async () => {
    const found = await judge({ tdQuote: { signature: (genuine) => flipBit(genuine, 40) } });
    expectFailed(found, 'tdx_signature');
    expect(idsWith(found, 'pass')).toEqual(expect.arrayContaining(['tdx_report_mismatch', 'hcl_binding']));
    expect(idsWith(found, 'skipped')).toEqual(
      expect.arrayContaining(['hcl_claims', 'tpm_signature', 'nonce_mismatch']),
    );
    expect([found.bound, found.claims, found.submission]).toEqual([[], {}, null]);
    const other = await judge({
      tdReport: { fields: { mrTd: OTHER_48 } },
      tdQuote: { signature: (s) => flipBit(s, 40) },
    });
    expectFailed(other, 'tdx_report_mismatch', 'tdx_signature');
    // Nothing vouches for the quote either: none of its values is shown.
    for (const id of ['tdx_report_mismatch', 'hcl_binding']) {
      expect(other.checks.find((check) => check.id === id)).toMatchObject({ expected: null, actual: null });
    }
  });

  it('TDX-22 is malformed in the place of the quote: nothing outside can check its MAC', async () => {
    const tdQuote = TDX_VM.tdReport({ nonce: NONCE });
    const evidence = { ...genuine, tdQuote };
    await expectMalformed(verifyAzureTdx(evidence), 'tdx_not_a_quote', '/evidence/tdQuote');
    await expectMalformed((async () => azureTdxVerifier().open(evidence).needs)(), 'tdx_not_a_quote');
  });
});

describe("the paravisor's report on TDX", () => {
  it('HCL-01 is rejected for a bit changed in any byte, but CPUSVN and MAC', { timeout: 120_000 }, async () => {
    const { hclReport } = genuine;
    const accepted: number[] = [];
    for (let offset = 0; offset < hclReport.byteLength; offset++) {
      if ((await outcomeOf(flipBit(hclReport, offset, offset % 8))) === 'accepted') accepted.push(offset);
    }
    const unchecked = (start: number, length: number) => Array.from({ length }, (_, index) => start + index);
    expect(accepted).toEqual([...unchecked(48, 16), ...unchecked(256, 32)]);
  });

  it('HCL-01 is refused with anything but zeros behind the TDREPORT, and where it reserves', async () => {
    const report = TDX_VM.tdReport({ nonce: NONCE });
    for (const offset of [1, 2, 3, 4, 15, 192, 223, 495, 511]) {
      await expectRefused({ hardwareReport: flipBit(report, offset) });
    }
    for (const offset of [1024, 1183]) {
      const area = new Uint8Array(1184);
      area.set(report);
      await expectRefused({ hardwareReport: flipBit(area, offset) });
    }
  });

  it('HCL-01 is refused where version and SERVTD_HASH of the TDREPORT contradict each other', async () => {
    const version = (report: Uint8Array, value: number) =>
      patchBytes(report, [{ offset: 2, bytes: Uint8Array.of(value) }]);
    const unbound = TDX_VM.tdReport({ nonce: NONCE });
    const bound = TDX_VM.tdReport({ nonce: NONCE, td: { mrServiceTd: OTHER_48 } });
    expect([unbound[2], bound[2]]).toEqual([0, 1]);
    for (const value of [1, 2, 255]) await expectRefused({ hardwareReport: version(unbound, value) });
    for (const value of [0, 2, 255]) await expectRefused({ hardwareReport: version(bound, value) });
  });

  it.each([0, 1, 2 ** 31, 2 ** 32 - 1])('HCL-02 is refused with a variable data size of %i', async (size) => {
    await expectRefused({ variableDataSize: size });
  });

  it.each([0, 2, 3, 4, 255])('HCL-03 is refused with hash type %i', async (hashType) => {
    await expectRefused({ hashType }, 'hcl_hash_type');
  });

  it('HCL-04 is denied with non-zero bytes behind the digest', async () => {
    const digest = createHash('sha256')
      .update(TDX_VM.runtimeClaims({ nonce: NONCE }))
      .digest();
    const reportData = Uint8Array.from({ length: 64 }, (_, at) => digest[at] ?? (at === 63 ? 1 : 0));
    const found = await judge({ td: { reportData } });
    expectFailed(found, 'hcl_binding');
    expect(found.claims.hcl).toBeUndefined();
  });

  it.each([0, 1, 2, 3, 5, 6])('HCL-05 is refused with report type %i', async (reportType) => {
    await expectRefused({ reportType });
  });

  it('HCL-05, REQ-12 is refused where the type says TDX and the hardware report is none', async () => {
    await expectRefused({ hardwareReport: Uint8Array.of(3, 0, 0, 0) });
    await expectRefused({ hardwareReport: flipBit(TDX_VM.tdReport({ nonce: NONCE }), 0) });
  });

  it('HCL-06 is denied for runtime claims that two readers could read differently, or that are none', async () => {
    const text = Buffer.from(TDX_VM.runtimeClaims({ nonce: NONCE })).toString('utf8');
    expectFailed(await judge({ runtimeClaims: text.replace('{"keys":', '{"keys":[],"keys":') }), 'hcl_duplicate');
    expectFailed(await judge({ runtimeClaims: text.replace('"HCLAkPub"', '"HCLEkPub2"') }), 'hcl_ak_missing');
    expectFailed(await judge({ runtimeClaims: '[]' }), 'hcl_claims');
  });

  it('HCL-08 is denied with claims in another spelling than was hashed', async () => {
    const text = Buffer.from(TDX_VM.runtimeClaims({ nonce: NONCE })).toString('utf8');
    const runtimeClaims = Buffer.from(text.replace('{"keys":', '{ "keys": '));
    expectFailed(await judge({ hcl: { runtimeClaims } }), 'hcl_binding');
  });

  it('HCL-09 is denied where user-data holds another nonce', async () => {
    expectFailed(await judge({ claims: { userData: OTHER_NONCE } }), 'nonce_mismatch');
    const absent = await judge({ claims: { userData: null } });
    expectVerified(absent);
    expect(absent.bound).toEqual(['tpm.extraData']);
  });

  it('HCL-13 denies the report of one VM with the vTPM quote, or the TD quote, of another', async () => {
    const other = await createTdxVirtualMachine({ platform: PLATFORM });
    const { tpmQuote, tdQuote } = other.evidence({ nonce: NONCE });
    expectFailed(await verifyAzureTdx({ ...genuine, tpmQuote }, { nonce: NONCE }), 'tpm_signature');
    const found = await verifyAzureTdx({ ...genuine, tdQuote }, { nonce: NONCE });
    expectFailed(found, 'tdx_report_mismatch', 'hcl_binding');
    const claims = other.runtimeClaims({ nonce: NONCE });
    expectFailed(await judge({ hcl: { runtimeClaims: claims } }), 'hcl_binding');
  });

  it('has the checks of the quote as they are: those of another Intel are not relied on', async () => {
    const found = await judge({ tdQuote: { pckKey: INTEL.root.key.privateKey } });
    expectFailed(found, 'tdx_qe_report_signature');
    expect(found.claims).toEqual({});
  });
});
