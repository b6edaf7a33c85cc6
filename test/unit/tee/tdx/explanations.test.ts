import { describe, expect, it } from 'vitest';
import type { Check } from '../../../../src/core/check.js';
import type { CheckId } from '../../../../src/core/codes.js';
import type { JsonValue } from '../../../../src/core/json.js';
import { flipBit } from '../../../lab/byte-patch.js';
import { TD_QE_MRSIGNER } from '../../../lab/qe-report-builder.js';
import { QE_VENDOR_ID } from '../../../lab/td-quote-builder.js';
import { AT, HOUR_MS, type Judging, PKI, PLATFORM, platformOf, verify } from './fixture.js';

/** The text of each check when it fails: both sides, as bytes or numbers, and one sentence. */

const of = async (id: CheckId, judging: Judging): Promise<Check | undefined> =>
  (await verify(judging)).checks.find((check) => check.id === id && check.result !== 'pass');

const SOON = new Date(AT.getTime() + HOUR_MS);
const debuggable = Uint8Array.of(0x17, 0, 0, 0, 0, 0, 0, 0, 0xe7, ...new Uint8Array(7));

interface Said {
  readonly expected: JsonValue;
  readonly actual: JsonValue;
  readonly detail: string;
}

const cases: readonly (readonly [CheckId, Judging, Said])[] = [
  [
    'tdx_qe_vendor',
    { quote: { header: { qeVendorId: new Uint8Array(16) } } },
    { expected: QE_VENDOR_ID, actual: null, detail: 'the QE vendor id of the quote is not that of Intel' },
  ],
  [
    'tdx_qe_report_signature',
    { quote: { qeReportSignature: (genuine) => flipBit(genuine, 1) } },
    {
      expected: null,
      actual: null,
      detail: 'the report of the quoting enclave was not signed by the PCK, or was changed afterwards',
    },
  ],
  [
    'tdx_signature',
    { quote: { signature: (genuine) => flipBit(genuine, 1) } },
    {
      expected: null,
      actual: null,
      detail: 'the quote was not signed by this attestation key, or was changed afterwards',
    },
  ],
  [
    'tdx_qe_debug',
    { quote: { qeReport: { attributes: debuggable } } },
    { expected: false, actual: true, detail: 'the quoting enclave can be debugged' },
  ],
  [
    'tdx_qe_identity',
    { quote: { qeReport: { isvProdId: 1 } } },
    {
      expected: { mrSigner: TD_QE_MRSIGNER, isvProdId: 2 },
      actual: { mrSigner: TD_QE_MRSIGNER, isvProdId: 1 },
      detail: 'the quoting enclave is not the one that the QE identity describes',
    },
  ],
  [
    'tdx_qe_attributes',
    { quote: { qeReport: { miscSelect: 1 } } },
    {
      expected: { miscSelect: '00000000', attributes: '11000000000000000000000000000000' },
      actual: { miscSelect: '01000000', attributes: '1500000000000000e700000000000000' },
      detail: 'the quoting enclave has other attributes than the QE identity requires',
    },
  ],
  [
    'tdx_qe_svn',
    { quote: { qeReport: { isvSvn: 1 } }, collateral: { qeIdentity: { levels: levelsOf(4, 3) } } },
    { expected: 3, actual: 1, detail: 'no TCB level covers this version of the quoting enclave' },
  ],
  [
    'tdx_qe_svn',
    {
      quote: { qeReport: { isvSvn: 2 } },
      collateral: { qeIdentity: { levels: [...levelsOf(4, 3), { isvSvn: 1, status: 'Revoked' }] } },
    },
    { expected: 3, actual: 2, detail: 'Intel has revoked this version of the quoting enclave' },
  ],
  [
    'tdx_qe_svn',
    { collateral: { qeIdentity: { levels: [{ isvSvn: 4, status: 'Revoked' }] } } },
    { expected: null, actual: 4, detail: 'Intel has revoked this version of the quoting enclave' },
  ],
  [
    'tdx_tcb_info',
    { collateral: { tcbInfo: { members: { fmspc: 'B0C06F000000', pceId: '0001' } } } },
    {
      expected: { fmspc: '00806f050000', pceId: '0000' },
      actual: { fmspc: 'b0c06f000000', pceId: '0001' },
      detail: 'the TCB info is for another platform than the PCK certificate',
    },
  ],
  [
    'tdx_module',
    { quote: { fields: { mrSignerSeam: new Uint8Array(48).fill(1), seamAttributes: 2n } } },
    {
      expected: { mrSignerSeam: '00'.repeat(48), seamAttributes: '00'.repeat(8) },
      actual: { mrSignerSeam: '01'.repeat(48), seamAttributes: `02${'00'.repeat(7)}` },
      detail: 'the TDX module has another signer, or other attributes, than the collateral describes',
    },
  ],
  [
    'tdx_module',
    { collateral: { tcbInfo: { modules: [{ id: 'TDX_03', levels: [{ isvSvn: 3 }] }] } } },
    { expected: ['TDX_03'], actual: 'TDX_01', detail: 'the collateral describes no such TDX module' },
  ],
  [
    'tdx_tcb_status',
    { collateral: { tcbInfo: { status: 'Revoked' } } },
    { expected: null, actual: 'Revoked', detail: 'Intel has revoked the TCB of the platform' },
  ],
  [
    'tdx_tcb_status',
    { collateral: { tcbInfo: { moduleStatus: 'Fine' } } },
    { expected: null, actual: 'Fine', detail: 'Intel defines no such TCB status here' },
  ],
  [
    'tdx_debug',
    { quote: { fields: { tdAttributes: 1n } } },
    { expected: false, actual: true, detail: 'the host may read and change the memory of the TD (debug)' },
  ],
  [
    'tdx_attributes',
    { quote: { fields: { tdAttributes: 2n } } },
    {
      expected: '0x0',
      actual: '0x2',
      detail: 'the TD has attributes that are reserved or let the host profile it: the bits shown',
    },
  ],
  [
    'tdx_xfam',
    { quote: { fields: { xfam: 0xe6n } } },
    {
      expected: '0x3 set, none but 0x6dbe7',
      actual: '0xe6',
      detail: 'XFAM has a reserved bit, or lacks one that every TD has',
    },
  ],
  [
    'tdx_seam_attributes',
    { quote: { fields: { seamAttributes: 1n } } },
    {
      expected: '0000000000000000',
      actual: '0100000000000000',
      detail: 'the TDX module has attributes set, such as debug',
    },
  ],
  [
    'crl_issuer',
    { collateral: { pckCrl: { ca: 'processor' } } },
    {
      expected: 'Intel SGX PCK Platform CA',
      actual: 'Intel SGX PCK Processor CA',
      detail: 'a CRL is from another issuer than the certificate',
    },
  ],
  [
    'cert_untrusted',
    { quote: { pckChain: PLATFORM.pck.pem + PKI.pckCa('processor').pem + PKI.root.pem } },
    {
      expected: null,
      actual: null,
      detail: 'issuer is not the subject of the next certificate (certificate 1 of the chain, PCK certificate)',
    },
  ],
];

function levelsOf(...svns: readonly number[]) {
  return svns.map((isvSvn) => ({ isvSvn }));
}

describe('what a check says', () => {
  it.each(cases)('%s', async (id, judging, said) => {
    const found = await of(id, judging);
    expect(found && { expected: found.expected, actual: found.actual, detail: found.detail }).toEqual(said);
  });

  it('tdx_qe_binding: what the enclave would vouch for, and what it does', async () => {
    const reportData = new Uint8Array(64).fill(7);
    const found = await of('tdx_qe_binding', { quote: { qeReport: { reportData } } });
    expect(found).toMatchObject({
      expected: expect.stringMatching(/^[0-9a-f]{64}$/),
      actual: '07'.repeat(64),
      detail: 'the quoting enclave vouches for another attestation key, or for other authentication data',
    });
  });

  it('cert_revoked: whose certificates, each once', async () => {
    const { serial } = PKI.pckCa('platform');
    const found = await of('cert_revoked', { collateral: { rootCrl: { revoked: [{ serial }] } } });
    expect(found?.actual).toEqual(['Intel SGX PCK Platform CA']);
  });

  it('collateral_not_yet: when it begins', async () => {
    const found = await of('collateral_not_yet', { collateral: { tcbInfo: { issueDate: SOON } } });
    expect(found).toMatchObject({
      expected: AT.toISOString(),
      actual: { tcb_info: SOON.toISOString() },
      detail: 'issued after the verification time: tcb_info',
    });
  });

  it('collateral_stale: until when each part counts, where all are in time', async () => {
    const found = (await verify({ collateral: { qeIdentity: { nextUpdate: SOON } } })).checks;
    expect(found.find(({ id }) => id === 'collateral_stale')).toMatchObject({
      result: 'pass',
      expected: AT.toISOString(),
      actual: {
        tcb_info: expect.stringMatching(/Z$/),
        qe_identity: SOON.toISOString(),
        pck_crl: expect.stringMatching(/Z$/),
        root_ca_crl: expect.stringMatching(/Z$/),
      },
    });
  });

  it('collateral_unavailable: where the collateral is from, and what is wrong with that of a source, each once', async () => {
    const found = (await verify({ origin: 'cache' })).checks;
    expect(found.find(({ id }) => id === 'collateral_unavailable')?.actual).toBe('cache');
    const overrides = { tcbInfoSignature: new Uint8Array(64), qeIdentitySignature: new Uint8Array(64) };
    const wrong = await of('collateral_unavailable', { origin: 'cache', collateral: { overrides } });
    expect(wrong?.detail).toMatch(/^the material of the cache does not verify: the signature does not verify$/);
  });

  it('cert_validity: which certificate, and when it begins or ends', async () => {
    const [notBefore, notAfter] = [new Date(AT.getTime() - HOUR_MS), SOON];
    const platform = platformOf({ pck: { overrides: { serial: 0x4711, notBefore, notAfter } } });
    const name = 'Intel SGX PCK Certificate, serial 4711';
    const early = new Date(notBefore.getTime() - 1000);
    expect(await of('cert_validity', { platform, at: early })).toMatchObject({
      expected: early.toISOString(),
      detail: `${name}, is valid from ${notBefore.toISOString()} on`,
    });
    const late = await of('cert_validity', { platform, at: new Date(notAfter.getTime() + 1000) });
    expect(late?.detail).toBe(`${name}, was valid until ${notAfter.toISOString()}`);
  });

  it('a certificate that fails for itself says why', async () => {
    const found = await of('cert_role', { quote: { pckChain: PKI.tcbIssuerChain() } });
    expect(found?.detail).toBe('certificate is not a PCK certificate (certificate 1 of the chain)');
  });
});
