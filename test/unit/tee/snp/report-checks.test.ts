import { describe, expect, it } from 'vitest';
import type { Check } from '../../../../src/core/check.js';
import type { SnpTcb } from '../../../../src/core/claims.js';
import type { CheckId } from '../../../../src/core/codes.js';
import type { Verification } from '../../../../src/core/verification.js';
import {
  AMD_ARC,
  createSnpGuest,
  encodeSnpTcb,
  type LabExtension,
  P384_ORDER,
  SNP_PROCESSORS,
  type SnpPlatform,
  type SnpReportFields,
  withSnpSignature,
} from '../../../lab/index.js';
import { expectFailed, expectVerified, idsWith, NONCE, PKI, verifySnp } from '../fixture.js';

const milan = createSnpGuest({ pki: PKI });
const turin = createSnpGuest({ pki: PKI, part: 'Turin' });
const vlek = createSnpGuest({ pki: PKI, signingKey: 'vlek' });

/** The one check with an id. */
function only(found: Verification, id: CheckId): Check {
  const [check, ...more] = found.checks.filter((candidate) => candidate.id === id);
  if (check === undefined || more.length > 0) throw new Error(`not exactly one check ${id}`);
  return check;
}

function verifyWith(fields: Partial<SnpReportFields>, guest = milan) {
  return verifySnp(guest.evidence({ report: { fields } }));
}

const keyInfo = (info: Partial<Exclude<SnpReportFields['keyInfo'], number>>) => ({
  keyInfo: { authorKeyEn: false, maskChipKey: false, signingKey: 0, ...info },
});

describe('signature of the report', () => {
  it.each([
    ['r', 0n],
    ['r', P384_ORDER],
    ['r', P384_ORDER + 1n],
    ['r', 2n ** 384n - 1n],
    ['s', 0n],
    ['s', P384_ORDER],
    ['s', P384_ORDER + 1n],
    ['s', 2n ** 384n - 1n],
  ])('SNP-04 denies %s of %i', async (part, value) => {
    const report = { afterSigning: (bytes: Uint8Array) => withSnpSignature(bytes, { [part]: value }) };
    expectFailed(await verifySnp(milan.evidence({ report })), 'snp_signature');
  });

  it('skips what rests on it, and has no claims', async () => {
    const report = { key: turin.platform.vek.key.privateKey };
    const found = await verifySnp(milan.evidence({ nonce: NONCE, report }), { nonce: NONCE });
    expectFailed(found, 'snp_signature');
    expect(idsWith(found, 'skipped')).toEqual([
      'snp_debug',
      'snp_migration_agent',
      'snp_tcb_order',
      'snp_id_key',
      'nonce_mismatch',
    ]);
    expect(found.claims).toEqual({});
    expect(found.endorsements).toEqual([]);
    expect(found.bound).toEqual([]);
  });
});

describe('fields that no policy can ask for less of', () => {
  it('SNP-07 denies a guest that the host may debug', async () => {
    const found = await verifyWith({ policy: 0xb001fn });
    expectFailed(found, 'snp_debug');
    expect(only(found, 'snp_debug')).toMatchObject({ expected: false, actual: true });
  });

  it('SNP-08 denies a guest that a migration agent may move', async () => {
    const found = await verifyWith({ policy: 0x7001fn });
    expectFailed(found, 'snp_migration_agent');
    expect(only(found, 'snp_migration_agent')).toMatchObject({ expected: false, actual: true });
  });

  it('SNP-08 denies a REPORT_ID_MA that is not all ones', async () => {
    const reportIdMa = new Uint8Array(32).fill(0xff);
    reportIdMa[31] = 0xfe;
    expectFailed(await verifyWith({ reportIdMa }), 'snp_migration_agent');
    expectFailed(await verifyWith({ reportIdMa: new Uint8Array(32) }), 'snp_migration_agent');
  });

  it('SNP-23 denies an author key digest that no key stands behind', async () => {
    const authorKeyDigest = new Uint8Array(48);
    authorKeyDigest[47] = 1;
    expectFailed(await verifyWith({ authorKeyDigest }), 'snp_id_key');
  });

  it('SNP-23 accepts an author key digest with AUTHOR_KEY_EN', async () => {
    const found = await verifyWith({ authorKeyDigest: new Uint8Array(48).fill(7), ...keyInfo({ authorKeyEn: true }) });
    expectVerified(found);
    expect(found.claims.snp).toMatchObject({ authorKeyEnabled: true, authorKeyDigest: '07'.repeat(48) });
  });
});

describe('kind of the key', () => {
  it('SNP-11 denies a VCEK where the report says VLEK', async () => {
    const { keyInfo: saysVlek } = keyInfo({ signingKey: 1 });
    expectFailed(await verifyWith({ keyInfo: saysVlek }), 'snp_key_kind');
  });

  it('SNP-11 denies a VLEK where the report says VCEK', async () => {
    expectFailed(await verifyWith(keyInfo({ signingKey: 0 }), vlek), 'snp_key_kind');
  });

  it('SNP-11 denies a report that no key signed', async () => {
    const found = await verifyWith(keyInfo({ signingKey: 7 }));
    expectFailed(found, 'snp_key_kind');
    expect(idsWith(found, 'pass')).toEqual([]);
  });

  it('SNP-11 denies a report that no key signed whatever comes with it, also where nothing does', async () => {
    const report = { fields: keyInfo({ signingKey: 7 }) };
    for (const endorsements of [{ vek: null, chain: null }, { vek: { der: Uint8Array.of(0x30, 0x00) } }]) {
      const found = await verifySnp(milan.evidence({ report, endorsements }));
      expectFailed(found, 'snp_key_kind');
      expect(idsWith(found, 'unavailable')).toEqual([]);
    }
  });
});

describe('chip of the key', () => {
  it('SNP-12 denies MASK_CHIP_KEY', async () => {
    expectFailed(await verifyWith(keyInfo({ maskChipKey: true })), 'snp_chip_id');
    expectFailed(await verifyWith(keyInfo({ maskChipKey: true, signingKey: 1 }), vlek), 'snp_chip_id');
  });

  it('SNP-12 denies a chip id of zero with a VCEK, even where the certificate says zero too', async () => {
    expectFailed(await verifyWith({ chipId: new Uint8Array(64) }), 'snp_chip_id');
    const zero = createSnpGuest({ pki: PKI, chipId: new Uint8Array(64) });
    expectFailed(await verifySnp(zero.evidence()), 'snp_chip_id');
  });

  it('SNP-12 accepts a chip id of zero with a VLEK, which is bound to no chip', async () => {
    expectVerified(await verifyWith({ chipId: new Uint8Array(64) }, vlek));
  });

  it('SNP-13 denies a VCEK of another chip that signs all the same', async () => {
    const found = await verifyWith({ chipId: new Uint8Array(64).fill(0x77) });
    expectFailed(found, 'snp_chip_id');
    expect(only(found, 'snp_chip_id')).toMatchObject({
      expected: Buffer.from(milan.platform.chipId).toString('hex'),
      actual: '77'.repeat(64),
    });
  });

  it('says of which chip the key is, and of a VLEK that it is of none', async () => {
    const chipId = Buffer.from(vlek.platform.chipId).toString('hex');
    expect(only(await verifySnp(milan.evidence()), 'snp_chip_id')).toMatchObject({
      expected: chipId,
      actual: chipId,
      detail: 'the key certificate is for the chip that the report names',
    });
    expect(only(await verifySnp(vlek.evidence()), 'snp_chip_id')).toMatchObject({
      expected: null,
      actual: chipId,
      detail: 'a VLEK is not bound to a chip',
    });
  });

  it('SNP-13 denies a VCEK of another chip and TCB for all that it is not', async () => {
    const other = createSnpGuest({
      pki: PKI,
      chipId: new Uint8Array(64).fill(0x77),
      tcb: { bootloader: 3, tee: 0, snp: 8, microcode: 115 },
    });
    const evidence = milan.evidence({ endorsements: other.platform.endorsements() });
    const found = await verifySnp(evidence);
    expectFailed(found, 'snp_chip_id', 'snp_tcb_cert', 'snp_signature');
    // The signature does not hold: what the report says is not shown, in no check.
    for (const id of ['snp_product', 'snp_chip_id', 'snp_tcb_cert'] as const) {
      expect(only(found, id)).toMatchObject({ expected: null, actual: null });
    }
  });

  it.each([0, 8, 63, 65])('SNP-13 denies a hwID of %i bytes', async (length) => {
    const chipId = Uint8Array.from({ length }, (_, index) => milan.platform.chipId[index] ?? 1);
    const guest = createSnpGuest({ pki: PKI, vcek: { chipId } });
    expectFailed(await verifySnp(guest.evidence()), 'snp_chip_id');
  });

  it('SNP-13 denies a Turin chip id with bytes behind the first eight, and another one', async () => {
    for (const index of [0, 8, 63]) {
      const chipId = Uint8Array.from(turin.platform.chipId);
      chipId[index] = (chipId[index] ?? 0) ^ 1;
      expectFailed(await verifyWith({ chipId }, turin), 'snp_chip_id');
    }
  });
});

describe('TCB of the key', () => {
  const components = ['bootloader', 'tee', 'snp', 'microcode'] as const;

  it.each(components)('SNP-14 denies a VCEK whose %s is not the reported one', async (component) => {
    for (const by of [1, -1]) {
      const value = milan.platform.tcb[component] + by;
      if (value < 0) continue;
      const tcb: SnpTcb = { ...milan.platform.tcb, [component]: value };
      const found = await verifySnp(createSnpGuest({ pki: PKI, vcek: { tcb } }).evidence());
      expectFailed(found, 'snp_tcb_cert');
      expect(only(found, 'snp_tcb_cert').detail).toMatch(new RegExp(` names: ${component}$`));
    }
  });

  it('SNP-14 denies a Turin VCEK whose FMC is not the reported one', async () => {
    const tcb: SnpTcb = { ...turin.platform.tcb, fmc: 2 };
    const guest = createSnpGuest({ pki: PKI, part: 'Turin', vcek: { tcb } });
    expectFailed(await verifySnp(guest.evidence()), 'snp_tcb_cert');
  });

  it('SNP-14 denies a VLEK for another TCB', async () => {
    const tcb: SnpTcb = { ...vlek.platform.tcb, snp: 23 };
    const guest = createSnpGuest({ pki: PKI, signingKey: 'vlek', vlek: { tcb } });
    expectFailed(await verifySnp(guest.evidence()), 'snp_tcb_cert');
  });

  const HIGH: SnpTcb = { bootloader: 4, tee: 1, snp: 24, microcode: 219 };
  const HIGH_TURIN: SnpTcb = { fmc: 1, bootloader: 1, tee: 1, snp: 3, microcode: 71 };

  const encoded = (platform: SnpPlatform, tcb: SnpTcb) => encodeSnpTcb(tcb, platform.product);

  it.each(['fmc', ...components] as const)(
    'SNP-15 denies a %s out of order, the others in order',
    async (component) => {
      const high = component === 'fmc' ? HIGH_TURIN : HIGH;
      const guest = createSnpGuest({ pki: PKI, part: component === 'fmc' ? 'Turin' : 'Milan', tcb: high });
      const low = encoded(guest.platform, { ...high, [component]: (high[component] ?? 0) - 1 });
      expectVerified(await verifySnp(guest.evidence()));
      const uncommitted = await verifyWith({ committedTcb: low }, guest);
      expectFailed(uncommitted, 'snp_tcb_order');
      expect(only(uncommitted, 'snp_tcb_order').detail).toBe(
        `the TCB versions are not in order: ${component} is reported above committed`,
      );
      const notRunning = await verifyWith({ currentTcb: low }, guest);
      expectFailed(notRunning, 'snp_tcb_order');
      expect(only(notRunning, 'snp_tcb_order').detail).toBe(
        `the TCB versions are not in order: ${component} is committed above current`,
      );
    },
  );

  it('SNP-15 denies one component out of order although a more significant one is far ahead', async () => {
    const committedTcb = encodeSnpTcb({ bootloader: 3, tee: 0, snp: 255, microcode: 255 }, 'Milan');
    const currentTcb = encodeSnpTcb({ bootloader: 255, tee: 255, snp: 255, microcode: 255 }, 'Milan');
    const found = await verifyWith({ committedTcb, currentTcb });
    expectFailed(found, 'snp_tcb_order');
    expect(only(found, 'snp_tcb_order').detail).toBe(
      'the TCB versions are not in order: bootloader is reported above committed',
    );
  });

  it('SNP-15 accepts COMMITTED below CURRENT, which real machines have', async () => {
    const currentTcb = encodeSnpTcb({ bootloader: 5, tee: 0, snp: 25, microcode: 220 }, 'Milan');
    expectVerified(await verifyWith({ currentTcb }));
  });
});

describe('a report that is not of its key', () => {
  it.each([
    ['snp_chip_id', { chipId: new Uint8Array(64).fill(0x77) }],
    ['snp_tcb_cert', { reportedTcb: encodeSnpTcb({ bootloader: 3, tee: 0, snp: 24, microcode: 219 }, 'Milan') }],
    ['snp_product', { cpuid: SNP_PROCESSORS.Genoa.cpuid }],
  ] as const)('gives no claims and binds nothing, for %s', async (id, fields) => {
    const found = await verifySnp(milan.evidence({ nonce: NONCE, report: { fields } }), { nonce: NONCE });
    expectFailed(found, id);
    expect(found.claims).toEqual({});
    expect(found.bound).toEqual([]);
    expect(idsWith(found, 'skipped')).toEqual(['nonce_mismatch']);
  });
});

describe('product line', () => {
  it('SNP-17 denies a report of Genoa under a key of Milan', async () => {
    expectFailed(await verifyWith({ cpuid: SNP_PROCESSORS.Genoa.cpuid }), 'snp_product');
  });

  it('SNP-17 denies a processor of no line that has a root', async () => {
    expectFailed(await verifyWith({ cpuid: { family: 0x1a, model: 0x50, stepping: 0 } }), 'snp_product');
  });

  it.each(['Genoa-B1', 'Cookie-B0', 'milan-B0', 'MilanB0', 'Siena', 'Turin'])(
    'SNP-31 denies a VCEK that names %s under the ASK of Milan',
    async (productName) => {
      const found = await verifySnp(createSnpGuest({ pki: PKI, vcek: { productName } }).evidence());
      expectFailed(found, 'snp_product');
      expect(only(found, 'snp_product')).toMatchObject({ expected: 'Milan', actual: productName });
      expect(found.claims).toEqual({});
    },
  );

  it('SNP-31 denies a VCEK without a product name', async () => {
    const extensions = (genuine: readonly LabExtension[]) => genuine.filter(({ oid }) => oid !== `${AMD_ARC}.2`);
    expectFailed(await verifySnp(createSnpGuest({ pki: PKI, vcek: { extensions } }).evidence()), 'snp_product');
  });

  it('SNP-31 denies a VLEK that names another line than its ASVK', async () => {
    const guest = createSnpGuest({ pki: PKI, signingKey: 'vlek', vlek: { productName: 'Genoa' } });
    expectFailed(await verifySnp(guest.evidence()), 'snp_product');
  });

  it.each(['Milan-B0', 'Milan-B1', 'Milan-A0', 'Milan'])('SNP-31 accepts a VCEK that names %s', async (productName) => {
    expectVerified(await verifySnp(createSnpGuest({ pki: PKI, vcek: { productName } }).evidence()));
  });

  it.each(['Genoa-B1', 'Siena-B1', 'Bergamo'])('SNP-31 accepts %s under the ASK of Genoa', async (productName) => {
    const guest = createSnpGuest({ pki: PKI, part: 'Bergamo-Siena', vcek: { productName } });
    expectVerified(await verifySnp(guest.evidence()));
  });

  it('SNP-17 tells Milan-X from Milan, whose microcode numbers differ', async () => {
    const found = await verifyWith({ cpuid: SNP_PROCESSORS['Milan-X'].cpuid });
    expectVerified(found);
    expect(found.claims.snp?.part).toBe('Milan-X');
  });

  it('SNP-17 calls a model of a known line that is no known part unknown', async () => {
    const found = await verifyWith({ cpuid: { family: 0x19, model: 0x08, stepping: 1 } });
    expectVerified(found);
    expect(found.claims.snp).toMatchObject({ product: 'Milan', part: 'unknown' });
  });

  it('SNP-22 denies a product line that the operator refuses, at any TCB', async () => {
    const found = await verifySnp(milan.evidence(), { refuse: ['Milan'] });
    expectFailed(found, 'snp_product_refused');
  });

  it('SNP-22 accepts the lines that the operator does not refuse', async () => {
    expectVerified(await verifySnp(turin.evidence(), { refuse: ['Milan'] }));
  });
});
