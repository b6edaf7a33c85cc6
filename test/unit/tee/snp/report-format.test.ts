import { describe, it } from 'vitest';
import type { MalformedCode } from '../../../../src/core/codes.js';
import { type BytePatch, createSnpGuest, encodeSnpTcb, type ReportMaking } from '../../../lab/index.js';
import { expectFailed, expectMalformed, expectVerified, PKI, snpVerifier, verifySnp } from '../fixture.js';

const guests = new Map([2, 3, 4, 5].map((version) => [version, createSnpGuest({ pki: PKI, version })]));

function guest(version = 3) {
  const found = guests.get(version);
  if (found === undefined) throw new RangeError(`no guest with version ${version}`);
  return found;
}

/** The report is genuinely signed, whatever it says: what is refused is its form. */
async function expectRefused(report: ReportMaking, code: MalformedCode, version = 3): Promise<void> {
  const evidence = guest(version).evidence({ report });
  await expectMalformed(verifySnp(evidence), code, '/evidence/report');
  await expectMalformed((async () => snpVerifier().open(evidence).needs)(), code, '/evidence/report');
}

const byte = (offset: number, value = 1): readonly BytePatch[] => [{ offset, bytes: Uint8Array.of(value) }];

describe('form of an SEV-SNP report', () => {
  it.each([0, 1, 1183, 1185, 2368])('SNP-01 refuses %i bytes', async (length) => {
    const evidence = guest().evidence();
    const report = Uint8Array.from({ length }, (_, index) => evidence.report[index] ?? 0);
    await expectMalformed(verifySnp({ ...evidence, report }), 'snp_format', '/evidence/report');
  });

  it.each([0, 1, 6, 7, 0x02000000, 0xffffffff])('SNP-01 refuses version %i', async (version) => {
    await expectRefused({ fields: { version } }, 'snp_format');
  });

  it.each([0, 2, 0x101])('SNP-04 refuses signature algorithm %i', async (signatureAlgorithm) => {
    await expectRefused({ fields: { signatureAlgorithm } }, 'snp_format');
  });

  it.each([2, 3, 4, 5])('SNP-06 refuses reserved bytes of version %i that are not zero', async (version) => {
    const firstAfterCpuid = version === 2 ? 0x188 : 0x18b;
    const firstAtEnd = version < 5 ? 0x1f8 : 0x208;
    for (const offset of [0x04c, 0x04f, firstAfterCpuid, 0x19f, 0x1eb, 0x1ef, firstAtEnd, 0x29f]) {
      await expectRefused({ patches: byte(offset) }, 'snp_reserved', version);
    }
  });

  it('SNP-06 refuses fields of a later version in an older one', async () => {
    await expectRefused({ fields: { cpuid: { family: 0x19, model: 1, stepping: 1 } } }, 'snp_reserved', 2);
    await expectRefused({ fields: { mitigation: { launch: 0n, current: 1n } } }, 'snp_reserved', 4);
    await expectRefused({ fields: { mitigation: { launch: 1n, current: 0n } } }, 'snp_reserved', 3);
  });

  it.each([5, 8, 31])('SNP-06 refuses reserved bit %i of KEY_INFO', async (bit) => {
    await expectRefused({ fields: { keyInfo: 2 ** bit } }, 'snp_reserved');
  });

  it.each(['currentTcb', 'committedTcb', 'reportedTcb', 'launchTcb'] as const)(
    'SNP-06 refuses reserved bytes of %s that are not zero',
    async (field) => {
      const tcb = guest().platform.reportFields()[field];
      for (const index of [2, 3, 4, 5]) {
        const changed = Uint8Array.from(tcb);
        changed[index] = 1;
        await expectRefused({ fields: { [field]: changed } }, 'snp_reserved');
      }
      // A version 2 report does not say which layout it has: only what both reserve is known to be.
      await expectRefused({ fields: { [field]: Uint8Array.from(tcb).fill(1, 4, 5) } }, 'snp_reserved', 2);
    },
  );

  it('SNP-09 refuses POLICY with bit 17 clear', async () => {
    await expectRefused({ fields: { policy: 0x1001fn } }, 'snp_policy');
  });

  it.each([26, 40, 63])('SNP-09 refuses undefined bit %i of POLICY', async (bit) => {
    await expectRefused({ fields: { policy: 0x3001fn | (1n << BigInt(bit)) } }, 'snp_policy');
  });

  it('SNP-09 accepts POLICY bits 20 to 25, which have a meaning', async () => {
    expectVerified(await verifySnp(guest().evidence({ report: { fields: { policy: 0x3f3001fn } } })));
  });

  it.each([2, 3, 4, 5, 6])('SNP-11 refuses signing key %i', async (signingKey) => {
    const keyInfo = { authorKeyEn: false, maskChipKey: false, signingKey };
    await expectRefused({ fields: { keyInfo } }, 'snp_format');
  });

  it('SNP-17 refuses the TCB layout of Turin in a report that says Milan', async () => {
    const launchTcb = encodeSnpTcb({ fmc: 1, bootloader: 1, tee: 1, snp: 3, microcode: 71 }, 'Turin');
    await expectRefused({ fields: { launchTcb } }, 'snp_reserved');
  });

  it('SNP-17 denies the TCB layout of Turin in a version 2 report under a key of Milan', async () => {
    const launchTcb = encodeSnpTcb({ fmc: 1, bootloader: 1, tee: 1, snp: 3, microcode: 71 }, 'Turin');
    expectFailed(await verifySnp(guest(2).evidence({ report: { fields: { launchTcb } } })), 'snp_product');
  });
});
