import { describe, expect, it } from 'vitest';
import { flipBit } from '../../../lab/byte-patch.js';
import type { CollateralOptions } from '../../../lab/collateral-builder.js';
import { newEcKey } from '../../../lab/lab-keys.js';
import { expectFailed, expectVerified, PKI, verify } from './fixture.js';

const withIdentity = (qeIdentity: CollateralOptions['qeIdentity'], qeReport = {}) =>
  verify({ collateral: qeIdentity === undefined ? {} : { qeIdentity }, quote: { qeReport } });
const members = (change: Readonly<Record<string, string | number>>) => ({ members: change });
const attributes = (first: number) => Uint8Array.of(first, 0, 0, 0, 0, 0, 0, 0, 0xe7, ...new Uint8Array(7));

describe('identity of the quoting enclave', () => {
  it.each([
    ['is not signed', { signature: () => new Uint8Array() }],
    ['has a signature of zeros', { signature: () => new Uint8Array(64) }],
    ['has a signature that was changed', { signature: (genuine: Uint8Array) => flipBit(genuine, 9) }],
    ['is signed by another key', { signer: newEcKey('prime256v1') }],
    ['was changed after signing', { afterSigning: (text: string) => text.replace('"isvprodid":2', '"isvprodid":3') }],
    ['was written again after signing', { afterSigning: (text: string) => JSON.stringify(JSON.parse(text), null, 1) }],
    ['is of the SGX enclave', members({ id: 'QE' })],
    ['is of version 1', members({ version: 1 })],
    ['is of version 3', members({ version: 3 })],
    ['has no JSON', { beforeSigning: () => 'TD_QE' }],
    ['has a member twice', { beforeSigning: (text: string) => text.replace('"version":2', '"version":2,"version":2') }],
    ['has no levels', { levels: [] }],
    ['does not end', { beforeSigning: (text: string) => text.replace(/"nextUpdate":"[^"]*",/, '') }],
    ['has a date that does not exist', members({ nextUpdate: '2026-06-31T00:00:00Z' })],
  ])('TDX-07 denies one that %s', async (_, qeIdentity) => {
    const found = await withIdentity(qeIdentity);
    expectFailed(found, 'tdx_qe_identity');
    expect(found.claims).toBeNull();
    expect(found.checks.find(({ result }) => result === 'fail')?.about).toBe('/evidence/collateral/qe_identity');
  });

  it('TDX-07 denies one whose issuer chain is short', async () => {
    const overrides = { qeIdentityIssuerChain: PKI.tcbSigning.pem };
    expectFailed(await verify({ collateral: { overrides } }), 'tdx_qe_identity');
  });

  it('tolerates members that nobody knows', async () => {
    expectVerified(await withIdentity(members({ later: 1 })));
  });
});

describe('report of the quoting enclave', () => {
  it.each([
    ['MRSIGNER', { mrSigner: new Uint8Array(32).fill(1) }],
    ['ISVPRODID', { isvProdId: 1 }],
  ])('TDX-08 denies another %s', async (_, qeReport) => {
    const found = await withIdentity({}, qeReport);
    expectFailed(found, 'tdx_qe_identity');
    expect(found.claims).toBeNull();
    expect(found.reportData).toBeNull();
  });

  it.each([
    ['MISCSELECT under the mask', { miscSelect: 1 }],
    ['ATTRIBUTES under the mask', { attributes: attributes(0x35) }],
    ['ATTRIBUTES without a bit that is asked for', { attributes: attributes(0x05) }],
  ])('TDX-08 denies other %s', async (_, qeReport) => {
    expectFailed(await withIdentity({}, qeReport), 'tdx_qe_attributes');
  });

  it('TDX-08 leaves bits outside of the masks alone', async () => {
    expectVerified(await withIdentity({}, { attributes: attributes(0x11) }));
    expectVerified(await withIdentity(members({ miscselectMask: '00000000' }), { miscSelect: 1 }));
  });

  it('TDX-08 compares MISCSELECT in the byte order of the report', async () => {
    expectVerified(await withIdentity(members({ miscselect: '01000000' }), { miscSelect: 1 }));
    expectFailed(await withIdentity(members({ miscselect: '00000001' }), { miscSelect: 1 }), 'tdx_qe_attributes');
  });

  it('TDX-08 denies one that can be debugged, whatever the mask', async () => {
    const qeReport = { attributes: attributes(0x17) };
    expectFailed(await withIdentity({}, qeReport), 'tdx_qe_debug');
    expectFailed(
      await withIdentity(members({ attributesMask: '00'.repeat(16), attributes: '00'.repeat(16) }), qeReport),
      'tdx_qe_debug',
    );
  });

  it('TDX-08 denies an ISVSVN below every level', async () => {
    const found = await withIdentity({}, { isvSvn: 1 });
    expectFailed(found, 'tdx_qe_svn');
    expect(found.checks.find(({ id }) => id === 'tdx_qe_svn')).toMatchObject({ expected: 2, actual: 1 });
  });

  it('TDX-08 denies one whose level is revoked', async () => {
    expectFailed(await withIdentity({ status: 'Revoked' }), 'tdx_qe_svn');
    const levels = [{ isvSvn: 4 }, { isvSvn: 3, status: 'Revoked' }];
    expectFailed(await withIdentity({ levels }, { isvSvn: 3 }), 'tdx_qe_svn');
    expectVerified(await withIdentity({ levels }));
  });

  it('TDX-13 takes the highest level that is reached, whatever the order of the list', async () => {
    const levels = [{ isvSvn: 2, status: 'OutOfDate' }, { isvSvn: 4 }];
    expect((await withIdentity({ levels })).claims?.tcb.qeStatus).toBe('UpToDate');
    const old = await withIdentity({ levels }, { isvSvn: 3 });
    expectVerified(old);
    expect(old.claims?.tcb).toMatchObject({ qeStatus: 'OutOfDate', status: 'OutOfDate', platformStatus: 'UpToDate' });
    expect(old.shortfalls).toEqual([{ component: 'TD_QE.isvsvn', have: 3, need: 4, type: null }]);
  });
});
