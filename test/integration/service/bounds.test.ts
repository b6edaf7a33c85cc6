import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import {
  buildCcel,
  CCEL_EVENT,
  createAzureAkPki,
  createIntelPki,
  createTdxGuest,
  der,
  pemOf,
  TdxPlatform,
} from '../../lab/index.js';
import { base64Url, LabService, post } from './lab-service.js';

const AK_PKI = createAzureAkPki();
const INTEL_PKI = createIntelPki();
const TD = createTdxGuest({ platform: new TdxPlatform({ pki: INTEL_PKI }) });
const LINE_FEEDS = '\n'.repeat(770_000);
const LARGEST_LOG = 2 ** 20;

let lab: LabService;
let services: readonly RunningService[];

beforeAll(async () => {
  lab = await LabService.create();
  const others = { intel: { pcs: 'off' }, maa: { shared: false }, ita: { issuers: [] } };
  const world = { intelRootPins: INTEL_PKI.pins };
  services = [
    await lab.start(others, world),
    await lab.start({ ...others, limits: { bodyBytes: 64 * 2 ** 20 } }, world, 'large'),
  ];
});

afterAll(() => lab.close());

function azure(members: JsonObject): JsonObject {
  return { ...lab.vm.wireEvidence({ endorsements: { vek: null, chain: null, crls: [] } }), ...members };
}

function akCertificate(extension: { readonly oid: string; readonly value: Uint8Array }): JsonObject {
  const { spki } = AK_PKI.authority('root').key;
  const leaf = AK_PKI.issueLeaf({
    key: spki,
    extensions: (all) => [...all.filter(({ oid }) => oid !== extension.oid), extension],
  });
  return azure({ akCertificate: base64Url(leaf) });
}

const withCollateral = (members: JsonObject) => {
  const evidence = TD.wireEvidence();
  return { ...evidence, collateral: { ...(evidence['collateral'] as JsonObject), ...members } };
};

const purposes = (count: number) => ({
  oid: '2.5.29.37',
  value: der(0x30, Buffer.alloc(3 * count, Buffer.from('06012a', 'hex'))),
});

/** The code, or the decision, or that evidence was shown: of each service, which differ in the limit of a body. */
async function answersOf(
  path: '/verify' | '/inspect',
  evidence: JsonObject,
): Promise<readonly (readonly [answer: string, pointer: string | undefined])[]> {
  const body = JSON.stringify(path === '/verify' ? { evidence } : evidence);
  const answers = await Promise.all(services.map(({ url }) => post(url, path, body)));
  return answers.map(({ body: said }) => [said.code ?? said.decision ?? 'shown', said.pointer]);
}

describe('bounds of what is read before anything is verified, whatever the limit of a body', () => {
  it.each<[string, '/verify' | '/inspect', () => JsonObject, string]>([
    [
      'line feeds as certification data',
      '/verify',
      () => TD.wireEvidence({ quote: { pckChain: LINE_FEEDS } }),
      '/evidence/quote',
    ],
    [
      'line feeds as an issuer chain',
      '/verify',
      () => withCollateral({ tcb_info_issuer_chain: LINE_FEEDS }),
      '/evidence/collateral/tcb_info_issuer_chain',
    ],
    [
      'line feeds as an AK chain',
      '/inspect',
      () => ({ ...akCertificate(purposes(2)), akChain: LINE_FEEDS }),
      '/akChain',
    ],
    [
      'an object identifier of 700 kB',
      '/verify',
      () => azure({ endorsements: { vek: base64Url(der(0x30, der(0x06, new Uint8Array(700_000).fill(0x2a)))) } }),
      '/evidence/endorsements/vek',
    ],
    ['230 000 key purposes', '/inspect', () => akCertificate(purposes(230_000)), '/akCertificate'],
    ['17 key purposes', '/inspect', () => akCertificate(purposes(17)), '/akCertificate'],
    [
      '1 MiB of certificates as an AK chain',
      '/inspect',
      () => ({ ...akCertificate(purposes(2)), akChain: pemOf(AK_PKI.authority('root').der).repeat(400) }),
      '/akChain',
    ],
    [
      '1 MiB of certificates by themselves',
      '/inspect',
      () => ({
        type: 'bytes',
        value: base64Url(Buffer.from(pemOf(AK_PKI.authority('root').der).repeat(400))),
      }),
      '/value',
    ],
  ])('REQ-19 refuse %s, %s', async (_what, path, evidence, pointer) => {
    expect(await answersOf(path, evidence())).toEqual([
      ['cert_format', pointer],
      ['cert_format', pointer],
    ]);
  });

  it('REQ-08 refuse 340 000 empty objects', async () => {
    const many = Array(34).fill(Array(10_000).fill({}));
    const answers = await answersOf('/verify', { type: 'snp', report: 'AAAA', many });
    expect(answers.map(([code]) => code)).toEqual(['too_complex', 'too_complex']);
  });

  it('REQ-19 take what is within them', async () => {
    const shown = ['shown', undefined];
    expect(await answersOf('/inspect', akCertificate(purposes(16)))).toEqual([shown, shown]);
    const { chainPem } = TD.platform.pck;
    const filled = TD.wireEvidence({ quote: { pckChain: chainPem.replaceAll('-----BEGIN', '\n-----BEGIN') } });
    expect(await answersOf('/inspect', filled)).toEqual([shown, shown]);
  });

  it('REQ-08 let the largest event log pass that is allowed, and no larger one', async () => {
    const log = (bytes: number) => {
      const event = { register: 1, type: CCEL_EVENT.ipl, data: Uint8Array.of(1) };
      const log = buildCcel([event], { padding: new Uint8Array(0) });
      return TD.wireEvidence({ ccel: Buffer.concat([log, new Uint8Array(bytes - log.byteLength)]) });
    };
    const shown = ['shown', undefined];
    expect(await answersOf('/inspect', log(LARGEST_LOG))).toEqual([shown, shown]);
    const tooLong = ['eventlog_limit', '/ccel'];
    expect(await answersOf('/inspect', log(LARGEST_LOG + 1))).toEqual([tooLong, tooLong]);
    const tooComplex = ['too_complex', '/ccel'];
    expect(await answersOf('/inspect', log(LARGEST_LOG + 3))).toEqual([tooComplex, tooComplex]);
  });
});
