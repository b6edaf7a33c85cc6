import { describe, expect, it } from 'vitest';
import { servedWith } from '../../../configured-lines.js';
import { formatErrorOf } from '../../../format-error-of.js';
import {
  amdName,
  type ConfigurableProduct,
  createSnpGuest,
  type SnpPlatformOptions,
  type SnpReportFields,
} from '../../../lab/index.js';
import { expectFailed, expectVerified, FOREIGN_PKI, failed, NONCE, PKI, snpVerifier, verifySnp } from '../fixture.js';

const SERVED = servedWith(PKI, 'Venice', 'Florence');

type Guest = Omit<SnpPlatformOptions, 'pki'>;

/** Verifies a guest's evidence where Venice and Florence are configured. */
function verify(options: Guest, fields: Partial<SnpReportFields> = {}, served = SERVED) {
  const guest = createSnpGuest({ pki: PKI, ...options });
  return verifySnp(guest.evidence({ nonce: NONCE, report: { fields } }), { nonce: NONCE, served });
}

describe('SEV-SNP reports of product lines of the configuration', () => {
  it.each([
    ['Venice', 'Venice', 'vcek'],
    ['Venice-Dense', 'Venice', 'vcek'],
    ['Venice', 'Venice', 'vlek'],
    ['Florence', 'Florence', 'vcek'],
    ['Florence', 'Florence', 'vlek'],
  ] as const)('verify: part %s of %s that signs with its %s', async (part, product, signingKey) => {
    for (const version of [3, 4, 5]) {
      const found = await verify({ part, signingKey, version });
      expectVerified(found);
      const hasFmc = product === 'Venice';
      expect(found.claims.snp).toMatchObject({ product, part });
      expect(found.claims.snp?.tcb.reported.fmc !== undefined).toBe(hasFmc);
    }
  });

  it('name an unknown part for a model that no part has', async () => {
    const found = await verify({ part: 'Venice' }, { cpuid: { family: 0x1a, model: 0x90, stepping: 0 } });
    expect(found.claims.snp).toMatchObject({ product: 'Venice', part: 'unknown' });
  });

  it('fail snp_product where the line is not configured and no key certificate comes', async () => {
    const guest = createSnpGuest({ pki: PKI, part: 'Venice' });
    const evidence = guest.evidence({ nonce: NONCE, endorsements: { vek: null } });
    const found = await verifySnp(evidence, { nonce: NONCE });
    expectFailed(found, 'snp_product');
    expect(found.checks.find(({ id }) => id === 'snp_product')?.expected).toEqual(['Milan', 'Genoa', 'Turin']);
  });

  it('SNP-25 fail cert_untrusted where the line is not configured and its certificates come', async () => {
    expectFailed(await verify({ part: 'Venice' }, {}, servedWith(PKI, 'Florence')), 'cert_untrusted');
  });

  it('SNP-25 fail cert_untrusted under a root of the right name and another key', async () => {
    const served = servedWith(FOREIGN_PKI, 'Venice');
    const pins = new Map([...SERVED.pins, ...served.pins].filter(([product]) => product !== 'Florence'));
    expect(failed(await verify({ part: 'Venice' }, {}, { lines: SERVED.lines, pins }))).toContain('cert_untrusted');
  });

  it('fail snp_product in version 2, which has no CPUID that could name the line', async () => {
    expectFailed(await verify({ part: 'Florence', version: 2 }), 'snp_product');
  });

  it('of version 2 ask for no endorsements of a configured line', () => {
    const guest = createSnpGuest({ pki: PKI, part: 'Florence', version: 2 });
    const evidence = guest.evidence({ nonce: NONCE, endorsements: { vek: null, chain: null } });
    const [need] = snpVerifier({ served: SERVED }).open(evidence).needs;
    expect(need).toMatchObject({ products: ['Milan', 'Genoa'] });
  });

  it.each([
    ['Milan', 'Florence'],
    ['Florence', 'Milan'],
    ['Genoa', 'Florence'],
    ['Florence', 'Genoa'],
    ['Turin', 'Venice'],
    ['Venice', 'Turin'],
  ])('SNP-17 fail snp_product: a processor of %s under a key of %s', async (part, under) => {
    const { cpuid } = createSnpGuest({ pki: PKI, part }).platform.reportFields();
    expect(failed(await verify({ part: under }, { cpuid }))).toContain('snp_product');
  });

  it.each(['Milan-B0', 'Florence', 'Venice2-A0', 'venice', 'Venic'])(
    'SNP-31 fail snp_product where the key certificate names %j under SEV-Venice',
    async (productName) => {
      expectFailed(await verify({ part: 'Venice', vcek: { productName } }), 'snp_product');
    },
  );

  it.each(['Venice', 'Venice-B1'])('SNP-31 twin: verify with the productName %s', async (productName) => {
    expectVerified(await verify({ part: 'Venice', vcek: { productName } }));
  });

  it('SNP-13 fail snp_chip_id where the chip id of a line with 8 bytes goes on after them', async () => {
    const chipId = Uint8Array.from({ length: 64 }, (_, index) => (index < 8 || index === 63 ? 5 : 0));
    expectFailed(await verify({ part: 'Venice', chipId }), 'snp_chip_id');
  });

  it('SNP-13 fail snp_chip_id where the certificate has 8 bytes on a line that has 64', async () => {
    const chipId = new Uint8Array(64).fill(9);
    const vcek = { chipId: chipId.subarray(0, 8) };
    expectFailed(await verify({ part: 'Florence', vcek, chipId }), 'snp_chip_id');
  });

  it('SNP-14 fail snp_tcb_cert for a certificate of another FMC', async () => {
    const tcb = { fmc: 1, bootloader: 3, tee: 1, snp: 5, microcode: 40 };
    expectFailed(await verify({ part: 'Venice', vcek: { tcb } }), 'snp_tcb_cert');
  });

  it('SNP-06 are refused as snp_reserved where TCB bytes are set that the layout of the line reserves', () => {
    const guest = createSnpGuest({ pki: PKI, part: 'Venice' });
    const launchTcb = Uint8Array.of(1, 1, 1, 1, 0, 0, 1, 1);
    const open = () =>
      snpVerifier({ served: SERVED }).open(guest.evidence({ nonce: NONCE, report: { fields: { launchTcb } } }));
    expect(formatErrorOf(open).code).toBe('snp_reserved');
  });

  it('SNP-22 fail snp_product_refused where the operator refuses the line', async () => {
    const guest = createSnpGuest({ pki: PKI, part: 'Venice' });
    const judging = { nonce: NONCE, served: SERVED, refuse: ['Venice'] };
    expectFailed(await verifySnp(guest.evidence({ nonce: NONCE }), judging), 'snp_product_refused');
  });

  it('SNP-27 fail cert_revoked where a CRL of their root lists the ASK', async () => {
    const serial = 0x040001;
    expectFailed(await verify({ part: 'Venice', crl: { revoked: [{ serial }] } }), 'cert_revoked');
  });
});

describe('a built-in product line beside configured ones', () => {
  const LINES: readonly ConfigurableProduct[] = ['Venice', 'Florence'];

  it.each(LINES)('SNP-25 has no key certificate below the root of %s, whatever that certifies', async (product) => {
    // The holder of the configured root issues an ASK of the name of Milan's, and a VCEK below it.
    const root = PKI.ark(product);
    const overrides = { signer: root.key, issuer: root.name };
    const issuer = PKI.issueIntermediate('Milan', 'vcek', overrides);
    const guest = createSnpGuest({ pki: PKI, part: 'Milan', vcek: { issuer } });
    const chain = issuer.pem + root.pem;
    const evidence = guest.evidence({ nonce: NONCE, endorsements: { chain } });
    const found = await verifySnp(evidence, { nonce: NONCE, served: SERVED });
    expectFailed(found, 'cert_untrusted');
    expect(found.claims).toEqual({});
  });

  it('SNP-25 is not verified under a configured root that has the name of its own', async () => {
    const root = PKI.issueRoot('Venice', { issuer: amdName('ARK-Milan'), subject: amdName('ARK-Milan') });
    const issuer = PKI.issueIntermediate('Milan', 'vcek', { signer: root.key, issuer: root.name });
    const guest = createSnpGuest({ pki: PKI, part: 'Milan', vcek: { issuer } });
    const evidence = guest.evidence({ nonce: NONCE, endorsements: { chain: issuer.pem + root.pem } });
    expectFailed(await verifySnp(evidence, { nonce: NONCE, served: SERVED }), 'cert_untrusted');
  });

  it('is not taken for a configured one: a Milan under a key of Florence has no claims', async () => {
    const { cpuid } = createSnpGuest({ pki: PKI, part: 'Milan' }).platform.reportFields();
    const found = await verify({ part: 'Florence' }, { cpuid });
    expectFailed(found, 'snp_product');
    expect(found.claims).toEqual({});
  });

  it('SNP-27 is not revoked by a CRL of a configured root with its serial numbers', async () => {
    const crls = [PKI.issueCrl({ product: 'Venice', revoked: [{ serial: 0x010001 }] })];
    const guest = createSnpGuest({ pki: PKI, part: 'Milan' });
    const evidence = guest.evidence({ nonce: NONCE, endorsements: { crls } });
    const found = await verifySnp(evidence, { nonce: NONCE, served: SERVED });
    expect(failed(found)).toEqual(['crl_invalid']);
  });

  it('SNP-27 fails crl_invalid for a CRL that a configured root signed in the name of its own', async () => {
    const issuer = { ...PKI.ark('Venice'), name: PKI.ark('Milan').name };
    const guest = createSnpGuest({ pki: PKI, part: 'Milan' });
    const crls = [guest.platform.crl, PKI.issueCrl({ product: 'Milan', number: 9, issuer })];
    const evidence = guest.evidence({ nonce: NONCE, endorsements: { crls } });
    expectFailed(await verifySnp(evidence, { nonce: NONCE, served: SERVED }), 'crl_invalid');
  });

  it('verifies as before', async () => {
    for (const part of ['Milan', 'Genoa-X', 'Turin-Dense']) {
      const found = await verify({ part });
      expectVerified(found);
      expect(found.claims.snp?.part).toBe(part);
    }
  });
});
