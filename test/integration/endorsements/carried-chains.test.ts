import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OpenAmdEndorsements } from '../../../src/endorsements/amd/open-amd-endorsements.js';
import { AmdSnpReportVerifier } from '../../../src/tee/snp/snp-report-verifier.js';
import { SnpVerifier } from '../../../src/tee/snp/snp-verifier.js';
import { AMD_SERIALS, createSnpGuest, type LabAuthority, type SnpGuest, type VekKind } from '../../lab/index.js';
import { failed, idsWith } from '../../unit/tee/fixture.js';
import { AmdLab, CHIP, DAY_MS, exported, find, issueCrl, NOW, PINS, pki, requestFor, VCEK } from './amd-lab.js';

/** The product carries the certificates of the lab for Milan, in the place of AMD's own. */
vi.mock('../../../src/tee/snp/amd/roots.js', async (original) => {
  const { AmdPki } = await import('../../lab/amd-pki.js');
  const lab = new AmdPki({ at: new Date('2026-03-01T12:00:00Z') });
  const [ark, ask, asvk] = [lab.ark('Milan'), lab.intermediate('Milan', 'vcek'), lab.intermediate('Milan', 'vlek')];
  const carried = { ark: ark.pem, ask: ask.pem, asvk: asvk.pem };
  return {
    ...(await original<object>()),
    AMD_ROOT_PINS: lab.pins(['Milan']),
    CARRIED_CERTIFICATES: new Map([['Milan', carried]]),
  };
});

const REISSUED = pki.reissuedIntermediate('Milan', 'vcek');
const REISSUED_PEM = REISSUED.pem + pki.ark('Milan').pem;
const stranger = pki.reissuedIntermediate('Genoa', 'vcek');

function guestUnder(issuer: LabAuthority, kind: VekKind = 'vcek'): SnpGuest {
  return createSnpGuest({ pki, signingKey: kind, [kind]: { issuer } });
}

const GUEST = guestUnder(pki.intermediate('Milan', 'vcek'));
const VLEK_GUEST = guestUnder(pki.intermediate('Milan', 'vlek'), 'vlek');
const NEW = guestUnder(REISSUED);
const MADE_UP = guestUnder({ ...pki.intermediate('Milan', 'vcek'), key: stranger.key });

const verifier = new SnpVerifier(new AmdSnpReportVerifier({ refuseProducts: new Set(), pins: PINS }), new Map());

let lab: AmdLab;

beforeEach(async () => {
  lab = await AmdLab.start();
  lab.kds.fail(/cert_chain/, { status: 404 });
});

afterEach(async () => {
  await lab.close();
});

const chainsAsked = () => lab.kds.count(/cert_chain/);

/** Codes of the verifier about a guest that brings its VEK, and CRLs: failed and unavailable ones. */
async function judge(opened: OpenAmdEndorsements, guest: SnpGuest, crls: readonly Uint8Array[] = []) {
  const vek = { der: guest.platform.vek.der };
  const evidence = guest.evidence({ endorsements: { vek, chain: null, crls } });
  const context = { at: NOW, historical: false, signal: new AbortController().signal };
  const endorsements = await opened.source.fetch(verifier.open(evidence).needs, context);
  const found = await verifier.open(evidence).verify({ at: NOW, endorsements, binding: null });
  return { codes: [...failed(found), ...idsWith(found, 'unavailable')], found };
}

const sourceOf = ({ found }: Awaited<ReturnType<typeof judge>>, kind: string) =>
  found.endorsements.find((used) => used.kind === kind)?.source;

describe('a carried chain', () => {
  it.each([
    ['VCEK', GUEST, 'ask'],
    ['VLEK', VLEK_GUEST, 'asvk'],
  ] as const)(
    'completes the path of a %s that the request brings, without a question to KDS',
    async (_, guest, kind) => {
      const judged = await judge(lab.open(), guest);
      expect(judged.codes).toEqual([]);
      expect([sourceOf(judged, kind), sourceOf(judged, 'ark')]).toEqual(['carried', 'carried']);
      expect(chainsAsked()).toBe(0);
    },
  );

  it('verifies and keeps a VCEK of KDS', async () => {
    const { vek } = await find(lab.open());
    expect(vek).toMatchObject({ origin: 'network' });
    expect((await lab.cached()).filter((name) => name.startsWith('vcek-'))).toHaveLength(1);
    expect(chainsAsked()).toBe(0);
  });

  it.each([
    ['the folder', 'store', () => lab.fill({ 'chain.pem': pki.chainPem('Milan') })],
    ['KDS', 'cache', () => lab.fill({ 'chain-milan-vcek.pem': pki.chainPem('Milan') }, lab.cacheFolder)],
  ])('gives way to a chain of %s', async (_, source, fill) => {
    await fill();
    expect(sourceOf(await judge(lab.open(), GUEST), 'ask')).toBe(source);
  });

  it('signs what it signed where the folder has another chain of the line', async () => {
    await lab.fill({ 'chain.pem': REISSUED_PEM });
    const opened = lab.open();
    expect(sourceOf(await judge(opened, GUEST), 'ask')).toBe('carried');
    expect(sourceOf(await judge(opened, NEW), 'ask')).toBe('store');
  });

  it('SNP-27 is as revoked as any where a CRL revokes it', async () => {
    const revoking = pki.issueCrl({ product: 'Milan', revoked: [{ serial: AMD_SERIALS.Milan.ask }] });
    expect((await judge(lab.open(), GUEST, [revoking])).codes).toEqual(['cert_revoked']);
    lab.kds.serveCrl('Milan', 'vcek', revoking);
    const judged = await judge(lab.open({ cacheFolder: null }), GUEST);
    expect(judged.codes).toEqual(['cert_revoked']);
    expect(judged.found.endorsements).toContainEqual(
      expect.objectContaining({ kind: 'ask', source: 'carried', revocation: 'revoked' }),
    );
  });

  it('CRT-10 has the root for a CRL of the request, and is of no use without a CRL', async () => {
    const opened = lab.open({ kds: null });
    expect((await judge(opened, GUEST)).codes).toEqual(['crl_unavailable']);
    const judged = await judge(opened, GUEST, [pki.issueCrl({ product: 'Milan' })]);
    expect(judged.codes).toEqual([]);
    expect(idsWith(judged.found, 'warn')).toEqual(['crl_unconfirmed']);
  });

  it('is not there for a line whose pin is another one', async () => {
    const { chains, chainProblem } = await find(lab.open({ kds: null }), requestFor({ products: ['Genoa'] }));
    expect(chains.size).toBe(0);
    expect(chainProblem).toMatchObject({ code: 'vcek_unavailable' });
  });
});

describe('a carried chain that AMD issues anew with the same key', () => {
  const anew = pki.issueIntermediate('Milan', 'vcek', { serial: AMD_SERIALS.Milan.ask + 1 });
  const revoking = pki.issueCrl({ product: 'Milan', number: 9, revoked: [{ serial: AMD_SERIALS.Milan.ask }] });

  beforeEach(async () => {
    await lab.kds.heal();
    lab.kds.serveChain('Milan', 'vcek', anew.pem + pki.ark('Milan').pem);
  });

  it('SNP-27 SNP-29 gives way to the chain of KDS once a CRL revokes it', async () => {
    const opened = lab.open({ inBackground: false });
    expect(sourceOf(await judge(opened, GUEST), 'ask')).toBe('carried');
    expect(chainsAsked()).toBe(0);
    lab.kds.serveCrl('Milan', 'vcek', revoking);
    lab.clock.advance(DAY_MS);
    await opened.refreshDue();
    expect((await judge(opened, GUEST)).codes).toEqual([]);
    expect((await judge(opened, GUEST)).codes).toEqual([]);
    expect(chainsAsked()).toBe(1);
    const asked = lab.kds.count(/SPL/);
    expect((await find(opened, requestFor())).vek).toMatchObject({ origin: 'network' });
    expect((await find(opened, requestFor())).vek).toMatchObject({ origin: 'cache' });
    expect(lab.kds.count(/SPL/) - asked).toBe(1);
  });

  it('SNP-27 stays revoked where KDS has no other, which is asked once in ten minutes', async () => {
    lab.kds.serveChain('Milan', 'vcek', pki.chainPem('Milan'));
    await lab.fill({ 'list.crl': revoking });
    const opened = lab.open();
    expect((await judge(opened, GUEST)).codes).toEqual(['cert_revoked']);
    expect((await judge(opened, GUEST)).codes).toEqual(['cert_revoked']);
    expect(chainsAsked()).toBe(1);
  });

  it('SNP-27 twin: stays where the CRL that revokes it is not valid now, without a question to KDS', async () => {
    const later = { thisUpdate: new Date(NOW.getTime() + DAY_MS), nextUpdate: new Date(NOW.getTime() + 9 * DAY_MS) };
    const revoked = [{ serial: AMD_SERIALS.Milan.ask }];
    await lab.fill({ 'list.crl': pki.issueCrl({ product: 'Milan', number: 9, revoked, overrides: later }) });
    const judged = await judge(lab.open(), GUEST);
    expect([judged.codes, sourceOf(judged, 'ask'), chainsAsked()]).toEqual([[], 'carried', 0]);
  });

  it('gives way to a chain of the folder, without a question to KDS', async () => {
    await lab.fill({ 'list.crl': revoking, 'old.pem': pki.chainPem('Milan'), 'anew.pem': anew.pem });
    const judged = await judge(lab.open(), GUEST);
    expect([judged.codes, sourceOf(judged, 'ask'), chainsAsked()]).toEqual([[], 'store', 0]);
  });
});

describe('a VEK that no carried chain signed', () => {
  it('SNP-29 has KDS asked for the chain, which counts and is kept', async () => {
    await lab.kds.heal();
    lab.kds.serveChain('Milan', 'vcek', REISSUED_PEM);
    const opened = lab.open();
    expect((await judge(opened, NEW)).codes).toEqual([]);
    expect((await judge(opened, NEW)).codes).toEqual([]);
    expect((await judge(opened, GUEST)).codes).toEqual([]);
    expect(chainsAsked()).toBe(1);
  });

  it('SNP-29 has KDS asked once in ten minutes where it has no other chain, and stays a deny', async () => {
    await lab.kds.heal();
    const opened = lab.open();
    for (let call = 0; call < 3; call += 1) {
      expect((await judge(opened, MADE_UP)).codes).toEqual(['cert_signature']);
    }
    expect(chainsAsked()).toBe(1);
  });
});

describe('files without a chain beside them', () => {
  it('count where a carried chain signed the VCEK, and its root the CRL', async () => {
    await lab.fill({ 'vcek.der': VCEK, 'list.crl': issueCrl(4, -1, 30) });
    const opened = lab.open({ kds: null });
    const { vek, crls } = await find(opened, requestFor());
    expect([vek, crls.get('Milan')]).toMatchObject([{ origin: 'store' }, { origin: 'store' }]);
  });

  it('are refused where they are not of the carried root', async () => {
    await lab.fill({
      'list.crl': pki.issueCrl({ product: 'Milan', issuer: { ...pki.ark('Milan'), key: stranger.key } }),
    });
    const opened = lab.open({ kds: null });
    expect((await find(opened)).crls.size).toBe(0);
    expect(opened.log.of(/rejected/)).toMatchObject([{ product: 'Milan', why: 'signature does not verify' }]);
  });

  it('do not lose a VCEK below an ASK that is not carried: the chain of KDS completes it', async () => {
    await lab.kds.heal();
    lab.kds.serveChain('Milan', 'vcek', REISSUED_PEM);
    const vcek = pki.issueVcek({
      product: 'Milan',
      chipId: CHIP,
      tcb: requestFor().reportedTcb('Milan'),
      issuer: REISSUED,
    });
    await lab.fill({ 'vcek.der': vcek.der });
    expect((await find(lab.open())).vek).toMatchObject({ origin: 'store' });
  });

  it('count where only the ASK is there: the carried root signed it', async () => {
    await lab.fill({ 'ask.pem': REISSUED.pem });
    expect(sourceOf(await judge(lab.open({ kds: null }), NEW, [issueCrl(4, -1, 30)]), 'ask')).toBe('store');
  });

  it('are imported: a VCEK, and a CRL that names its series', async () => {
    const list = issueCrl(4, -1, 30);
    await lab.fill({ 'vcek.der': VCEK, ...exported(list) }, lab.path('bundle'));
    const opened = lab.open({ kds: null });
    const { taken, refused } = await opened.importBundle(lab.path('bundle'));
    expect([taken.length, refused]).toEqual([2, []]);
    await rm(join(lab.folder, 'chain.pem'), { force: true });
    expect((await find(opened)).crls.get('Milan')).toMatchObject({ origin: 'store' });
  });
});
