import { describe, expect, it } from 'vitest';
import type { TdQuoteVerification } from '../../../../src/tee/shared/evidence/parts.js';
import { DcapTdQuoteVerifier } from '../../../../src/tee/tdx/td-quote-verifier.js';
import { integer, octetString } from '../../../lab/der-writer.js';
import type { IntelAuthority, IssuePckOptions } from '../../../lab/intel-pki.js';
import { intelName } from '../../../lab/intel-pki.js';
import { ATTRIBUTE, nameOf } from '../../../lab/pki.js';
import { SGX_EXTENSION_OID, type SgxItem } from '../../../lab/sgx-extension-builder.js';
import {
  ABOUT,
  AT,
  expectFailed,
  expectMalformed,
  expectVerified,
  FOREIGN_PKI,
  HOUR_MS,
  idsWith,
  newVerifier,
  PKI,
  PLATFORM,
  platformOf,
  verify,
} from './fixture.js';

const withPck = (pck: Partial<IssuePckOptions>) => verify({ platform: platformOf({ pck }) });
const oid = (arc: string) => `${SGX_EXTENSION_OID}.${arc}`;
const exchanged = (items: readonly SgxItem[], a: number, b: number) =>
  items.map((item, index) => items[index === a ? b : index === b ? a : index] ?? item);
const replaced = (arc: string, value: Uint8Array) => (items: readonly SgxItem[]) =>
  items.map((item) => (item.oid === oid(arc) ? { ...item, value } : item));
const UNREADABLE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const platformCa = PKI.pckCa('platform');
const ofRoot = <T extends { readonly pem: string }>(pck: T) => [pck, pck.pem + PKI.root.pem] as const;

describe('PCK certificate', () => {
  it.each(['platform', 'processor'] as const)('TDX-19 verifies one of the %s CA', async (ca) => {
    expectVerified(await verify({ platform: platformOf({ ca }) }));
  });

  it('TDX-19 denies one that names the other CA than signed it', async () => {
    const issuer = { ...PKI.pckCa('processor'), key: platformCa.key };
    const found = await withPck({ issuer });
    expectFailed(found, 'cert_signature');
    expect(found.claims).toBeNull();
    expect(found.reportData).toBeNull();
  });

  it('TDX-19 denies one under the wrong CA: only the Platform CA names an instance', async () => {
    expectFailed(await withPck({ fields: { platform: null } }), 'cert_extension');
    const genuine = { instanceId: new Uint8Array(16), dynamic: true, cachedKeys: true, smt: true };
    const pck = { fields: { platform: genuine } };
    expectFailed(await verify({ platform: platformOf({ ca: 'processor', pck }) }), 'cert_extension');
  });

  it('TDX-19 denies one without the SGX extension, and one with it twice', async () => {
    const isSgx = ({ oid: id }: { readonly oid: string }) => id === SGX_EXTENSION_OID;
    expectFailed(await withPck({ extensions: (all) => all.filter((one) => !isSgx(one)) }), 'cert_extension');
    expectFailed(await withPck({ extensions: (all) => [...all, ...all.filter(isSgx)] }), 'cert_extension');
    const platform = platformOf({ pck: { extensions: (all) => all.filter((one) => !isSgx(one)) } });
    expect(newVerifier().open(platform.quote(), null, ABOUT).needs).toEqual([]);
  });

  it.each<[string, Partial<IssuePckOptions>]>([
    ['PPID of 15 bytes', { fields: { ppid: new Uint8Array(15) } }],
    ['PPID of 17 bytes', { fields: { ppid: new Uint8Array(17) } }],
    ['CPUSVN of 15 bytes', { fields: { cpuSvn: new Uint8Array(15) } }],
    ['FMSPC of 5 bytes', { fields: { fmspc: new Uint8Array(5) } }],
    ['PCEID of 3 bytes', { fields: { pceId: new Uint8Array(3) } }],
    ['SGX type 3', { fields: { sgxType: 3 } }],
    ['15 components', { fields: { svns: new Array(15).fill(1) } }],
    ['17 components', { fields: { svns: new Array(17).fill(1) } }],
    ['two components in the wrong order', { tcbItems: (items) => exchanged(items, 0, 1) }],
    ['two items in the wrong order', { items: (items) => exchanged(items, 2, 3) }],
    ['a component twice', { tcbItems: (items) => [...items.slice(0, 1), ...items] }],
    ['an item twice', { items: (items) => [...items.slice(0, 1), ...items] }],
    ['a component of 256', { tcbItems: replaced('2.1', integer(256)) }],
    ['a negative component', { tcbItems: replaced('2.1', integer(-1)) }],
    ['a PCESVN of 65536', { tcbItems: replaced('2.17', integer(65536)) }],
    ['a component that is no INTEGER', { tcbItems: replaced('2.1', octetString(Uint8Array.of(1))) }],
    ['an item that nobody knows', { items: (items) => [...items, { oid: oid('8'), value: integer(1) }] }],
    ['no FMSPC', { items: (items) => items.filter((item) => item.oid !== oid('4')) }],
  ])('TDX-19 refuses one with %s', async (_, pck) => {
    await expectMalformed(withPck(pck), 'cert_format', '/evidence/quote');
  });

  it('denies a path that ends at a root with the right name and another key', async () => {
    const platform = platformOf({ pki: FOREIGN_PKI });
    expectFailed(await verify({ platform, endorsements: { snp: null } }), 'cert_untrusted');
  });

  it.each([
    ['leaf alone', PLATFORM.pck.pem],
    ['root first', PKI.root.pem + platformCa.pem + PLATFORM.pck.pem],
    ['four', PLATFORM.pck.pem + platformCa.pem + PKI.root.pem + PKI.root.pem],
    ['four, of which the last cannot be read', PLATFORM.pck.chainPem + UNREADABLE],
    ['more of what cannot be read than there may be', UNREADABLE.repeat(4)],
    ['root twice', PLATFORM.pck.pem + PKI.root.pem + PKI.root.pem],
    ['root at both ends', PKI.root.pem + platformCa.pem + PKI.root.pem],
    ['nothing but a block that is empty', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'],
  ])('CRT-07 refuses a chain that is: %s', async (_, pckChain) => {
    await expectMalformed(verify({ quote: { pckChain } }), 'cert_chain', '/evidence/quote');
  });

  it('is valid from notBefore to notAfter, both included', async () => {
    const [notBefore, notAfter] = [new Date(AT.getTime() - HOUR_MS), new Date(AT.getTime() + HOUR_MS)];
    const platform = platformOf({ pck: { overrides: { notBefore, notAfter } } });
    for (const at of [notBefore, notAfter]) expectVerified(await verify({ platform, at }));
    const outside = [new Date(notBefore.getTime() - 1000), new Date(notAfter.getTime() + 1000)];
    for (const at of outside) expectFailed(await verify({ platform, at }), 'cert_validity');
  });
});

describe('roles of certificates', () => {
  it('TDX-20 denies a CA certificate used as PCK', async () => {
    const quote = { pckChain: platformCa.pem + PKI.root.pem, pckKey: platformCa.key.privateKey };
    expectFailed(await verify({ quote }), 'cert_role');
  });

  it('TDX-20 denies a certificate for TCB signing used as PCK', async () => {
    const quote = { pckChain: PKI.tcbIssuerChain(), pckKey: PKI.tcbSigning.key.privateKey };
    expectFailed(await verify({ quote }), 'cert_role');
  });

  it('TDX-20 denies a PCK certificate that the root itself issued', async () => {
    const pck = PKI.issuePck({ issuer: PKI.root });
    const quote = { pckChain: pck.pem + PKI.root.pem, pckKey: pck.key.privateKey };
    expectFailed(await verify({ quote }), 'cert_role');
  });

  it('TDX-20 denies a PCK certificate of a CA that the root certified for something else', async () => {
    const issuer = PKI.issuePckCa('processor', { subject: intelName('Intel SGX PCK Other CA') });
    const platform = platformOf({ ca: 'processor', pck: { issuer } });
    expectFailed(await verify({ platform }), 'cert_role');
    expect(newVerifier().open(platform.quote(), null, ABOUT).needs).toEqual([]);
  });

  it('TDX-20 denies a PCK certificate of a root that is named like a PCK CA', async () => {
    const name = intelName('Intel SGX PCK Platform CA');
    const root = PKI.issueRoot({ subject: name, issuer: name });
    const pck = PKI.issuePck({ issuer: root });
    const quote = { pckChain: pck.pem + root.pem, pckKey: pck.key.privateKey };
    expectFailed(await verify({ quote }), 'cert_role');
  });

  it('TDX-20 denies a certificate without a common name', async () => {
    const subject = nameOf([[ATTRIBUTE.organizationName, 'Intel Corporation']]);
    expectFailed(await withPck({ overrides: { subject } }), 'cert_role');
  });

  it('TDX-20 denies a certificate of the PCK CA under another name', async () => {
    expectFailed(await withPck({ overrides: { subject: intelName('Intel SGX TCB Signing') } }), 'cert_role');
  });

  it.each([
    ['a PCK key', PLATFORM.pck, PLATFORM.pck.chainPem],
    ['a PCK key that the root itself certified', ...ofRoot(PKI.issuePck({ issuer: PKI.root }))],
  ] as const)('TDX-20 denies TCB info that %s signed', async (_, { der, pem, key, serial }, chain) => {
    const tcbSigning: IntelAuthority = { der, key, serial, name: intelName('Intel SGX PCK Certificate'), pem };
    const overrides = { tcbInfoIssuerChain: chain, qeIdentityIssuerChain: chain };
    expectFailed(await verify({ collateral: { tcbSigning, overrides } }), 'cert_role');
  });

  it.each([
    ['tcb_info_issuer_chain', 'tcbInfoIssuerChain'],
    ['qe_identity_issuer_chain', 'qeIdentityIssuerChain'],
    ['pck_crl_issuer_chain', 'pckCrlIssuerChain'],
  ] as const)('REQ-19 refuses line feeds as %s', async (member, name) => {
    const found = verify({ collateral: { overrides: { [name]: '\n'.repeat(770_000) } } });
    await expectMalformed(found, 'cert_format', `/evidence/collateral/${member}`);
  });

  it('denies collateral whose signer has another root', async () => {
    const tcbSigning = FOREIGN_PKI.tcbSigning;
    const chain = FOREIGN_PKI.tcbIssuerChain();
    const overrides = { tcbInfoIssuerChain: chain, qeIdentityIssuerChain: chain };
    expectFailed(await verify({ collateral: { tcbSigning, overrides } }), 'cert_untrusted');
  });

  it('denies collateral whose signer has ended', async () => {
    const tcbSigning = PKI.issueTcbSigning({ notAfter: new Date(AT.getTime() - 1000) });
    const found = await verify({ collateral: { tcbSigning } });
    expectFailed(found, 'cert_validity');
    expect(found.claims).toBeNull();
  });
});

/** The entry for each endorsement. */
const revocations = ({ endorsements }: TdQuoteVerification) =>
  Object.fromEntries(endorsements.map(({ kind, revocation }) => [kind, revocation]));

describe('revocation', () => {
  const { serial } = PLATFORM.pck;

  it('TDX-21 denies a PCK that its CA has revoked', async () => {
    const found = await verify({ collateral: { pckCrl: { revoked: [{ serial }] } } });
    expectFailed(found, 'cert_revoked');
    expect(found.claims).toBeNull();
    expect(found.reportData).toBeNull();
    expect(idsWith(found, 'skipped')).toContain('tdx_signature');
    expect(revocations(found)).toMatchObject({ pck: 'revoked', 'pck-ca': 'good', 'tcb-signing': 'good' });
    expect(found.endorsements.filter(({ kind }) => kind === 'crl')).toHaveLength(2);
    expect(found.checks.find(({ id }) => id === 'cert_revoked')?.detail).toMatch(
      new RegExp(`PCK Certificate, serial 0?${BigInt(serial.toString()).toString(16)}$`),
    );
  });

  it('TDX-21 denies a PCK that a list revokes which is stale', async () => {
    const nextUpdate = new Date(AT.getTime() - 1000);
    const pckCrl = { revoked: [{ serial }], overrides: { nextUpdate } };
    expectFailed(await verify({ collateral: { pckCrl } }), 'cert_revoked');
  });

  it.each([
    ['the intermediate', platformCa.serial, 'pck-ca'],
    ['the signer of the collateral', PKI.tcbSigning.serial, 'tcb-signing'],
  ])('TDX-21 denies where the root has revoked %s', async (_, revoked, kind) => {
    const found = await verify({ collateral: { rootCrl: { revoked: [{ serial: revoked }] } } });
    expectFailed(found, 'cert_revoked');
    expect(revocations(found)).toMatchObject({ pck: 'good', [kind]: 'revoked' });
  });

  it('TDX-21 a serial of another issuer revokes nothing', async () => {
    const collateral = { rootCrl: { revoked: [{ serial }] }, pckCrl: { revoked: [{ serial: platformCa.serial }] } };
    expectVerified(await verify({ collateral }));
  });

  it('TDX-21 denies the list of the Processor CA for a platform PCK', async () => {
    const found = await verify({ collateral: { pckCrl: { ca: 'processor' } } });
    expectFailed(found, 'crl_issuer');
    expect(found.claims).toBeNull();
    expect(found.reportData).toBeNull();
    expect(found.endorsements.map(({ kind, revocation }) => [kind, revocation])).toEqual([
      ['pck', 'unavailable'],
      ['pck-ca', 'good'],
      ['sgx-root', 'not_applicable'],
      ['tcb-signing', 'good'],
      ['pck-ca', 'good'],
      ['tcb-info', 'not_applicable'],
      ['qe-identity', 'not_applicable'],
      ['crl', 'not_applicable'],
      ['crl', 'not_applicable'],
    ]);
  });

  it('TDX-21 denies where a signer is of another pinned root than the root list', async () => {
    const name = intelName('Intel SGX Root CA 2');
    const root = FOREIGN_PKI.issueRoot({ subject: name, issuer: name });
    const tcbSigning = FOREIGN_PKI.issueTcbSigning({ issuer: name });
    const chain = tcbSigning.pem + root.pem;
    const overrides = { tcbInfoIssuerChain: chain, qeIdentityIssuerChain: chain };
    const verifier = new DcapTdQuoteVerifier({ pins: new Set([...PKI.pins, ...FOREIGN_PKI.pins]) });
    const found = await verify({ verifier, collateral: { tcbSigning, overrides } });
    expectFailed(found, 'crl_issuer');
    expect(revocations(found)).toMatchObject({ pck: 'good', 'tcb-signing': 'unavailable' });
  });

  it('TDX-21 denies where the root has revoked the signer of the QE identity alone, and lists it', async () => {
    const other = PKI.issueTcbSigning({ serial: 4_711n });
    const signed = platformOf().collateral({ tcbSigning: other, rootCrl: { revoked: [{ serial: 4_711n }] } });
    const { qeIdentity, qeIdentitySignature, qeIdentityIssuerChain, rootCaCrl } = signed;
    const overrides = { qeIdentity, qeIdentitySignature, qeIdentityIssuerChain, rootCaCrl };
    const found = await verify({ collateral: { overrides } });
    expectFailed(found, 'cert_revoked');
    const signers = found.endorsements.filter(({ kind }) => kind === 'tcb-signing');
    expect(signers.map(({ revocation }) => revocation)).toEqual(['good', 'revoked']);
  });

  it.each([
    ['the PCK list', { pckCrl: { overrides: { signature: () => new Uint8Array(64) } } }],
    ['the root list', { rootCrl: { overrides: { signature: () => new Uint8Array(64) } } }],
    ['the issuer of the root list', { rootCrl: { issuer: platformCa } }],
    ['the chain of the PCK list, which is short', { overrides: { pckCrlIssuerChain: platformCa.pem } }],
    ['the signer, which may sign no lists', { overrides: { pckCrlIssuerChain: PKI.tcbIssuerChain() } }],
  ])('denies what is wrong with %s', async (_, collateral) => {
    expectFailed(await verify({ collateral }), 'crl_invalid');
  });

  it('denies a list whose issuer ends at another root', async () => {
    const overrides = { pckCrlIssuerChain: FOREIGN_PKI.pckCrlIssuerChain('platform') };
    expectFailed(await verify({ collateral: { overrides } }), 'cert_untrusted');
  });
});
