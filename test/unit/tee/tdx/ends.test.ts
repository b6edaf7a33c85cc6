import { describe, expect, it } from 'vitest';
import type { CollateralOptions } from '../../../lab/collateral-builder.js';
import type { TdxPlatform } from '../../../lab/tdx-platform.js';
import { AT, expectFailed, expectUndecided, expectVerified, HOUR_MS, PKI, platformOf, verify } from './fixture.js';

/** The endorsements of a TD quote, each of which ends the verdict if it expires first. */

const SOON = new Date(AT.getTime() + HOUR_MS);
const LATER = new Date(SOON.getTime() + 1000);
const ended = { notAfter: SOON };

interface Resting {
  readonly platform?: TdxPlatform;
  readonly collateral?: CollateralOptions;
}

/** PCK CA and root as the quote has them, and not the chains of the collateral, which bring certificates of their own. */
const pckChain = (ca = PKI.pckCa('platform'), root = PKI.root) =>
  platformOf({ pckCertificate: { ...GENUINE, chainPem: GENUINE.pem + ca.pem + root.pem } });
const GENUINE = platformOf().pck;

const withSigner = (member: 'tcbInfo' | 'qeIdentity'): CollateralOptions => {
  const tcbSigning = PKI.issueTcbSigning(ended);
  const signed = platformOf().collateral({ tcbSigning });
  const overrides =
    member === 'tcbInfo'
      ? { tcbInfo: signed.tcbInfo, tcbInfoSignature: signed.tcbInfoSignature }
      : { qeIdentity: signed.qeIdentity, qeIdentitySignature: signed.qeIdentitySignature };
  return { overrides: { ...overrides, [`${member}IssuerChain`]: tcbSigning.pem + PKI.root.pem } };
};

const path: readonly (readonly [string, Resting])[] = [
  ['PCK certificate', { platform: platformOf({ pck: { overrides: ended } }) }],
  ['PCK CA', { platform: pckChain(PKI.issuePckCa('platform', ended)) }],
  ['root of the quote', { platform: pckChain(undefined, PKI.issueRoot(ended)) }],
];

const root = PKI.issueRoot(ended).pem;
const chains: readonly (readonly [string, string, Resting])[] = [
  ['signer of the TCB info', 'tcb_info_issuer_chain', { collateral: withSigner('tcbInfo') }],
  [
    'root above the TCB info',
    'tcb_info_issuer_chain',
    { collateral: { overrides: { tcbInfoIssuerChain: PKI.tcbSigning.pem + root } } },
  ],
  ['signer of the QE identity', 'qe_identity_issuer_chain', { collateral: withSigner('qeIdentity') }],
  [
    'root above the QE identity',
    'qe_identity_issuer_chain',
    { collateral: { overrides: { qeIdentityIssuerChain: PKI.tcbSigning.pem + root } } },
  ],
  [
    'issuer of the PCK CRL',
    'pck_crl_issuer_chain',
    { collateral: { overrides: { pckCrlIssuerChain: PKI.issuePckCa('platform', ended).pem + PKI.root.pem } } },
  ],
  [
    'root above the PCK CRL',
    'pck_crl_issuer_chain',
    { collateral: { overrides: { pckCrlIssuerChain: PKI.pckCa('platform').pem + root } } },
  ],
];

const documents: readonly (readonly [string, Resting])[] = [
  ['TCB info', { collateral: { tcbInfo: { nextUpdate: SOON } } }],
  ['QE identity', { collateral: { qeIdentity: { nextUpdate: SOON } } }],
  ['PCK CRL', { collateral: { pckCrl: { overrides: { nextUpdate: SOON } } } }],
  ['root CRL', { collateral: { rootCrl: { overrides: { nextUpdate: SOON } } } }],
];

const all = [...path, ...chains.map(([what, , resting]) => [what, resting] as const), ...documents];

describe('the end of a verification', () => {
  it('is that of what ends first', async () => {
    expect((await verify()).validUntil).toEqual(new Date(AT.getTime() + 29 * 24 * HOUR_MS));
  });

  it.each(all)('is that of the %s where that ends first', async (_, resting) => {
    for (const at of [AT, SOON]) {
      const found = await verify({ ...resting, at });
      expectVerified(found);
      expect(found.validUntil).toEqual(SOON);
    }
  });

  it.each(path)('CRT-04 denies a quote after the end of its %s', async (_, resting) => {
    expectFailed(await verify({ ...resting, at: LATER }), 'cert_validity');
  });

  it.each(chains)('CRT-04 denies collateral after the end of the %s, at its chain', async (_, member, resting) => {
    const found = await verify({ ...resting, at: LATER });
    expectFailed(found, 'cert_validity');
    expect(found.checks.filter(({ result }) => result === 'fail')).toMatchObject([
      { about: `/evidence/collateral/${member}` },
    ]);
    expect(found.claims).toBeNull();
    expectUndecided(await verify({ ...resting, at: LATER, origin: 'cache' }), 'collateral_unavailable');
  });

  it.each(documents)('TDX-10 leaves open what comes after the end of the %s', async (_, resting) => {
    expectUndecided(await verify({ ...resting, at: LATER }), 'collateral_stale');
  });
});
