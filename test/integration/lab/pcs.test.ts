import { verify, X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createIntelPki } from '../../lab/intel-pki.js';
import { LabPcs } from '../../lab/pcs.js';
import { TdxPlatform } from '../../lab/tdx-platform.js';
import { type Answer, call, download, statusOf } from './call.js';

const AT = new Date('2026-06-01T12:00:00Z');
const clock = () => AT;
const platform = new TdxPlatform({ pki: createIntelPki({ at: AT }) });
const TCB = `/tdx/certification/v4/tcb?fmspc=${platform.fmspc}`;
const QE = '/tdx/certification/v4/qe/identity';
const PCK_CRL = '/sgx/certification/v4/pckcrl?ca=platform';

let pcs: LabPcs;
beforeEach(async () => {
  pcs = await LabPcs.start({ clock });
});
afterEach(() => pcs.close());

const numberIn = ({ body }: Answer, member: string) =>
  (body[member] as { tcbEvaluationDataNumber: number }).tcbEvaluationDataNumber;

describe('LabPcs', () => {
  it('serves TCB info and QE identity with the chain in a header, signed over the text in the body', async () => {
    const served = pcs.serve(platform);
    for (const [path, member, header, text] of [
      [TCB, 'tcbInfo', 'tcb-info-issuer-chain', served.tcbInfo],
      [QE, 'enclaveIdentity', 'sgx-enclave-identity-issuer-chain', served.qeIdentity],
    ] as const) {
      const { headers, body } = await call(pcs, path);
      const chain = decodeURIComponent(String(headers[header]));
      const raw = Buffer.from(await download(pcs, path)).toString();
      expect(raw.startsWith(`{"${member}":${text},"signature":"`)).toBe(true);
      const key = new X509Certificate(chain).publicKey;
      const signature = Buffer.from(String(body['signature']), 'hex');
      expect(verify('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
    }
  });

  it('serves CRLs: DER where asked, else PEM, and the root list where its address says', async () => {
    const served = pcs.serve(platform);
    expect(await download(pcs, `${PCK_CRL}&encoding=der`)).toEqual(Buffer.from(served.pckCrl));
    expect(Buffer.from(await download(pcs, PCK_CRL)).toString()).toMatch(/^-----BEGIN X509 CRL-----\n/);
    expect(await download(pcs, '/IntelSGXRootCA.der')).toEqual(Buffer.from(served.rootCaCrl));
    expect(pcs.rootCrlUri).toBe(`${pcs.origin}/IntelSGXRootCA.der`);
  });

  it('keeps the two streams and the numbers apart', async () => {
    pcs.serve(platform);
    pcs.serve(platform, { update: 'early', evaluationNumber: 20 });
    for (const [path, member] of [
      [TCB, 'tcbInfo'],
      [`${QE}?`, 'enclaveIdentity'],
    ] as const) {
      const numbers = ['', '&update=standard', '&update=early', '&tcbEvaluationDataNumber=20'].map(async (query) =>
        numberIn(await call(pcs, path + query), member),
      );
      expect(await Promise.all(numbers)).toEqual([19, 19, 20, 20]);
    }
    const { body } = await call(pcs, '/tdx/certification/v4/tcbevaluationdatanumbers');
    expect(body).toMatchObject({
      tcbEvaluationDataNumbers: {
        id: 'TDX',
        tcbEvalNumbers: [{ tcbEvaluationDataNumber: 20 }, { tcbEvaluationDataNumber: 19 }],
      },
    });
  });

  it('refuses what it does not know', async () => {
    pcs.serve(platform);
    const asked = [
      '/tdx/certification/v4/tcb?fmspc=000000000000',
      '/tdx/certification/v4/tcb?fmspc=xyz',
      `${TCB}&update=early&tcbEvaluationDataNumber=19`,
      `${TCB}&update=late`,
      `${TCB}&tcbEvaluationDataNumber=3`,
      `${TCB}&tcbEvaluationDataNumber=30`,
      '/sgx/certification/v4/pckcrl?ca=other&encoding=der',
      '/sgx/certification/v4/pckcrl?ca=processor&encoding=der',
      '/sgx/certification/v4/rootcacrl',
    ];
    const statuses = asked.map((path) => statusOf(pcs, path));
    expect(await Promise.all(statuses)).toEqual([404, 400, 400, 400, 410, 404, 400, 404, 404]);
  });

  it('changes answers, fails as it is told, and heals', async () => {
    pcs.serve(platform);
    pcs.alter(/tcb/, ({ headers: _, ...genuine }) => genuine);
    expect((await call(pcs, TCB)).headers['tcb-info-issuer-chain']).toBeUndefined();
    pcs.fail(/identity/, { status: 503, retryAfter: '7' });
    expect(await statusOf(pcs, QE)).toBe(503);
    await pcs.heal();
    expect((await call(pcs, TCB)).headers['tcb-info-issuer-chain']).toBeDefined();
    expect([await statusOf(pcs, QE), pcs.count(/identity/)]).toEqual([200, 2]);
  });
});

describe('LabPcs as a cache', () => {
  it('speaks version 3, and gives lists in hex', async () => {
    const pccs = await LabPcs.start({ clock, kind: 'pccs' });
    try {
      const served = pccs.serve(platform);
      const { headers } = await call(pccs, TCB.replace('v4', 'v3'));
      expect([headers['tcb-info-issuer-chain'], headers['sgx-tcb-info-issuer-chain']]).toEqual([
        undefined,
        encodeURIComponent(served.tcbInfoIssuerChain),
      ]);
      const hex = Buffer.from(await download(pccs, '/sgx/certification/v3/rootcacrl')).toString();
      expect(Buffer.from(hex, 'hex')).toEqual(Buffer.from(served.rootCaCrl));
      expect(await download(pccs, `${PCK_CRL}&encoding=der`)).toEqual(Buffer.from(served.pckCrl));
    } finally {
      await pccs.close();
    }
  });

  it('is the metadata service to those who say so', async () => {
    const thim = await LabPcs.start({ clock, kind: 'pccs', scheme: 'http' });
    try {
      thim.serve(platform);
      const path = `/metadata/THIM${QE}?api-version=2021-07-22-preview`;
      expect(thim.origin).toMatch(/^http:/);
      expect(await statusOf(thim, path)).toBe(400);
      expect(await statusOf(thim, path, { headers: { Metadata: 'true' } })).toBe(200);
    } finally {
      await thim.close();
    }
  });
});
