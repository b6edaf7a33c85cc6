import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../../../src/core/codes.js';
import type { AkCertificateInput } from '../../../../src/core/evidence.js';
import type { Verification } from '../../../../src/core/verification.js';
import type { AkRoots } from '../../../../src/tee/shared/attestation-key/ak-roots.js';
import {
  createAzureAkPki,
  createVirtualMachine,
  extendedKeyUsage,
  flipBit,
  type IssueAkOptions,
  keyUsage,
  octetString,
  pemOf,
  VirtualTpm,
} from '../../../lab/index.js';
import { ATTRIBUTE, nameOf } from '../../../lab/pki.js';
import { AT, expectFailed, expectMalformed, expectVerified, idsWith, NONCE, PKI, verifyAzure } from '../fixture.js';
import { azureTdxVerifier, TDX_VM, verifyAzureTdx } from './tdx-fixture.js';

const AK_PKI = createAzureAkPki({ at: AT });
const FOREIGN = createAzureAkPki({ at: AT, keys: 'foreign-azure-vtpm' });
/** Before any certificate of the lab was issued. */
const SINCE = new Date('2025-10-01T00:00:00Z');
const AZURE: AkRoots = { azure: AK_PKI.pins, configured: new Set(), paravisorsSince: SINCE };
const CONFIGURED: AkRoots = { azure: new Set(), configured: AK_PKI.pins, paravisorsSince: SINCE };
const KEY = TDX_VM.vtpm.publicJwk;
const DAY = 24 * 60 * 60_000;

const SNP_VM = await createVirtualMachine({ pki: PKI, vtpm: TDX_VM.vtpm });

interface AkJudging {
  readonly roots?: AkRoots;
  readonly mrtds?: readonly string[];
  readonly at?: Date;
}

/** An Azure VM on TDX whose paravisor nobody lists, unless said otherwise. */
function judge(ak: AkCertificateInput, { roots = AZURE, mrtds = [], at = AT }: AkJudging = {}): Promise<Verification> {
  const collateral = { at };
  return verifyAzureTdx(TDX_VM.evidence({ nonce: NONCE, ak, collateral }), { nonce: NONCE, akRoots: roots, mrtds, at });
}

const issued = (options: Partial<IssueAkOptions> = {}) => AK_PKI.certificate({ key: KEY, ...options });

async function expectDenied(ak: AkCertificateInput, ...ids: readonly CheckId[]): Promise<void> {
  const found = await judge(ak);
  expectFailed(found, ...ids);
  // Claims from the hardware stay as they are: the certificate adds and removes nothing.
  expect(found.claims.hcl?.paravisor).toEqual({ known: false, by: null });
  expect(found.claims.hcl?.vmConfiguration).toBeDefined();
}

const LEAF_PLACE = '/evidence/akCertificate';

/** The sentence of a check of the certificate. */
async function saidOf(ak: AkCertificateInput, id: CheckId): Promise<string | undefined> {
  return (await judge(ak)).checks.find((check) => check.id === id && check.about === LEAF_PLACE)?.detail;
}

describe('certificate of an attestation key', () => {
  it.each(['2026', '2025'] as const)('is relied on in the shape of %s, DER or PEM', async (shape) => {
    for (const pem of [false, true]) {
      const found = await judge(AK_PKI.certificate({ key: KEY, shape, pem }));
      expectVerified(found);
      const ends = found.endorsements.filter(({ kind }) => kind.startsWith('ak'));
      expect(ends.map(({ kind }) => kind)).toEqual(['ak', ...Array(shape === '2026' ? 3 : 2).fill('ak-ca')]);
      expect(new Set(ends.map(({ revocation }) => revocation))).toEqual(new Set(['not_applicable']));
    }
  });

  it('is relied on for an SNP machine as well', async () => {
    const evidence = SNP_VM.evidence({ nonce: NONCE, ak: issued() });
    const found = await verifyAzure(evidence, { nonce: NONCE, akRoots: AZURE });
    expectVerified(found);
    expect(found.claims.hcl?.paravisor).toEqual({ known: true, by: 'idKeyDigest' });
    expect(found.claims.hcl?.vmConfiguration).toBeDefined();
    expect(found.required).toEqual(expect.arrayContaining(['hcl_ak_mismatch', 'ak_cert_untrusted']));
  });

  it('is not asked for: a vTPM that is made anew at each boot may have none', async () => {
    const found = await verifyAzureTdx(TDX_VM.evidence({ nonce: NONCE }), { nonce: NONCE, akRoots: AZURE });
    expectVerified(found);
    expect(found.required).not.toContain('hcl_ak_mismatch');
    expect(found.checks.some(({ id }) => id === 'ak_cert_untrusted')).toBe(false);
  });

  it('ends the decision where it ends', async () => {
    const notAfter = new Date(AT.getTime() + 60_000);
    const found = await judge(issued({ overrides: { notAfter } }));
    expect(found.validUntil).toEqual(notAfter);
    const evidence = SNP_VM.evidence({ nonce: NONCE, ak: issued({ overrides: { notAfter } }) });
    expect((await verifyAzure(evidence, { nonce: NONCE, akRoots: AZURE })).validUntil).toEqual(notAfter);
  });

  it('ends the decision where its issuer ends, and not before where both end later', async () => {
    const notAfter = new Date(AT.getTime() + 60_000);
    const issuer = AK_PKI.issueAuthority('globalCa03', { notAfter });
    const chain = `${issuer.pem}${AK_PKI.authority('root').pem}`;
    expect((await judge(AK_PKI.certificate({ key: KEY, shape: '2025', chain }))).validUntil).toEqual(notAfter);
    const ofHardware = await verifyAzureTdx(TDX_VM.evidence({ nonce: NONCE }), { nonce: NONCE });
    expect((await judge(issued())).validUntil).toEqual(ofHardware.validUntil);
  });

  it('HCL-14 of another key than HCLAkPub is denied, on either TEE', async () => {
    const other = await VirtualTpm.create();
    const ak = AK_PKI.certificate({ key: other.publicJwk });
    await expectDenied(ak, 'hcl_ak_mismatch');
    expect(await saidOf(ak, 'hcl_ak_mismatch')).toBe(
      'the AK certificate is for another key than the runtime claims name',
    );
    const found = await verifyAzure(SNP_VM.evidence({ nonce: NONCE, ak }), { nonce: NONCE, akRoots: AZURE });
    expectFailed(found, 'hcl_ak_mismatch');
  });

  it('HCL-14 of a key that is no RSA key is denied', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const ak = AK_PKI.certificate({ key: Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })) });
    await expectDenied(ak, 'hcl_ak_mismatch', 'ak_cert_untrusted');
  });

  it('HCL-14 never replaces the binding to the hardware: its key is judged only where the report vouches for one', async () => {
    const evidence = TDX_VM.evidence({ nonce: NONCE, ak: issued(), td: { reportData: new Uint8Array(64) } });
    const found = await verifyAzureTdx(evidence, { nonce: NONCE, akRoots: AZURE });
    expectFailed(found, 'hcl_binding');
    expect(idsWith(found, 'skipped')).toContain('hcl_ak_mismatch');
    expect(idsWith(found, 'pass')).toContain('ak_cert_untrusted');
    expect(found.claims.hcl).toBeUndefined();
    const ofCertificate = found.checks.filter(({ about }) => about === '/evidence/akCertificate');
    expect(ofCertificate.map(({ id, result, detail }) => [id, result, detail])).toEqual([
      ['hcl_ak_mismatch', 'skipped', 'no verified report certifies the attestation key'],
      ['ak_cert_untrusted', 'pass', 'the certificate is an AK certificate, and its chain ends at a pinned root'],
      ['cert_validity', 'pass', 'the AK certificate and its chain are valid at the verification time'],
    ]);
    expect(found.endorsements.filter(({ kind }) => kind.startsWith('ak'))).toEqual([]);
  });
});

describe('path of an attestation key', () => {
  const chain = AK_PKI.chainPem();
  const blocks = chain.split(/(?=-----BEGIN)/);
  const [ca24 = '', ca2025 = '', root = ''] = blocks;

  it.each<[string, AkCertificateInput]>([
    ['no chain', AK_PKI.certificate({ key: KEY, chain: null })],
    ['a chain without root', AK_PKI.certificate({ key: KEY, chain: ca24 + ca2025 })],
    ['a chain without the issuer', AK_PKI.certificate({ key: KEY, chain: ca2025 + root })],
    ['a chain with a gap', AK_PKI.certificate({ key: KEY, chain: ca24 + root })],
    ['a chain in another order', AK_PKI.certificate({ key: KEY, chain: root + ca2025 + ca24 })],
    ['a root twice', AK_PKI.certificate({ key: KEY, chain: chain + root })],
    ['the leaf in the chain', AK_PKI.certificate({ key: KEY, chain: pemOf(AK_PKI.issueLeaf({ key: KEY })) + chain })],
    ['a chain that is too long', AK_PKI.certificate({ key: KEY, chain: ca24.repeat(9) + chain })],
    [
      'a chain that is too long whatever comes after its fifth certificate',
      AK_PKI.certificate({
        key: KEY,
        chain: `${ca24.repeat(5)}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      }),
    ],
    ['roots of others with the same names', FOREIGN.certificate({ key: KEY })],
    ['an issuer of others with the same name', AK_PKI.certificate({ key: KEY, issuer: FOREIGN.authority('ca24') })],
    ['the authority that has no right to issue so far down', issued({ issuer: AK_PKI.authority('root') })],
    ['no extended key usage', issued({ extensions: (all) => all.filter(({ oid }) => oid !== '2.5.29.37') })],
    ['other purposes', issued({ extendedKeyUsages: ['1.3.6.1.4.1.311.10.3.12', '2.23.133.8.1'] })],
    ['two extended key usages', issued({ extensions: (all) => [...all, extendedKeyUsage(['2.23.133.8.3'])] })],
    [
      'a key that signs nothing',
      issued({ extensions: (all) => all.map((e) => (e.oid === '2.5.29.15' ? keyUsage([]) : e)) }),
    ],
    [
      'an unknown critical extension',
      issued({ extensions: (all) => [...all, { oid: '1.2.3', critical: true, value: Uint8Array.of(5, 0) }] }),
    ],
    [
      'an extended key usage that cannot be read',
      issued({
        extensions: (all) => all.map((e) => (e.oid === '2.5.29.37' ? { ...e, value: Uint8Array.of(0x30, 1) } : e)),
      }),
    ],
  ])('is denied with %s', async (_, ak) => {
    await expectDenied(ak, 'ak_cert_untrusted');
    const ofPath = (await judge(ak)).checks.filter(({ id, about }) => id === 'cert_validity' && about === LEAF_PLACE);
    expect(ofPath.map(({ result }) => result)).toEqual(['skipped']);
  });

  it.each<[string, AkCertificateInput, string]>([
    ['no chain', AK_PKI.certificate({ key: KEY, chain: null }), 'no chain was sent with it'],
    [
      'a chain without the issuer',
      AK_PKI.certificate({ key: KEY, chain: ca2025 + root }),
      'issuer is not the subject of the next certificate (certificate 1 of the chain)',
    ],
    [
      'a chain without root',
      AK_PKI.certificate({ key: KEY, chain: ca24 + ca2025 }),
      'chain does not end at a pinned key (certificate 3 of the chain)',
    ],
    ['other purposes', issued({ extendedKeyUsages: ['2.23.133.8.1'] }), 'it is not marked as an AK certificate'],
  ])('says why it is not relied on: %s', async (_, ak, why) => {
    expect(await saidOf(ak, 'ak_cert_untrusted')).toBe(`the AK certificate cannot be relied on: ${why}`);
  });

  it.each(['ca24', 'ca2025', 'root'] as const)('is denied with a bit of the signature of %s changed', async (which) => {
    const { der } = AK_PKI.authority(which);
    const changed = pemOf(flipBit(der, der.byteLength - 1));
    const altered = blocks.map((block) => (block === AK_PKI.authority(which).pem ? changed : block)).join('');
    expect(altered).not.toBe(chain);
    await expectDenied(AK_PKI.certificate({ key: KEY, chain: altered }), 'ak_cert_untrusted');
  });

  it('is denied one second outside its dates, with cert_validity', async () => {
    const at = (ms: number) => new Date(AT.getTime() + ms);
    for (const overrides of [{ notAfter: at(-1000) }, { notBefore: at(1000) }]) {
      await expectDenied(issued({ overrides }), 'cert_validity');
    }
    expect(await saidOf(issued({ overrides: { notAfter: at(-1000) } }), 'cert_validity')).toMatch(
      /^2ede2d532aaf\.ConfidentialVM\.Azure\.windows\.net, serial [0-9a-f]+, was valid until 2026-06-01T11:59:59\.000Z$/,
    );
    for (const overrides of [{ notAfter: at(0) }, { notBefore: at(0) }])
      expectVerified(await judge(issued({ overrides })));
  });

  it('is denied where an authority has ended', async () => {
    const ended = AK_PKI.issueAuthority('ca24', { notAfter: new Date(AT.getTime() - DAY) });
    const ak = AK_PKI.certificate({ key: KEY, chain: ended.pem + ca2025 + root });
    await expectDenied(ak, 'cert_validity');
  });
});

const LARGE = { oid: '1.2.3.4', value: octetString(new Uint8Array(16_384)) };
const MANY_ARCS = ['1', '2', ...Array(31).fill('3')].join('.');

describe('form of an attestation key certificate', () => {
  const der = AK_PKI.issueLeaf({ key: KEY });
  const chain = AK_PKI.chainPem();
  const filledWith = (filling: Uint8Array): AkCertificateInput => ({
    certificate: { der: Uint8Array.from(Buffer.concat([der, filling])) },
    chain,
  });

  it('may have zeros behind it, as many as fill its NV index', async () => {
    for (const length of [0, 1, 4096]) expectVerified(await judge(filledWith(new Uint8Array(length))));
  });

  it('CRT-07 may be PEM with blank lines, 76 columns and zeros in its blocks, and so may its chain', async () => {
    const zeros = new Uint8Array(700);
    const filled = pemOf(Buffer.concat([der, zeros]));
    const wide = (pem: string) =>
      pem.replace(/(?<=-----\n)[^-]+(?=-----END)/g, (body) => {
        const columns = body.replaceAll('\n', '').match(/.{1,76}/g) ?? [];
        return `${columns.join('\r\n')}\n`;
      });
    const spaced = `\n${chain.replaceAll('-----BEGIN', '\r\n\n-----BEGIN')}\n\n`;
    for (const ak of [
      { certificate: { pem: filled }, chain: spaced },
      { certificate: { pem: wide(filled) }, chain: wide(spaced) },
    ]) {
      expectVerified(await judge(ak));
    }
    const other = pemOf(Buffer.concat([der, Uint8Array.of(0, 1)]));
    await expectMalformed(judge({ certificate: { pem: other }, chain }), 'cert_format', LEAF_PLACE);
  });

  it.each<[string, AkCertificateInput, string]>([
    ['more than 16 KiB of DER', issued({ extensions: (all) => [...all, LARGE] }), LEAF_PLACE],
    ['33 arcs', issued({ extensions: (all) => [...all, { oid: MANY_ARCS, value: Uint8Array.of(5, 0) }] }), LEAF_PLACE],
    ['line feeds as its chain', { certificate: { der }, chain: '\n'.repeat(770_000) }, '/evidence/akChain'],
    ['a chain of more than 32 KiB', { certificate: { der }, chain: chain.repeat(8) }, '/evidence/akChain'],
  ])('REQ-19 is malformed with %s', async (_, ak, pointer) => {
    await expectMalformed(judge(ak), 'cert_format', pointer);
  });

  it.each<[string, AkCertificateInput, string]>([
    ['anything else behind it', filledWith(Uint8Array.of(0, 0, 1)), LEAF_PLACE],
    ['another certificate behind it', filledWith(der), LEAF_PLACE],
    ['a byte missing', { certificate: { der: der.subarray(0, -1) }, chain }, LEAF_PLACE],
    ['nothing', { certificate: { der: new Uint8Array() }, chain }, LEAF_PLACE],
    ['zeros only', { certificate: { der: new Uint8Array(4096) }, chain }, LEAF_PLACE],
    ['a length of indefinite form', { certificate: { der: Uint8Array.of(0x30, 0x80, 0, 0) }, chain }, LEAF_PLACE],
    ['two blocks of PEM', { certificate: { pem: pemOf(der) + pemOf(der) }, chain }, LEAF_PLACE],
    ['zeros behind the PEM', { certificate: { pem: `${pemOf(der)}\0` }, chain }, LEAF_PLACE],
    ['a chain that is no PEM', { certificate: { der }, chain: 'AAAA' }, '/evidence/akChain'],
    ['an empty chain', { certificate: { der }, chain: '' }, '/evidence/akChain'],
    ['text after the chain', { certificate: { der }, chain: `${chain}x` }, '/evidence/akChain'],
  ])('is malformed with %s', async (_, ak, pointer) => {
    await expectMalformed(judge(ak), 'cert_format', pointer);
    const evidence = TDX_VM.evidence({ nonce: NONCE, ak });
    await expectMalformed((async () => azureTdxVerifier().open(evidence).needs)(), 'cert_format', pointer);
  });
});

describe('which paravisor, by the certificate of its key', () => {
  it('HCL-15 is known where Azure names a confidential VM, and its configuration is then no claim', async () => {
    const found = await judge(issued());
    expect(found.claims.hcl?.paravisor).toEqual({ known: true, by: 'akCertificate' });
    expect(found.claims.hcl).not.toHaveProperty('vmConfiguration');
    expect(found.withheldConfiguration).toMatchObject({ secureBoot: true });
  });

  it('HCL-17 is unknown by its certificate where the operator gave no date', async () => {
    const found = await judge(issued(), { roots: { ...AZURE, paravisorsSince: null } });
    expectVerified(found);
    expect(found.claims.hcl?.paravisor).toEqual({ known: false, by: null });
    expect(found.claims.hcl?.vmConfiguration).toMatchObject({ secureBoot: true });
  });

  it.each<[string, string, boolean]>([
    ['2026-05-25T12:00:00Z', '2026-05-26', false],
    ['2026-05-25T23:59:59Z', '2026-05-26', false],
    ['2026-05-26T00:00:00Z', '2026-05-26', true],
    ['2026-05-26T12:00:00Z', '2026-05-26', true],
    ['2026-05-27T00:00:00Z', '2026-05-26', true],
  ])('HCL-17 counts a certificate of %s from %s on: %s', async (notBefore, since, known) => {
    const ak = issued({ overrides: { notBefore: new Date(notBefore) } });
    const found = await judge(ak, { roots: { ...AZURE, paravisorsSince: new Date(since) } });
    expectVerified(found);
    expect(found.claims.hcl?.paravisor).toEqual({ known, by: known ? 'akCertificate' : null });
  });

  it('HCL-15 keeps its configuration where hardware knows the paravisor', async () => {
    const { claims, withheldConfiguration } = await judge(issued(), { mrtds: ['c4'.repeat(48)] });
    expect(claims.hcl?.paravisor).toEqual({ known: true, by: 'mrtd' });
    expect(claims.hcl?.vmConfiguration).toMatchObject({ secureBoot: true });
    expect(withheldConfiguration).toBeUndefined();
  });

  it('HCL-15 is unknown by the certificate of a Trusted Launch VM, on either TEE', async () => {
    const found = await judge(issued({ vm: 'TrustedVM' }));
    expectVerified(found);
    expect(found.claims.hcl?.paravisor).toEqual({ known: false, by: null });
    const impostor = await createVirtualMachine({
      pki: PKI,
      vtpm: TDX_VM.vtpm,
      report: { fields: { idKeyDigest: new Uint8Array(48) } },
    });
    for (const [vm, known] of [
      ['TrustedVM', false],
      ['ConfidentialVM', true],
    ] as const) {
      const evidence = impostor.evidence({ nonce: NONCE, ak: issued({ vm }) });
      const { claims } = await verifyAzure(evidence, { nonce: NONCE, akRoots: AZURE });
      expect(claims.hcl?.paravisor).toEqual({ known, by: known ? 'akCertificate' : null });
      expect(claims.hcl?.vmConfiguration === undefined).toBe(known);
    }
  });

  it.each([
    'ConfidentialVM.Azure.windows.net',
    'x.ConfidentialVM.Azure.windows.net.example',
    'x.confidentialvm.azure.windows.net',
    'xConfidentialVM.Azure.windows.net',
    'x.ConfidentialVM.Azure.windows.net.',
  ])('HCL-15 is unknown where the subject is %s', async (commonName) => {
    const found = await judge(issued({ commonName }));
    expectVerified(found);
    expect(found.claims.hcl?.paravisor).toEqual({ known: false, by: null });
  });

  it('HCL-15 is unknown where the subject has no name', async () => {
    const subject = nameOf([[ATTRIBUTE.organizationName, 'x.ConfidentialVM.Azure.windows.net']]);
    const found = await judge(issued({ overrides: { subject } }));
    expectVerified(found);
    expect(found.claims.hcl?.paravisor).toEqual({ known: false, by: null });
  });

  it('HCL-15 is unknown below a root that the operator added, which is trusted for keys alone', async () => {
    const found = await judge(issued(), { roots: CONFIGURED });
    expectVerified(found);
    expect(found.claims.hcl?.paravisor).toEqual({ known: false, by: null });
  });

  it('HCL-15 is unknown by a certificate of another key, or one that has ended', async () => {
    const other = await VirtualTpm.create();
    await expectDenied(AK_PKI.certificate({ key: other.publicJwk }), 'hcl_ak_mismatch');
    const ended = { overrides: { notAfter: new Date(AT.getTime() - 1000) } };
    await expectDenied(issued(ended), 'cert_validity');
  });
});
