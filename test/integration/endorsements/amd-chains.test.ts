import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenAmdEndorsements } from '../../../src/endorsements/amd/open-amd-endorsements.js';
import { AmdSnpReportVerifier } from '../../../src/tee/snp/snp-report-verifier.js';
import { SnpVerifier } from '../../../src/tee/snp/snp-verifier.js';
import { createSnpGuest, type LabAuthority, type SnpGuest, type VekKind } from '../../lab/index.js';
import { failed, idsWith } from '../../unit/tee/fixture.js';
import { AmdLab, DAY_MS, NOW, type Opened, PATIENT, PINS, pki } from './amd-lab.js';

const MINUTE_MS = 60_000;
const REISSUED = pki.reissuedIntermediate('Milan', 'vcek');
const REISSUED_PEM = REISSUED.pem + pki.ark('Milan').pem;

/** A guest whose VCEK or VLEK one of the two intermediates signed. */
function guestUnder(issuer: LabAuthority, kind: VekKind = 'vcek'): SnpGuest {
  return createSnpGuest({ pki, signingKey: kind, [kind]: { issuer } });
}

const OLD = guestUnder(pki.intermediate('Milan', 'vcek'));
const NEW = guestUnder(REISSUED);

let lab: AmdLab;

beforeEach(async () => {
  lab = await AmdLab.start();
});

afterEach(async () => {
  await lab.close();
});

const chainsAsked = () => lab.kds.count(/cert_chain/);
const verifier = new SnpVerifier(new AmdSnpReportVerifier({ refuseProducts: new Set(), pins: PINS }), new Map());

interface Judging {
  /** Whether the request brings the VEK. */
  readonly bringsVek?: boolean;
  readonly bringsChain?: boolean;
  readonly historical?: boolean;
  readonly signal?: AbortSignal;
}

/** Codes of the verifier about a guest, by the endorsements of the source: failed and unavailable ones. */
async function judge(opened: OpenAmdEndorsements, guest: SnpGuest, judging: Judging = {}) {
  const { bringsVek = true, bringsChain = false, historical = false } = judging;
  const { signal = new AbortController().signal } = judging;
  const vek = bringsVek ? { der: guest.platform.vek.der } : null;
  const evidence = guest.evidence({
    endorsements: { vek, chain: bringsChain ? guest.platform.chain : null, crls: [] },
  });
  const context = { at: NOW, historical, signal };
  const endorsements = await opened.source.fetch(verifier.open(evidence).needs, context);
  const found = await verifier.open(evidence).verify({ at: NOW, endorsements, binding: null });
  return [...failed(found), ...idsWith(found, 'unavailable')];
}

/** A source that holds a chain, in its cache. */
async function holding(pem = pki.chainPem('Milan')): Promise<Opened> {
  lab.kds.serveChain('Milan', 'vcek', pem);
  const opened = lab.open();
  await judge(opened, pem === REISSUED_PEM ? NEW : OLD);
  return opened;
}

const serveReissued = () => lab.kds.serveChain('Milan', 'vcek', REISSUED_PEM);

describe('an ASK that AMD has issued again with a new key', () => {
  it('SNP-29 is fetched where a VCEK of the request is not signed by the one that is held', async () => {
    const opened = await holding();
    serveReissued();
    expect(await judge(opened, NEW)).toEqual([]);
    expect(chainsAsked()).toBe(2);
    expect(await judge(opened, NEW)).toEqual([]);
    expect(chainsAsked()).toBe(2);
  });

  it('SNP-29 goes on with VCEKs of before, also after a restart', async () => {
    const opened = await holding();
    serveReissued();
    await judge(opened, NEW);
    for (const each of [opened, lab.open()]) {
      expect(await judge(each, OLD)).toEqual([]);
      expect(await judge(each, NEW)).toEqual([]);
    }
    expect(chainsAsked()).toBe(2);
  });

  it('SNP-29 the other way round: KDS serves the old one while the new one is held', async () => {
    const opened = await holding(REISSUED_PEM);
    lab.kds.serveChain('Milan', 'vcek', pki.chainPem('Milan'));
    expect(await judge(opened, OLD)).toEqual([]);
    expect(await judge(opened, NEW)).toEqual([]);
  });

  it('SNP-29 is fetched where the VCEK is one of KDS', async () => {
    const opened = await holding();
    serveReissued();
    const { chipId, tcb, vek } = NEW.platform;
    lab.kds.serveVcek('Milan', chipId, tcb, vek.der);
    expect(await judge(opened, NEW, { bringsVek: false })).toEqual([]);
    expect((await lab.cached()).filter((name) => name.startsWith('vcek-'))).toHaveLength(1);
    expect(await judge(lab.open({ kds: null }), NEW, { bringsVek: false })).toEqual([]);
  });

  it('SNP-29 is fetched where the folder has the chain of before', async () => {
    await lab.fill({ 'chain.pem': pki.chainPem('Milan') });
    serveReissued();
    const opened = lab.open();
    expect(await judge(opened, NEW)).toEqual([]);
    expect(await judge(opened, OLD)).toEqual([]);
    expect(chainsAsked()).toBe(1);
  });

  it('SNP-29 needs nobody where the folder has both chains', async () => {
    const [old, renewed] = [OLD.platform.vek.der, NEW.platform.vek.der];
    await lab.fill({ 'a.pem': pki.chainPem('Milan'), 'b.pem': REISSUED_PEM, 'old.der': old, 'new.der': renewed });
    const opened = lab.open();
    expect(await judge(opened, OLD)).toEqual([]);
    expect(await judge(opened, NEW)).toEqual([]);
    await opened.ready;
    expect(opened.log.of(/not taken/)).toEqual([]);
    expect(chainsAsked()).toBe(0);
  });

  it('SNP-29 is fetched for a VLEK of the folder as well', async () => {
    const reissued = pki.reissuedIntermediate('Milan', 'vlek');
    const guest = guestUnder(reissued, 'vlek');
    await judge(lab.open(), guestUnder(pki.intermediate('Milan', 'vlek'), 'vlek'));
    await lab.fill({ 'vlek.der': guest.platform.vek.der });
    lab.kds.serveChain('Milan', 'vlek', reissued.pem + pki.ark('Milan').pem);
    expect(await judge(lab.open(), guest, { bringsVek: false })).toEqual([]);
  });

  it('SNP-29 is fetched once for many requests at the same time', async () => {
    const opened = await holding();
    serveReissued();
    const all = await Promise.all(Array.from({ length: 20 }, () => judge(opened, NEW)));
    expect(all.flat()).toEqual([]);
    expect(chainsAsked()).toBe(2);
  });

  it('SNP-29 is fetched for a past instant, and not kept', async () => {
    const opened = await holding();
    serveReissued();
    expect(await judge(opened, NEW, { historical: true })).toEqual([]);
    expect(await lab.cached()).not.toContain('chain-milan-vcek-before.pem');
    expect(await judge(opened, NEW, { historical: true })).toEqual([]);
    expect(chainsAsked()).toBe(2);
    expect(await judge(opened, NEW)).toEqual([]);
    expect(chainsAsked()).toBe(3);
  });
});

describe('a VEK that no chain of AMD signed', () => {
  const made = pki.reissuedIntermediate('Genoa', 'vcek');
  const MADE_UP = guestUnder({ ...pki.intermediate('Milan', 'vcek'), key: made.key });

  it('SNP-29 has KDS asked once in ten minutes, and stays a deny', async () => {
    const opened = await holding();
    for (let call = 0; call < 3; call += 1) expect(await judge(opened, MADE_UP)).toEqual(['cert_signature']);
    expect(chainsAsked()).toBe(2);
    lab.clock.advance(10 * MINUTE_MS - 1);
    await judge(opened, MADE_UP);
    expect(chainsAsked()).toBe(2);
    lab.clock.advance(1);
    expect(await judge(opened, MADE_UP)).toEqual(['cert_signature']);
    expect(chainsAsked()).toBe(3);
  });

  it('SNP-29 stays a deny where KDS is off or out of reach', async () => {
    await holding();
    expect(await judge(lab.open({ kds: null }), MADE_UP)).toEqual(['cert_signature']);
    lab.kds.fail(/cert_chain/, { status: 500 });
    expect(await judge(lab.open(), MADE_UP)).toEqual(['cert_signature']);
  });

  it('SNP-29 takes nothing from a genuine one in the pause that follows', async () => {
    const opened = await holding();
    serveReissued();
    expect(await judge(opened, MADE_UP)).toEqual(['cert_signature']);
    expect(await judge(opened, NEW)).toEqual([]);
    expect(chainsAsked()).toBe(2);
  });

  it('SNP-29 does not use up the renewal by leaving early', async () => {
    const opened = await holding();
    serveReissued();
    expect(await judge(opened, MADE_UP, { signal: AbortSignal.abort() })).toEqual(['cert_signature']);
    await expect.poll(chainsAsked, PATIENT).toBe(2);
    await expect.poll(() => judge(opened, NEW), PATIENT).toEqual([]);
    expect(chainsAsked()).toBe(2);
  });

  it('SNP-29 is judged by the chain of the request alone, where that brings one', async () => {
    const opened = await holding();
    serveReissued();
    expect(await judge(opened, NEW, { bringsChain: true })).toEqual(['cert_signature']);
    expect(chainsAsked()).toBe(1);
  });

  it('is not waited for once the source is closed', async () => {
    const opened = await holding();
    lab.kds.fail(/cert_chain/, 'half_open');
    const judging = judge(opened, MADE_UP);
    await expect.poll(chainsAsked, PATIENT).toBe(2);
    await opened.close();
    expect(await judging).toEqual(['cert_signature']);
  });
});

describe('a chain that was fetched', () => {
  it('is fetched again where its file is damaged', async () => {
    const opened = await holding();
    serveReissued();
    await judge(opened, NEW);
    await lab.fill({ 'chain-milan-vcek.pem': 'none' }, lab.cacheFolder);
    await rm(join(lab.cacheFolder, 'chain-milan-vcek-before.pem'));
    lab.clock.advance(DAY_MS);
    expect(await judge(lab.open(), NEW)).toEqual([]);
  });
});
