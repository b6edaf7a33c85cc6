import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../../../src/core/codes.js';
import type { HashedDer } from '../../../../src/core/endorsement.js';
import { NO_ENDORSEMENTS } from '../../../../src/core/endorsement.js';
import type { Verification } from '../../../../src/core/verification.js';
import { hashed } from '../../../../src/crypto/digest.js';
import { AmdSnpReportVerifier } from '../../../../src/tee/snp/snp-report-verifier.js';
import { SnpVerifier } from '../../../../src/tee/snp/snp-verifier.js';
import {
  AMD_ALGORITHM,
  AMD_ARC,
  amdName,
  buildCertificateTable,
  createSnpGuest,
  ia5String,
  integer,
  type LabAlgorithm,
  type LabExtension,
  namedRsaKey,
  newEcKey,
  pemOf,
} from '../../../lab/index.js';
import {
  AT,
  expectFailed,
  expectMalformed,
  expectVerified,
  FOREIGN_PKI,
  idsWith,
  PKI,
  snpVerifier,
  verifySnp,
} from '../fixture.js';

const milan = createSnpGuest({ pki: PKI });
const vlek = createSnpGuest({ pki: PKI, signingKey: 'vlek' });
const { platform } = milan;

const VEK = '/evidence/endorsements/vek';
const CHAIN = '/evidence/endorsements/chain';
const OIDS = { bootloader: '3.1', tee: '3.2', snp: '3.3', microcode: '3.8', hwId: '4', cspId: '5' };

/** A guest of the platform whose VCEK has other extensions. */
function guestWith(change: (genuine: readonly LabExtension[]) => readonly LabExtension[]) {
  return createSnpGuest({ pki: PKI, vcek: { extensions: change } });
}

const without = (suffix: string) => guestWith((all) => all.filter(({ oid }) => oid !== `${AMD_ARC}.${suffix}`));
const twice = (suffix: string) =>
  guestWith((all) => [...all, ...all.filter(({ oid }) => oid === `${AMD_ARC}.${suffix}`)]);
const replaced = (suffix: string, value: Uint8Array) =>
  guestWith((all) => all.map((item) => (item.oid === `${AMD_ARC}.${suffix}` ? { ...item, value } : item)));

/** Nothing is claimed of a report whose key cannot be relied on, and none of its own checks ran. */
function expectNoClaims(found: Verification, ...ids: readonly CheckId[]): void {
  expectFailed(found, ...ids);
  expect(found.claims).toEqual({});
  expect(idsWith(found, 'skipped')).toContain('snp_signature');
}

describe('extensions of a VEK', () => {
  it.each([OIDS.bootloader, OIDS.tee, OIDS.snp, OIDS.microcode])('SNP-14 denies a VCEK without .%s', async (suffix) => {
    expectFailed(await verifySnp(without(suffix).evidence()), 'snp_tcb_cert');
  });

  it.each([OIDS.bootloader, OIDS.snp, OIDS.microcode])('SNP-14 denies a VCEK with .%s twice', async (suffix) => {
    expectNoClaims(await verifySnp(twice(suffix).evidence()), 'cert_extension');
  });

  it.each([
    ['negative', [0x02, 0x01, 0xdb]],
    ['256', [0x02, 0x02, 0x01, 0x00]],
    ['not minimal', [0x02, 0x02, 0x00, 0x18]],
    ['empty', [0x02, 0x00]],
    ['no INTEGER', [0x04, 0x01, 0x18]],
    ['followed by a byte', [0x02, 0x01, 0x18, 0x00]],
  ])('SNP-14 refuses a VCEK with an SPL that is %s', async (_, octets) => {
    const guest = replaced(OIDS.microcode, Uint8Array.from(octets));
    await expectMalformed(verifySnp(guest.evidence()), 'cert_format', VEK);
  });

  it('SNP-14 accepts 219 as 02 02 00 DB', async () => {
    const guest = replaced(OIDS.microcode, Uint8Array.of(0x02, 0x02, 0x00, 0xdb));
    const found = await verifySnp(guest.evidence());
    expectVerified(found);
    expect(found.claims.snp?.tcb.reported.microcode).toBe(219);
  });

  it('denies a Milan VCEK that has an FMC, which is of another layout', async () => {
    const guest = guestWith((all) => [...all, { oid: `${AMD_ARC}.3.9`, value: integer(0) }]);
    const found = await verifySnp(guest.evidence());
    expectFailed(found, 'snp_tcb_cert');
    expect(found.checks.find(({ id }) => id === 'snp_tcb_cert')?.detail).toMatch(/report names$/);
  });

  it('SNP-13 denies a VCEK without hwID, and one with a CSP id beside it', async () => {
    expectNoClaims(await verifySnp(without(OIDS.hwId).evidence()), 'snp_key_kind');
    const both = guestWith((all) => [...all, { oid: `${AMD_ARC}.${OIDS.cspId}`, value: ia5String('csp') }]);
    expectNoClaims(await verifySnp(both.evidence()), 'snp_key_kind');
  });

  it('SNP-13 denies a VCEK with hwID twice', async () => {
    expectNoClaims(await verifySnp(twice(OIDS.hwId).evidence()), 'cert_extension');
  });
});

describe('path of a VEK', () => {
  it('SNP-25 denies a chain that ends at an ARK with the right name and another key', async () => {
    const forger = createSnpGuest({ pki: FOREIGN_PKI });
    expectNoClaims(await verifySnp(forger.evidence({ endorsements: { crls: [] } })), 'cert_untrusted');
  });

  it.each(['vcek', 'vlek'] as const)(
    'SNP-25 names the ARK where the path of a %s ends at another',
    async (signingKey) => {
      const detail = 'chain does not end at a pinned key (certificate 3 of the chain, ARK)';
      const forger = createSnpGuest({ pki: FOREIGN_PKI, signingKey });
      const found = await verifySnp(forger.evidence({ endorsements: { crls: [] } }));
      expect(found.checks.find(({ id }) => id === 'cert_untrusted')).toMatchObject({ result: 'fail', detail });
    },
  );

  it('SNP-25 names the VCEK where it is not under the ASK that came with it', async () => {
    const [askOfGenoa, arkOfMilan] = [PKI.chainDer('Genoa')[0], PKI.chainDer('Milan')[1]];
    const found = await verifySnp(milan.evidence({ endorsements: { chain: pemOf(askOfGenoa, arkOfMilan) } }));
    expect(found.checks.filter(({ id }) => id === 'cert_untrusted').map(({ detail }) => detail)).toContain(
      'issuer is not the subject of the next certificate (certificate 1 of the chain, VCEK)',
    );
  });

  it("SNP-25 denies every root but AMD's own where nothing else is configured", async () => {
    const verifier = new SnpVerifier(new AmdSnpReportVerifier({ refuseProducts: new Set() }), new Map());
    const found = await verifier
      .open(milan.evidence())
      .verify({ at: AT, endorsements: NO_ENDORSEMENTS, binding: null });
    expectNoClaims(found, 'cert_untrusted');
  });

  it.each(['SEV-Milan-X', 'SEV-VLEK-Milan', 'sev-milan', 'ARK-Milan'])(
    'SNP-25 denies a VCEK whose issuer is named %s',
    async (name) => {
      const guest = createSnpGuest({ pki: PKI, vcek: { overrides: { issuer: amdName(name) } } });
      expectNoClaims(await verifySnp(guest.evidence()), 'cert_untrusted');
    },
  );

  it('SNP-25 denies a VCEK under the ASK of another product', async () => {
    const chain = PKI.chainPem('Genoa');
    const found = await verifySnp(milan.evidence({ endorsements: { chain } }));
    expectNoClaims(found, 'cert_untrusted');
    expect(found.checks.filter(({ result }) => result === 'fail')).toMatchObject([
      { expected: null, actual: 'Genoa', detail: 'the chain is for Genoa, the key certificate for Milan' },
    ]);
  });

  it('SNP-25 denies a VCEK of Genoa with the chain of Milan', async () => {
    const genoa = createSnpGuest({ pki: PKI, part: 'Genoa' });
    const found = await verifySnp(genoa.evidence({ endorsements: { chain: PKI.chainPem('Milan') } }));
    expectNoClaims(found, 'cert_untrusted');
    expect(found.checks.filter(({ result }) => result === 'fail')).toMatchObject([
      { actual: 'Milan', detail: 'the chain is for Milan, the key certificate for Genoa' },
    ]);
  });

  it('SNP-25 denies a Milan report whose VCEK the ASK of Genoa issued', async () => {
    const guest = createSnpGuest({ pki: PKI, vcek: { issuer: PKI.intermediate('Genoa', 'vcek') } });
    const crls = [PKI.issueCrl({ product: 'Genoa' })];
    expectFailed(
      await verifySnp(guest.evidence({ endorsements: { chain: PKI.chainPem('Genoa'), crls } })),
      'snp_product',
    );
  });

  it('SNP-25 denies a VCEK that an ASVK issued, and a VLEK that an ASK issued', async () => {
    const vcekByAsvk = createSnpGuest({ pki: PKI, vcek: { issuer: PKI.intermediate('Milan', 'vlek') } });
    const asvkChain = { chain: PKI.chainPem('Milan', 'vlek') };
    expectNoClaims(await verifySnp(vcekByAsvk.evidence({ endorsements: asvkChain })), 'cert_untrusted');
    const vlekByAsk = createSnpGuest({
      pki: PKI,
      signingKey: 'vlek',
      vlek: { issuer: PKI.intermediate('Milan', 'vcek') },
    });
    const askChain = { chain: PKI.chainPem('Milan', 'vcek') };
    expectNoClaims(await verifySnp(vlekByAsk.evidence({ endorsements: askChain })), 'cert_untrusted');
  });

  it('denies a VCEK with the right issuer name that another key signed', async () => {
    const guest = createSnpGuest({ pki: PKI, vcek: { overrides: { signer: namedRsaKey('amd-ask-Genoa') } } });
    expectNoClaims(await verifySnp(guest.evidence()), 'cert_signature');
  });

  const WEAK: readonly (readonly [string, LabAlgorithm])[] = [
    ['RSASSA-PSS with a salt of 20', { ...AMD_ALGORITHM, saltLength: 20 }],
    ['RSASSA-PSS with MGF1-SHA1', { ...AMD_ALGORITHM, mgfHash: 'sha1' }],
    ['RSASSA-PSS with SHA-256', { scheme: 'pss', hash: 'sha256', saltLength: 32 }],
    ['PKCS#1 v1.5', { scheme: 'pkcs1', hash: 'sha384' }],
  ];

  it.each(WEAK)('SNP-26 denies a VCEK signed with %s', async (_, algorithm) => {
    const guest = createSnpGuest({ pki: PKI, vcek: { overrides: { algorithm } } });
    expectNoClaims(await verifySnp(guest.evidence()), 'cert_algorithm');
  });

  it.each(WEAK)('SNP-26 denies an ASK signed with %s', async (_, algorithm) => {
    const ask = PKI.issueIntermediate('Milan', 'vcek', { algorithm });
    const chain = ask.pem + PKI.ark('Milan').pem;
    expectNoClaims(await verifySnp(milan.evidence({ endorsements: { chain } })), 'cert_algorithm');
  });

  it('SNP-26 denies a VCEK with a P-256 key', async () => {
    const guest = createSnpGuest({ pki: PKI, vcek: { key: newEcKey('prime256v1') } });
    const report = { key: platform.vek.key.privateKey };
    expectNoClaims(await verifySnp(guest.evidence({ report })), 'cert_algorithm');
  });

  it('denies a path one second after its end and one second before its begin', async () => {
    const overrides = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2026-07-01T00:00:00Z') };
    const guest = createSnpGuest({ pki: PKI, vcek: { overrides } });
    const judge = (at: string) => verifySnp(guest.evidence(), { at: new Date(at) });
    expectVerified(await judge('2026-07-01T00:00:00Z'));
    const ended = await judge('2026-07-01T00:00:01Z');
    expectNoClaims(ended, 'cert_validity');
    expect(ended.checks.find(({ id }) => id === 'cert_validity')).toMatchObject({
      expected: '2026-07-01T00:00:01.000Z',
      detail: expect.stringMatching(/./),
    });
    expectNoClaims(await judge('2025-12-31T23:59:59Z'), 'cert_validity');
  });
});

describe('certificates that are malformed or not at hand', () => {
  it.each([
    ['one certificate', PKI.ark('Milan').pem],
    ['three', PKI.chainPem('Milan') + PKI.ark('Milan').pem],
    ['the wrong order', PKI.ark('Milan').pem + PKI.intermediate('Milan', 'vcek').pem],
    ['two intermediates', PKI.intermediate('Milan', 'vcek').pem + PKI.intermediate('Milan', 'vlek').pem],
    ['text between them', `${PKI.intermediate('Milan', 'vcek').pem}x\n${PKI.ark('Milan').pem}`],
  ])('refuses a chain of %s', async (_, chain) => {
    await expectMalformed(verifySnp(milan.evidence({ endorsements: { chain } })), 'cert_chain', CHAIN);
  });

  it.each([
    ['cut short', { der: platform.vek.der.subarray(0, 400) }],
    ['followed by a byte', { der: Uint8Array.from([...platform.vek.der, 0]) }],
    ['two in PEM', { pem: platform.vek.pem + platform.vek.pem }],
  ])('refuses a key certificate that is %s', async (_, vek) => {
    await expectMalformed(verifySnp(milan.evidence({ endorsements: { vek } })), 'cert_format', VEK);
  });

  it('refuses a chain whose certificates cannot be read', async () => {
    const chain = pemOf(Uint8Array.of(0x30, 0x00), PKI.ark('Milan').der);
    await expectMalformed(verifySnp(milan.evidence({ endorsements: { chain } })), 'cert_format', CHAIN);
  });

  it('cannot judge with what a source holds and cannot be read', async () => {
    const held = platform.endorsementSet();
    const broken = { value: hashed(Uint8Array.of(0x30, 0x00)), origin: 'cache' } as const;
    const endorsements = held.snp === null ? held : { snp: { ...held.snp, vek: broken } };
    const evidence = milan.evidence({ endorsements: { vek: null, chain: null, crls: [] } });
    const found = await verifySnp(evidence, { endorsements });
    expectFailed(found);
    expect(idsWith(found, 'unavailable')).toEqual(['vcek_unavailable']);
    expect(found.checks.find(({ id }) => id === 'vcek_unavailable')?.retryable).toBe(true);
    expect(found.claims).toEqual({});
  });

  it('cannot judge with a chain that a source holds and cannot be read', async () => {
    const held = platform.endorsementSet();
    const broken = {
      value: [hashed(Uint8Array.of(0x30, 0x00)), hashed(PKI.ark('Milan').der)],
      origin: 'store',
    } as const;
    const endorsements = { snp: held.snp && { ...held.snp, chains: new Map([['Milan', broken]] as const) } };
    const found = await verifySnp(milan.evidence({ endorsements: { chain: null } }), { endorsements });
    expectFailed(found);
    expect(idsWith(found, 'unavailable')).toEqual(['vcek_unavailable']);
    expect(found.claims).toEqual({});
  });

  it('does not take a fault of its own for one of the certificates', async () => {
    const held = platform.endorsementSet();
    const broken = { value: null as unknown as HashedDer, origin: 'cache' } as const;
    const endorsements = { snp: held.snp && { ...held.snp, vek: broken } };
    const evidence = milan.evidence({ endorsements: { vek: null } });
    await expect(verifySnp(evidence, { endorsements })).rejects.toThrow(TypeError);
  });

  it('takes what the certificate table lacks for missing', async () => {
    const [ask, ark] = PKI.chainDer('Milan');
    const tables = [
      [['ask', ask] as const, ['ark', ark] as const],
      [['vcek', platform.vek.der] as const, ['ark', ark] as const],
      [['vcek', platform.vek.der] as const, ['ask', ask] as const],
    ];
    for (const contents of tables) {
      const certificateTable = buildCertificateTable(contents);
      const found = await verifySnp(milan.evidence({ endorsements: { vek: null, chain: null, certificateTable } }));
      expectFailed(found);
      expect(idsWith(found, 'unavailable')).toEqual(['vcek_unavailable']);
    }
  });

  it('SNP-11 denies a certificate table with a VLEK alone where the report says VCEK', async () => {
    const [ask, ark] = PKI.chainDer('Milan', 'vlek');
    const certificateTable = buildCertificateTable([
      ['vlek', vlek.platform.vek.der],
      ['ask', ask],
      ['ark', ark],
    ]);
    const evidence = milan.evidence({ endorsements: { vek: null, chain: null, certificateTable } });
    expectNoClaims(await verifySnp(evidence), 'snp_key_kind');
  });

  it('asks for nothing for a report that no key signed', () => {
    const keyInfo = { authorKeyEn: false, maskChipKey: false, signingKey: 7 };
    const endorsements = { vek: null, chain: null };
    const fields = { keyInfo };
    expect(snpVerifier().open(milan.evidence({ report: { fields }, endorsements })).needs).toEqual([]);
    expect(snpVerifier().open(milan.evidence({ endorsements })).needs).toHaveLength(1);
  });

  it('asks by the line that the key certificate of the request names, else by that of the report', () => {
    const genoa = createSnpGuest({ pki: PKI, part: 'Genoa' }).platform.vek;
    const productsFor = (vek: { readonly der: Uint8Array } | null) =>
      snpVerifier()
        .open(milan.evidence({ endorsements: { vek, chain: null } }))
        .needs.flatMap((request) => (request.kind === 'amd-snp' ? request.products : []));
    expect(productsFor(genoa)).toEqual(['Genoa']);
    expect(productsFor(null)).toEqual(['Milan']);
    const unnamed = createSnpGuest({ pki: PKI, vcek: { overrides: { issuer: amdName('SEV-Unknown') } } });
    expect(productsFor(unnamed.platform.vek)).toEqual(['Milan']);
  });

  it('cannot judge without key certificate, and without chain', async () => {
    for (const missing of [{ vek: null }, { chain: null }]) {
      const found = await verifySnp(milan.evidence({ endorsements: missing }));
      expectFailed(found);
      expect(found.checks.filter(({ result }) => result === 'unavailable')).toMatchObject([
        { id: 'vcek_unavailable', retryable: false },
      ]);
      expect(idsWith(found, 'skipped')).toContain('snp_signature');
    }
  });

  it('denies a report of no line that has a root, for which no key can be found', async () => {
    const fields = { cpuid: { family: 0x1a, model: 0x50, stepping: 0 } };
    const found = await verifySnp(milan.evidence({ report: { fields }, endorsements: { vek: null } }));
    expectNoClaims(found, 'snp_product');
    // Nothing has verified what the report says of its processor.
    expect(found.checks.find(({ id }) => id === 'snp_product')?.actual).toBeNull();
  });

  it('never replaces what the request brings', async () => {
    const other = createSnpGuest({ pki: PKI, chipId: new Uint8Array(64).fill(0x77) });
    const evidence = milan.evidence({ endorsements: other.platform.endorsements() });
    const found = await verifySnp(evidence, { endorsements: platform.endorsementSet() });
    expectFailed(found, 'snp_chip_id', 'snp_signature');
  });

  it('reads key certificate and chain of a VLEK alike', async () => {
    expectVerified(await verifySnp(vlek.evidence()));
  });
});
