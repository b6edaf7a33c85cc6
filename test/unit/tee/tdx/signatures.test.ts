import { describe, expect, it } from 'vitest';
import { flipBit } from '../../../lab/byte-patch.js';
import { newEcKey } from '../../../lab/lab-keys.js';
import { AT, expectFailed, expectVerified, idsWith, PLATFORM, verify } from './fixture.js';

const flip =
  (offset: number, bit = 0) =>
  (bytes: Uint8Array) =>
    flipBit(bytes, offset, bit);

describe('signatures of a quote', () => {
  it('verifies a genuine one, with claims, endorsements and an end', async () => {
    const found = await verify();
    expectVerified(found);
    expect(found.claims?.tcb).toEqual({
      status: 'UpToDate',
      platformStatus: 'UpToDate',
      moduleStatus: 'UpToDate',
      qeStatus: 'UpToDate',
      date: '2025-05-14T00:00:00Z',
      evaluationDataNumber: 19,
      qeEvaluationDataNumber: 19,
      advisories: [],
    });
    expect(found.shortfalls).toEqual([]);
    expect(found.reportData).toEqual(new Uint8Array(64));
    expect(found.endorsements.map(({ kind, source, revocation }) => [kind, source, revocation])).toEqual([
      ['pck', 'evidence', 'good'],
      ['pck-ca', 'evidence', 'good'],
      ['sgx-root', 'evidence', 'not_applicable'],
      ['tcb-signing', 'evidence', 'good'],
      ['tcb-info', 'evidence', 'not_applicable'],
      ['qe-identity', 'evidence', 'not_applicable'],
      ['crl', 'evidence', 'not_applicable'],
      ['crl', 'evidence', 'not_applicable'],
    ]);
    // collateral is issued a day before the instant and lives for 30
    expect(found.validUntil).toEqual(new Date(AT.getTime() + 29 * 24 * 60 * 60_000));
  });

  it('TDX-04 denies a quote of another vendor, and judges nothing of it', async () => {
    const found = await verify({ quote: { header: { qeVendorId: new Uint8Array(16) } } });
    expectFailed(found, 'tdx_qe_vendor');
    expect(found.claims).toBeNull();
    expect(found.reportData).toBeNull();
    expect([found.endorsements, found.shortfalls, found.validUntil]).toEqual([[], [], null]);
    expect(idsWith(found, 'skipped')).toContain('tdx_signature');
  });

  it.each([
    ['the header', flip(30)],
    ['MRTD', flip(48 + 136)],
    ['REPORTDATA', flip(48 + 583)],
  ])('TDX-05 denies a quote whose %s was changed after signing', async (_, signedPart) => {
    const found = await verify({ quote: { signedPart } });
    expectFailed(found, 'tdx_signature');
    expect(found.claims).toBeNull();
    expect(found.reportData).toBeNull();
  });

  it('TDX-05 denies another signature of the quote', async () => {
    expectFailed(await verify({ quote: { signature: flip(0) } }), 'tdx_signature');
    expectFailed(await verify({ quote: { signature: () => new Uint8Array(64) } }), 'tdx_signature');
    expectFailed(await verify({ quote: { quoteSigner: newEcKey('prime256v1').privateKey } }), 'tdx_signature');
  });

  it('TDX-05 denies an attestation key that the quoting enclave does not vouch for', async () => {
    expectFailed(await verify({ quote: { attestationKeyBytes: flip(3) } }), 'tdx_qe_binding');
  });

  it('TDX-05 denies an attestation key that is no point of the curve, although the enclave vouches for it', async () => {
    const point = new Uint8Array(64).fill(1);
    const spki = Uint8Array.from([...PLATFORM.attestationKey.spki.subarray(0, -64), ...point]);
    const attestationKey = { privateKey: PLATFORM.attestationKey.privateKey, spki };
    expectFailed(await verify({ quote: { attestationKey } }), 'tdx_signature');
  });

  it('TDX-05 denies a QE report that was changed after signing', async () => {
    expectFailed(await verify({ quote: { signedQeReport: flip(258) } }), 'tdx_qe_report_signature');
  });

  it('TDX-05 denies another signature of the QE report', async () => {
    expectFailed(await verify({ quote: { qeReportSignature: flip(40) } }), 'tdx_qe_report_signature');
    expectFailed(await verify({ quote: { pckKey: newEcKey('prime256v1').privateKey } }), 'tdx_qe_report_signature');
  });

  it('TDX-05 denies other QE authentication data', async () => {
    expectFailed(await verify({ quote: { qeAuthDataInQuote: new Uint8Array(32) } }), 'tdx_qe_binding');
    expectFailed(await verify({ quote: { qeAuthDataInQuote: new Uint8Array() } }), 'tdx_qe_binding');
  });

  it.each([352, 383])('TDX-06 denies QE report data whose second half is not zero, byte %d', async (offset) => {
    expectFailed(await verify({ quote: { qeReportBytes: flip(offset) } }), 'tdx_qe_binding');
  });
});
