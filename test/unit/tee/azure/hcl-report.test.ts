import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../src/core/errors.js';
import { createVirtualMachine, flipBit, type HclReportFields, VirtualTpm } from '../../../lab/index.js';
import {
  azureVerifier,
  expectFailed,
  expectMalformed,
  expectVerified,
  failed,
  idsWith,
  NONCE,
  PKI,
  verifyAzure,
} from '../fixture.js';

const vm = await createVirtualMachine({ pki: PKI });
const genuine = vm.evidence({ nonce: NONCE });
const claims = vm.runtimeClaims({ nonce: NONCE });

const HCL_REPORT = '/evidence/hclReport';

async function outcomeOf(hclReport: Uint8Array): Promise<string> {
  try {
    return failed(await verifyAzure({ ...genuine, hclReport }, { nonce: NONCE })).join() || 'accepted';
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return error.code;
  }
}

async function expectRefused(hcl: Partial<HclReportFields>, code: 'hcl_format' | 'hcl_hash_type' = 'hcl_format') {
  const evidence = vm.evidence({ nonce: NONCE, hcl });
  await expectMalformed(verifyAzure(evidence, { nonce: NONCE }), code, HCL_REPORT);
  await expectMalformed((async () => azureVerifier().open(evidence).needs)(), code, HCL_REPORT);
}

describe("the paravisor's report", () => {
  it('is accepted as Azure makes it, in both versions', async () => {
    for (const version of [1, 2]) {
      const found = await verifyAzure(vm.evidence({ nonce: NONCE, hcl: { version } }), { nonce: NONCE });
      expectVerified(found);
      expect(found.bound).toEqual(['tpm.extraData', 'hcl.userData']);
    }
  });

  it('HCL-01 is rejected for a bit changed in any byte of it', { timeout: 60_000 }, async () => {
    const { hclReport } = genuine;
    expect(hclReport).toHaveLength(2600);
    const accepted: number[] = [];
    for (let offset = 0; offset < hclReport.byteLength; offset++) {
      if ((await outcomeOf(flipBit(hclReport, offset, offset % 8))) === 'accepted') accepted.push(offset);
    }
    expect(accepted).toEqual([]);
  });

  it('HCL-01 is refused for each bit changed in what nothing measures', async () => {
    const { hclReport } = genuine;
    const claimsEnd = 0x4d4 + claims.byteLength;
    for (const [from, to] of [
      [0, 0x20],
      [0x4c0, 0x4d4],
      [claimsEnd, 2600],
    ] as const) {
      for (let offset = from; offset < to; offset++) {
        for (let bit = 0; bit < 8; bit++) {
          expect(await outcomeOf(flipBit(hclReport, offset, bit))).toMatch(/^hcl_(format|hash_type)$/);
        }
      }
    }
  });

  it('HCL-01 may have zeros behind it, up to 4096', async () => {
    for (const length of [0, 1, 4096]) {
      expectVerified(
        await verifyAzure(vm.evidence({ nonce: NONCE, hcl: { padding: new Uint8Array(length) } }), { nonce: NONCE }),
      );
    }
    await expectRefused({ padding: new Uint8Array(4097) });
    await expectRefused({ padding: Uint8Array.of(0, 0, 1) });
  });

  it.each([0, 1, claims.byteLength - 1, claims.byteLength + 1, 4097, 2 ** 31, 2 ** 32 - 1])(
    'HCL-02 is refused with a variable data size of %i',
    async (variableDataSize) => {
      await expectRefused({ variableDataSize });
      // The other sizes in agreement, where they can be: what counts is the size against the bytes there are.
      const agreeing = {
        dataSize: (20 + variableDataSize) % 2 ** 32,
        reportSize: (0x4d4 + variableDataSize) % 2 ** 32,
      };
      await expectRefused({ variableDataSize, ...agreeing, padding: new Uint8Array() });
    },
  );

  it('HCL-02 is refused where one of its sizes disagrees', async () => {
    for (const by of [-1, 1]) {
      await expectRefused({ reportSize: 0x4d4 + claims.byteLength + by });
      await expectRefused({ dataSize: 20 + claims.byteLength + by });
    }
  });

  it('HCL-02 is refused where it ends before the claims', async () => {
    for (const length of [0, 4, 0x20, 0x4c0, 0x4d3, 0x4d4, 0x4d4 + claims.byteLength - 1]) {
      await expectMalformed(
        verifyAzure({ ...genuine, hclReport: genuine.hclReport.subarray(0, length) }),
        'hcl_format',
        HCL_REPORT,
      );
    }
  });

  it.each([0, 2, 3, 4, 255])(
    'HCL-03 is refused with hash type %i, whatever the length of the digest',
    async (hashType) => {
      await expectRefused({ hashType }, 'hcl_hash_type');
      for (const hash of ['sha384', 'sha512']) {
        const reportData = new Uint8Array(64);
        reportData.set(createHash(hash).update(claims).digest());
        const evidence = vm.evidence({ nonce: NONCE, hcl: { hashType }, report: { fields: { reportData } } });
        await expectMalformed(verifyAzure(evidence), 'hcl_hash_type', HCL_REPORT);
      }
    },
  );

  it('HCL-03 is denied with the digest of another hash under type 1', async () => {
    for (const hash of ['sha384', 'sha512']) {
      const reportData = new Uint8Array(64);
      reportData.set(createHash(hash).update(claims).digest());
      const found = await verifyAzure(vm.evidence({ nonce: NONCE, report: { fields: { reportData } } }), {
        nonce: NONCE,
      });
      expectFailed(found, 'hcl_binding');
    }
  });

  it('HCL-04 is denied with non-zero bytes behind the digest', async () => {
    const genuineData = createHash('sha256').update(claims).digest();
    for (const index of [32, 33, 48, 63]) {
      const reportData = Uint8Array.from({ length: 64 }, (_, at) => genuineData[at] ?? (at === index ? 1 : 0));
      const found = await verifyAzure(vm.evidence({ nonce: NONCE, report: { fields: { reportData } } }), {
        nonce: NONCE,
      });
      expectFailed(found, 'hcl_binding');
      expect(found.claims.hcl).toBeUndefined();
      expect(found.claims.tpm).toBeUndefined();
    }
  });

  it.each([0, 1, 3, 4, 5, 6])('HCL-05 is refused with report type %i', async (reportType) => {
    await expectRefused({ reportType });
  });

  it('HCL-05, REQ-12 is refused where the type says SNP and the hardware report is a TDREPORT', async () => {
    const hardwareReport = new Uint8Array(1024);
    hardwareReport[0] = 0x81;
    await expectRefused({ hardwareReport });
  });

  it.each([0, 1, 3])('HCL-05 is refused with request type %i', async (requestType) => {
    await expectRefused({ requestType });
  });

  it.each([
    ['signature', { signature: Buffer.from('HCLB', 'ascii') }],
    ['version', { version: 3 }],
    ['status', { status: 1 }],
    ['reserved', { reserved: new Uint8Array(12).fill(1, 11) }],
    ['request data version', { requestDataVersion: 2 }],
  ])('HCL-01 is refused with another %s', async (_, hcl) => {
    await expectRefused(hcl);
  });
});

describe('parts of two virtual machines', () => {
  it('HCL-13 denies the report of one with the quote of the other', async () => {
    const other = await VirtualTpm.create();
    const tpmQuote = other.quote({ extraData: NONCE });
    const found = await verifyAzure({ ...genuine, tpmQuote }, { nonce: NONCE });
    expectFailed(found, 'tpm_signature');
    expect(found.claims.tpm).toBeUndefined();
    expect(idsWith(found, 'skipped')).toContain('tpm_pcr_digest');
  });

  it('lists the nonce as not looked at where it stood in a quote of another vTPM only', async () => {
    const tpmQuote = (await VirtualTpm.create()).quote({ extraData: NONCE });
    const { hclReport } = vm.evidence({ nonce: NONCE, claims: { userData: null } });
    const found = await verifyAzure({ ...genuine, hclReport, tpmQuote }, { nonce: NONCE });
    expectFailed(found, 'tpm_signature');
    expect(idsWith(found, 'skipped')).toContain('nonce_mismatch');
    expect(found.bound).toEqual([]);
  });

  it('HCL-13 denies the hardware report of one with the claims of the other', async () => {
    const other = await createVirtualMachine({ pki: PKI, platform: vm.platform });
    const hardwareReport = genuine.hclReport.subarray(0x20, 0x20 + 1184);
    const evidence = other.evidence({ nonce: NONCE, hcl: { hardwareReport } });
    const found = await verifyAzure(evidence, { nonce: NONCE });
    expectFailed(found, 'hcl_binding');
    expect(idsWith(found, 'skipped')).toContain('tpm_signature');
  });

  it.each([1, 2, 3, 0xffffffff])('SNP-10 denies a hardware report of VMPL %i', async (vmpl) => {
    const found = await verifyAzure(vm.evidence({ nonce: NONCE, report: { fields: { vmpl } } }), { nonce: NONCE });
    expectFailed(found, 'snp_vmpl');
    expect(found.claims.hcl).toBeUndefined();
    expect(found.claims.tpm).toBeUndefined();
  });
});
