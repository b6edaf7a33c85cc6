import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SnpEndorsementSet } from '../../../src/core/endorsement.js';
import { DEFAULT_RESILIENCE } from '../../../src/outside/resilient-fetch.js';
import {
  AmdLab,
  CHIP,
  DAY_MS,
  exported,
  find,
  issueCrl,
  NOW,
  PATIENT,
  pki,
  requestFor,
  SUPPLIED_VCEK,
  summary,
  TCB,
  TURIN_CHIP,
  TURIN_TCB,
  VCEK,
} from './amd-lab.js';

let lab: AmdLab;

beforeEach(async () => {
  lab = await AmdLab.start();
});

afterEach(async () => {
  await lab.close();
});

describe('AmdEndorsements: order of places', () => {
  it('fetches VCEK, chain and CRL from KDS, and afterwards has them in the cache', async () => {
    const opened = lab.open();
    const first = await find(opened);
    expect(summary(first)).toEqual({ vek: 'network', chain: 'network', crl: 'network' });
    expect(foundVek(first.vek)).toEqual({ value: VCEK, origin: 'network' });
    expect(first.chains.get('Milan')?.value.map(({ der }) => plain(der))).toEqual(pki.chainDer('Milan'));
    expect(summary(await find(opened))).toEqual({ vek: 'cache', chain: 'cache', crl: 'cache' });
    await lab.fill({ 'chain.pem': pki.chainPem('Milan') });
    await opened.reload();
    expect(summary(await find(opened))).toEqual({ vek: 'cache', chain: 'store', crl: 'cache' });
    expect(lab.kds.requests.toSorted()).toEqual([
      `/vcek/v1/Milan/${Buffer.from(CHIP).toString('hex')}?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219`,
      '/vcek/v1/Milan/cert_chain',
      '/vcek/v1/Milan/crl',
    ]);
  });

  it('finds again after a restart what another process fetched', async () => {
    await find(lab.open());
    const asked = lab.kds.count();
    expect(summary(await find(lab.open()))).toEqual({ vek: 'cache', chain: 'cache', crl: 'cache' });
    expect(lab.kds.count()).toBe(asked);
  });

  it('takes everything from the folder where it is there and nobody can be asked', async () => {
    await lab.fill({ 'a.pem': pki.chainPem('Milan'), 'b.der': VCEK, 'c.crl': pki.issueCrl({ product: 'Milan' }) });
    const set = await find(lab.open({ kds: null }));
    expect(summary(set)).toEqual({ vek: 'store', chain: 'store', crl: 'store' });
    expect(await lab.cached()).toEqual([]);
  });

  it('says when it fetched VCEK and chain, also after a restart', async () => {
    const timesOf = ({ vek, chains }: Awaited<ReturnType<typeof find>>) =>
      [vek, chains.get('Milan')].map((found) => (found && 'fetchedAt' in found ? found.fetchedAt : null));
    const opened = lab.open();
    expect(timesOf(await find(opened))).toEqual([NOW, NOW]);
    lab.clock.advance(DAY_MS);
    expect(timesOf(await find(opened))).toEqual([NOW, NOW]);
    expect(timesOf(await find(lab.open({ kds: null })))).toEqual([expect.any(Date), expect.any(Date)]);
    await lab.fill({ 'a.pem': pki.chainPem('Milan'), 'b.der': VCEK });
    expect(timesOf(await find(lab.open({ kds: null })))).toEqual([null, null]);
  });

  it('starts and answers without network, and says what is missing', async () => {
    await lab.fill({ 'a.pem': pki.chainPem('Milan') });
    const set = await find(lab.open({ kds: null }));
    expect(summary(set)).toEqual({ vek: 'vcek_unavailable', chain: 'store', crl: 'crl_unavailable' });
    expect(set.vek).toMatchObject({ retryable: false });
    expect(set.crlProblems.get('Milan')).toMatchObject({ retryable: false });
  });

  it('says that nothing is there where neither folder nor cache nor KDS is', async () => {
    const set = await find(lab.open({ kds: null, cacheFolder: null }));
    expect(summary(set)).toEqual({ vek: 'vcek_unavailable', chain: 'vcek_unavailable', crl: 'crl_unavailable' });
    expect(set.chainProblem).toMatchObject({ retryable: false });
  });

  it('does not look for what the request brings, except for the root that a list needs', async () => {
    const set = await find(lab.open(), requestFor({ supplied: { vek: SUPPLIED_VCEK, chain: true, crls: false } }));
    expect(set.vek).toBeNull();
    expect(set.chains.size).toBe(0);
    expect(set.chainProblem).toBeNull();
    expect(set.crls.get('Milan')?.origin).toBe('network');
    expect(lab.kds.count(/SPL/)).toBe(0);
  });

  it('has no endorsements for evidence without an SNP report', async () => {
    const opened = lab.open();
    const context = { at: NOW, historical: false, signal: new AbortController().signal };
    expect(await opened.source.fetch([], context)).toEqual({ snp: null });
  });

  it('makes one fetch each of 100 requests for one key at a time', async () => {
    const opened = lab.open();
    const sets = await Promise.all(Array.from({ length: 100 }, () => find(opened)));
    expect(new Set(sets.map(({ vek }) => JSON.stringify(vek))).size).toBe(1);
    expect(lab.kds.count()).toBe(3);
  });

  it('does not ask again for a VCEK that KDS does not have', async () => {
    const opened = lab.open();
    const unknown = requestFor({ chipId: CHIP.map((byte) => byte ^ 1) });
    const first = await find(opened, unknown);
    expect(first.vek).toMatchObject({ code: 'vcek_unavailable', retryable: false });
    await find(opened, unknown);
    expect(lab.kds.count(/SPL/)).toBe(1);
  });

  it('asks nobody for the VCEK of a masked chip id', async () => {
    const set = await find(lab.open(), requestFor({ chipId: new Uint8Array(64) }));
    expect(set.vek).toMatchObject({ code: 'vcek_unavailable', retryable: false });
    expect(lab.kds.count(/SPL/)).toBe(0);
  });

  it('finds the VCEK of a Turin by 8 bytes of its chip id', async () => {
    const vcek = pki.issueVcek({ product: 'Turin', chipId: TURIN_CHIP, tcb: TURIN_TCB }).der;
    lab.kds.serveLine(pki, 'Turin');
    lab.kds.serveVcek('Turin', TURIN_CHIP, TURIN_TCB, vcek);
    const set = await find(lab.open(), requestFor({ products: ['Turin'], chipId: TURIN_CHIP }));
    expect(foundVek(set.vek)).toEqual({ value: vcek, origin: 'network' });
  });
});

describe('AmdEndorsements: time and faults', () => {
  it('says what is missing when the time of the request is over, and throws nothing', async () => {
    const set = await find(lab.open(), requestFor(), { signal: AbortSignal.abort() });
    expect(summary(set)).toEqual({ vek: 'vcek_unavailable', chain: 'vcek_unavailable', crl: 'crl_unavailable' });
    expect(set.vek).toMatchObject({ retryable: true });
    expect(lab.kds.count()).toBe(0);
  });

  it('answers from what it holds when the time of the request is over', async () => {
    const opened = lab.open();
    await find(opened);
    const set = await find(opened, requestFor(), { signal: AbortSignal.abort() });
    expect(summary(set)).toEqual({ vek: 'cache', chain: 'cache', crl: 'cache' });
  });

  it('leaves KDS alone once it has failed five times in a row', async () => {
    const resilience = { ...DEFAULT_RESILIENCE, pauseMs: 0, openMs: 3_600_000 };
    const opened = lab.open({}, { resilience });
    lab.kds.fail(/./, { status: 500 });
    await expect
      .poll(async () => (await find(opened)).vek, PATIENT)
      .toMatchObject({ detail: expect.stringContaining('in a row') });
    const asked = lab.kds.count();
    const set = await find(opened);
    expect(summary(set)).toEqual({ vek: 'vcek_unavailable', chain: 'vcek_unavailable', crl: 'crl_unavailable' });
    expect(set.vek).toMatchObject({ retryable: true });
    expect(lab.kds.count()).toBe(asked);
  });

  it('names no address in what it says of a fault', async () => {
    await lab.kds.connect('refused');
    const { vek, chainProblem, crlProblems } = await find(lab.open());
    expect(JSON.stringify([vek, chainProblem, ...crlProblems.values()])).not.toMatch(/localhost|127\.0|https?:|\/v1\//);
  });

  it('REQ-14 asks nobody but the configured origin, whatever a request says', async () => {
    lab.kds.fail(/./, 'redirect');
    const set = await find(lab.open());
    expect(summary(set)).toEqual({ vek: 'vcek_unavailable', chain: 'vcek_unavailable', crl: 'crl_unavailable' });
    expect(set.vek).toMatchObject({ detail: expect.stringContaining('redirect') });
  });
});

describe('AmdEndorsements: several lines that fit', () => {
  const either = requestFor({ products: ['Milan', 'Genoa'] });

  it('looks in all local places for all lines before it asks KDS for one', async () => {
    const vcek = pki.issueVcek({ product: 'Genoa', chipId: CHIP, tcb: TCB }).der;
    await lab.fill({ 'genoa.pem': pki.chainPem('Genoa'), 'v.der': vcek, 'g.crl': pki.issueCrl({ product: 'Genoa' }) });
    const set = await find(lab.open(), either);
    expect(foundVek(set.vek)).toEqual({ value: vcek, origin: 'store' });
    expect([...set.chains.keys()]).toEqual(['Genoa']);
    expect([...set.crls.keys()]).toEqual(['Genoa']);
    expect(lab.kds.requests).toEqual(['/vcek/v1/Genoa/crl']);
  });

  it('asks KDS for the lines in their order', async () => {
    const vcek = pki.issueVcek({ product: 'Genoa', chipId: CHIP, tcb: TCB }).der;
    lab.kds.fail(/Milan.*SPL/, { status: 404 });
    lab.kds.serveLine(pki, 'Genoa');
    lab.kds.serveVcek('Genoa', CHIP, TCB, vcek);
    const set = await find(lab.open(), either);
    expect(foundVek(set.vek)).toEqual({ value: vcek, origin: 'network' });
    expect(lab.kds.requests.slice(0, 2).map((path) => path.split('/')[3])).toEqual(['Milan', 'Genoa']);
  });

  it('says of each line why there is no VCEK', async () => {
    lab.kds.fail(/Milan.*SPL/, { status: 500 });
    lab.kds.fail(/Genoa.*SPL/, { status: 404 });
    expect((await find(lab.open(), either)).vek).toMatchObject({
      code: 'vcek_unavailable',
      retryable: true,
      detail: expect.stringMatching(
        /^no VCEK for this chip and TCB of Milan: .*500.*; no VCEK for this chip and TCB of Genoa: .*404/,
      ),
    });
  });

  it('says that asking again may help where the fault of one line may pass', async () => {
    lab.kds.fail(/Milan.*SPL/, { status: 500 });
    expect((await find(lab.open(), either)).vek).toMatchObject({ code: 'vcek_unavailable', retryable: true });
  });

  it('gives chains and lists of all lines where the request brings a VEK that does not tell', async () => {
    lab.kds.serveLine(pki, 'Genoa');
    const set = await find(lab.open(), { ...either, supplied: { vek: SUPPLIED_VCEK, chain: false, crls: false } });
    expect([...set.chains.keys()]).toEqual(['Milan', 'Genoa']);
    expect([...set.crls.keys()]).toEqual(['Milan', 'Genoa']);
  });
});

describe('AmdEndorsements: faults', () => {
  it.each([
    ['looked for', false],
    ['supplied', true],
  ])('rejects a request with a fault of its own, and nothing else, where the chain is %s', async (_which, chain) => {
    await lab.fill({ 'a.pem': pki.chainPem('Milan') });
    const opened = lab.open();
    const reportedTcb = () => {
      throw new TypeError('a fault');
    };
    const request = requestFor({ supplied: { vek: null, chain, crls: false }, reportedTcb });
    await expect(find(opened, request)).rejects.toThrow('a fault');
    // A promise that nobody waits for would end the run here.
    await setImmediate();
    expect(summary(await find(opened)).chain).toBe('store');
  });
});

describe('AmdEndorsements: VLEK', () => {
  const request = requestFor({ signingKey: 'vlek' });

  it('cannot be had from KDS, and says so', async () => {
    const set = await find(lab.open(), request);
    expect(set.vek).toMatchObject({ code: 'vcek_unavailable', retryable: false });
    expect(set.vek).toMatchObject({ detail: expect.stringContaining('cloud provider') });
    expect(set.chains.get('Milan')?.value.map(({ der }) => plain(der))).toEqual(pki.chainDer('Milan', 'vlek'));
    expect(lab.kds.requests.every((path) => path.startsWith('/vlek/v1/Milan/'))).toBe(true);
  });

  it('is taken from the folder by line and TCB, of several the one issued last', async () => {
    const issue = (daysAgo: number) =>
      pki.issueVlek({
        product: 'Milan',
        tcb: TCB,
        overrides: { notBefore: new Date(NOW.getTime() - daysAgo * DAY_MS) },
      }).der;
    const [older, newer] = [issue(20), issue(2)];
    const otherTcb = pki.issueVlek({ product: 'Milan', tcb: { ...TCB, snp: 25 } }).der;
    await lab.fill({ 'a.der': newer, 'b.der': older, 'c.der': otherTcb, 'd.pem': pki.chainPem('Milan', 'vlek') });
    expect(foundVek((await find(lab.open(), request)).vek)).toEqual({ value: newer, origin: 'store' });
  });
});

describe('AmdEndorsements: keys of the folder', () => {
  it('pass by one that the chain in the cache does not vouch for, and ask KDS', async () => {
    await find(lab.open());
    await rm(join(lab.cacheFolder, (await lab.cached()).find((name) => name.startsWith('vcek-')) ?? ''));
    await lab.fill({
      'forged.der': pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, issuer: stranger() }).der,
    });
    const set = await find(lab.open());
    expect(foundVek(set.vek)).toEqual({ value: VCEK, origin: 'network' });
  });

  it('take one that is genuine by the chain in the cache', async () => {
    await find(lab.open());
    await lab.fill({ 'v.der': VCEK });
    const set = await find(lab.open({ kds: null }));
    expect(foundVek(set.vek)).toEqual({ value: VCEK, origin: 'store' });
  });
});

describe('AmdEndorsements: a VCEK that has ended', () => {
  const END = new Date(NOW.getTime() + DAY_MS);
  const AFTER = new Date(END.getTime() + 1);
  const OLD = pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, overrides: { notAfter: END } }).der;
  const RENEWED = pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, overrides: { notBefore: END } }).der;

  beforeEach(() => lab.fill({ 'chain.pem': pki.chainPem('Milan') }));

  it.each(['cache', 'store'] as const)('in the %s is replaced by the one that KDS has now', async (place) => {
    if (place === 'store') await lab.fill({ 'old.der': OLD });
    lab.kds.serveVcek('Milan', CHIP, TCB, OLD);
    const opened = lab.open();
    expect(foundVek((await find(opened)).vek)).toMatchObject({ value: OLD });
    lab.kds.serveVcek('Milan', CHIP, TCB, RENEWED);
    lab.clock.advance(END.getTime() - NOW.getTime());
    expect(foundVek((await find(opened, requestFor(), { at: END })).vek)).toMatchObject({ value: OLD });
    lab.clock.advance(AFTER.getTime() - END.getTime());
    const renewed = await find(opened, requestFor(), { at: AFTER });
    expect(foundVek(renewed.vek)).toEqual({ value: RENEWED, origin: 'network' });
    const again = await find(opened, requestFor(), { at: AFTER });
    expect(foundVek(again.vek)).toEqual({ value: RENEWED, origin: 'cache' });
    const restarted = await find(lab.open({ kds: null }), requestFor(), { at: AFTER });
    expect(foundVek(restarted.vek)).toEqual({ value: RENEWED, origin: 'cache' });
  });

  it('is given out where there is no other, so that it can be said what is wrong', async () => {
    await lab.fill({ 'old.der': OLD });
    const set = await find(lab.open({ kds: null }), requestFor(), { at: AFTER });
    expect(foundVek(set.vek)).toEqual({ value: OLD, origin: 'store' });
  });

  it('decides nothing while KDS may have another and is out of reach', async () => {
    await lab.fill({ 'old.der': OLD });
    lab.kds.fail(/SPL/, { status: 500 });
    const set = await find(lab.open(), requestFor(), { at: AFTER });
    expect(set.vek).toMatchObject({ code: 'vcek_unavailable', retryable: true });
  });

  it('is not asked for again for an instant before it began', async () => {
    await lab.fill({ 'renewed.der': RENEWED });
    const set = await find(lab.open(), requestFor(), { at: NOW, historical: true });
    expect(foundVek(set.vek)).toEqual({ value: RENEWED, origin: 'store' });
    expect(lab.kds.count(/SPL/)).toBe(0);
  });
});

describe('AmdEndorsements: historical requests', () => {
  const past = { at: new Date(NOW.getTime() - 60_000), historical: true };

  it('write nothing and advance no memory', async () => {
    const opened = lab.open();
    expect(summary(await find(opened, requestFor(), past))).toEqual({
      vek: 'network',
      chain: 'network',
      crl: 'network',
    });
    expect(await lab.cached()).toEqual([]);
    expect(summary(await find(opened, requestFor(), past))).toEqual({
      vek: 'network',
      chain: 'network',
      crl: 'network',
    });
  });

  it('read what is kept', async () => {
    const opened = lab.open();
    await find(opened);
    expect(summary(await find(opened, requestFor(), past))).toEqual({ vek: 'cache', chain: 'cache', crl: 'cache' });
  });

  it('use the list that was valid at their instant, however old, and leave the memory alone', async () => {
    const old = issueCrl(3, -40, -10);
    await lab.fill({ 'chain.pem': pki.chainPem('Milan'), 'old.crl': old, ...exported(issueCrl(4, -9, 20)) });
    const opened = lab.open({ kds: null });
    await find(opened);
    const before = await readFile(join(lab.cacheFolder, 'crl-highest-milan-vcek'), 'utf8');
    const at = new Date(NOW.getTime() - 20 * DAY_MS);
    const set = await find(opened, requestFor(), { at, historical: true });
    expect(plain(set.crls.get('Milan')?.value.der)).toEqual(old);
    expect(await readFile(join(lab.cacheFolder, 'crl-highest-milan-vcek'), 'utf8')).toBe(before);
  });

  it('do not ask KDS for a list where a newer one than their instant is held already', async () => {
    const opened = lab.open();
    await find(opened);
    const asked = lab.kds.count();
    const at = new Date(NOW.getTime() - 10 * DAY_MS);
    const set = await find(opened, requestFor(), { at, historical: true });
    expect(set.crlProblems.get('Milan')?.code).toBe('crl_unavailable');
    expect(lab.kds.count()).toBe(asked);
  });

  it('have no list where the one of KDS is from after their instant', async () => {
    const at = new Date(NOW.getTime() - 10 * DAY_MS);
    const set = await find(lab.open(), requestFor(), { at, historical: true });
    expect(set.crlProblems.get('Milan')?.code).toBe('crl_unavailable');
  });
});

describe('AmdEndorsements: cache', () => {
  it('ignores a poisoned VCEK file and replaces it', async () => {
    await find(lab.open());
    const [name = ''] = (await lab.cached()).filter((file) => file.startsWith('vcek-'));
    for (const poison of [
      Buffer.from('not a certificate'),
      pki.issueVcek({ product: 'Milan', chipId: CHIP.map((byte) => byte ^ 1), tcb: TCB }).der,
      pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: { ...TCB, snp: 23 } }).der,
      pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, issuer: stranger() }).der,
    ]) {
      await writeFile(join(lab.cacheFolder, name), poison);
      const opened = lab.open();
      const before = lab.kds.count(/SPL/);
      expect(foundVek((await find(opened)).vek)).toEqual({ value: VCEK, origin: 'network' });
      expect(lab.kds.count(/SPL/)).toBe(before + 1);
      expect(await readFile(join(lab.cacheFolder, name))).toEqual(Buffer.from(VCEK));
      expect(opened.log.of(/does not match/)).toHaveLength(1);
    }
  });

  it('ignores a poisoned chain and a poisoned list and replaces them', async () => {
    await find(lab.open());
    const poisons = {
      'chain-milan-vcek.pem': pki.chainPem('Genoa'),
      'crl-milan-vcek.crl': pki.issueCrl({ product: 'Genoa' }),
    };
    for (const [name, poison] of Object.entries(poisons)) {
      const genuine = await readFile(join(lab.cacheFolder, name));
      await writeFile(join(lab.cacheFolder, name), poison);
      const opened = lab.open();
      await find(opened);
      expect(opened.log.of(/does not match/)).toHaveLength(1);
      expect(await readFile(join(lab.cacheFolder, name))).toEqual(genuine);
    }
  });

  it('keeps no more VCEK files than it may, the oldest go', async () => {
    const opened = lab.open({}, { cachedFiles: 2 });
    const chips = [1, 2, 3].map((mark) => CHIP.map((byte) => byte ^ mark));
    for (const chipId of chips) {
      lab.kds.serveVcek('Milan', chipId, TCB, pki.issueVcek({ product: 'Milan', chipId, tcb: TCB }).der);
      await find(opened, requestFor({ chipId }));
    }
    const vceks = async () => (await lab.cached()).filter((name) => name.startsWith('vcek-'));
    await expect.poll(vceks, PATIENT).toHaveLength(2);
    const again = lab.open({ kds: null });
    const found = [];
    for (const chipId of chips) found.push(summary(await find(again, requestFor({ chipId }))).vek);
    expect(found).toEqual(['vcek_unavailable', 'cache', 'cache']);
  });

  it('counts a VCEK as used also where it answers from memory', async () => {
    const opened = lab.open({}, { cachedFiles: 2 });
    const chips = [1, 2, 1, 3].map((mark) => CHIP.map((byte) => byte ^ mark));
    for (const chipId of chips) {
      lab.kds.serveVcek('Milan', chipId, TCB, pki.issueVcek({ product: 'Milan', chipId, tcb: TCB }).der);
      await find(opened, requestFor({ chipId }));
    }
    const again = lab.open({ kds: null });
    const found = [];
    for (const chipId of chips) found.push(summary(await find(again, requestFor({ chipId }))).vek);
    expect(found).toEqual(['cache', 'vcek_unavailable', 'cache', 'cache']);
  });

  it('works from memory where its folder cannot be written to, and says so once', async () => {
    await writeFile(lab.cacheFolder, 'a file where the folder should be');
    const opened = lab.open();
    expect(summary(await find(opened))).toEqual({ vek: 'network', chain: 'network', crl: 'network' });
    expect(summary(await find(opened))).toEqual({ vek: 'cache', chain: 'cache', crl: 'cache' });
    expect(opened.log.of(/cannot be written/)).toHaveLength(1);
  });

  it('leaves no temporary files, and files only their owner can read', async () => {
    await find(lab.open());
    const names = await readdir(lab.cacheFolder);
    expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(names).toHaveLength(5);
    for (const name of names) expect((await stat(join(lab.cacheFolder, name))).mode & 0o077).toBe(0);
  });

  it('gives out a VCEK that it cannot verify for want of the chain, and does not keep it', async () => {
    lab.kds.fail(/cert_chain/, { status: 500 });
    const set = await find(lab.open());
    expect(summary(set)).toEqual({ vek: 'network', chain: 'vcek_unavailable', crl: 'crl_unavailable' });
    expect(await lab.cached()).toEqual([]);
  });

  it.each([
    ['of another chip', () => pki.issueVcek({ product: 'Milan', chipId: CHIP.map((byte) => byte ^ 1), tcb: TCB }).der],
    ['of another TCB', () => pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: { ...TCB, microcode: 1 } }).der],
    ['of another signer', () => pki.issueVcek({ product: 'Milan', chipId: CHIP, tcb: TCB, issuer: stranger() }).der],
  ])('does not take a VCEK %s from KDS', async (_what, issue) => {
    lab.kds.serveVcek('Milan', CHIP, TCB, issue());
    expect((await find(lab.open())).vek).toMatchObject({ code: 'vcek_unavailable', retryable: true });
    expect((await lab.cached()).filter((name) => name.startsWith('vcek-'))).toEqual([]);
  });

  it('does not take a chain from KDS whose root is not pinned, or that is of another line', async () => {
    const other = lab.open({ pins: pki.pins(['Genoa']) });
    expect((await find(other)).chainProblem).toMatchObject({ code: 'vcek_unavailable', retryable: true });
    lab.kds.serveChain('Milan', 'vcek', pki.chainPem('Milan', 'vlek'));
    expect((await find(lab.open())).chainProblem).toMatchObject({ code: 'vcek_unavailable', retryable: true });
  });
});

const plain = (bytes: Uint8Array | undefined) => new Uint8Array(bytes ?? []);

function foundVek(vek: SnpEndorsementSet['vek']) {
  return vek === null || 'code' in vek ? vek : { value: plain(vek.value.der), origin: vek.origin };
}

/** An authority with the name of the ASK and another key. */
function stranger() {
  const genuine = pki.intermediate('Milan', 'vcek');
  return { ...genuine, key: pki.intermediate('Genoa', 'vcek').key };
}
