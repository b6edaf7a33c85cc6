import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MissingCrl } from '../../../src/core/endorsement.js';
import { hashed } from '../../../src/crypto/digest.js';
import type { CrlAge } from '../../../src/crypto/revocation-list.js';
import type { OpenAmdEndorsements } from '../../../src/endorsements/amd/open-amd-endorsements.js';
import { CrlMemory } from '../../../src/endorsements/files/rollback-marks.js';
import { parseCrl } from '../../../src/formats/x509-crl.js';
import { NO_ROOM } from '../../../src/outside/fetch-error.js';
import { DEFAULT_RESILIENCE } from '../../../src/outside/resilient-fetch.js';
import { chainsPinned } from '../../../src/tee/snp/amd/issuers.js';
import { maySubstitute } from '../../../src/tee/snp/revocation.js';
import {
  AmdLab,
  type Asked,
  CHIP,
  DAY_MS,
  exported,
  find,
  issueCrl,
  NOW,
  PATIENT,
  PINS,
  pki,
  requestFor,
  SUPPLIED_VCEK,
} from './amd-lab.js';

/** Whether a CRL of a request may be used, where there is none of AMD's. */
function mayStandIn(problem: MissingCrl | undefined, { der, ...age }: CrlAge & { der: Uint8Array }): boolean {
  if (problem === undefined) throw new Error('there is a CRL');
  return maySubstitute({ ...age, sha256: hashed(der).sha256 }, problem.substitute);
}

const HOUR_MS = DAY_MS / 24;

/** Everything but the list is at hand. */
const COMPLETE = requestFor({ supplied: { vek: SUPPLIED_VCEK, chain: true, crls: false } });
const MARK = 'crl-highest-milan-vcek';
const KEPT = 'crl-milan-vcek.crl';

let lab: AmdLab;

beforeEach(async () => {
  lab = await AmdLab.start();
  await lab.fill({ 'chain.pem': pki.chainPem('Milan') });
});

afterEach(async () => {
  await lab.close();
});

/** The number of the list that is given out, or the code of why there is none. */
async function listOf(opened: OpenAmdEndorsements, asked: Asked = { at: lab.clock.now() }): Promise<bigint | string> {
  const { crls, crlProblems } = await find(opened, COMPLETE, asked);
  const found = crls.get('Milan');
  if (found === undefined) return crlProblems.get('Milan')?.code ?? 'nothing said';
  return parseCrl(found.value.der).crlNumber ?? 'no number';
}

const serve = (number: number, fromDays: number, toDays: number) =>
  lab.kds.serveCrl('Milan', 'vcek', issueCrl(number, fromDays, toDays));

const asked = () => lab.kds.count(/crl/);

describe('AmdCrls: what was fetched', () => {
  it('is told with when KDS last confirmed it, and when it ends', async () => {
    serve(1, -10, 10);
    const opened = lab.open();
    await opened.ready;
    expect(await opened.fetched()).toEqual([]);
    expect(await listOf(opened)).toBe(1n);
    const list = { kind: 'crl', source: 'amd.kds', expires: new Date(NOW.getTime() + 10 * DAY_MS) };
    expect(await opened.fetched()).toEqual([{ ...list, fetchedAt: NOW }]);
    lab.clock.advance(DAY_MS);
    await opened.refreshDue();
    expect(await opened.fetched()).toEqual([{ ...list, fetchedAt: lab.clock.now() }]);
    const off = lab.open({ kds: null });
    await off.ready;
    expect(await off.fetched()).toEqual([]);
  });
});

describe('AmdCrls: half life', () => {
  it('asks nobody while less than half of the life of a list is over', async () => {
    serve(1, -10, 10);
    const opened = lab.open();
    expect(await listOf(opened, { at: NOW })).toBe(1n);
    lab.clock.advance(-1);
    expect(await listOf(opened)).toBe(1n);
    await opened.refreshDue();
    expect(asked()).toBe(1);
  });

  it('asks in the background from half of its life on, and goes on answering with what it has', async () => {
    serve(1, -1, 2);
    // The request that hangs outlasts the test, which ends only if nothing waits for it.
    const opened = lab.open({}, { crlRefreshTimeoutMs: 600_000, crlAskTimeoutMs: 600_000, attemptTimeoutMs: 600_000 });
    expect(await listOf(opened)).toBe(1n);
    serve(2, 3, 13);
    lab.kds.fail(/crl/, 'half_open');
    lab.clock.advance(DAY_MS);
    expect(await listOf(opened)).toBe(1n);
    await expect.poll(asked, PATIENT).toBe(2);
    expect(await listOf(opened)).toBe(1n);
  });

  it('uses the newer list once it has come', async () => {
    serve(1, -1, 9);
    const opened = lab.open();
    await listOf(opened);
    serve(2, 3, 13);
    lab.clock.advance(4 * DAY_MS);
    await opened.refreshDue();
    expect(await listOf(opened)).toBe(2n);
    expect(parseCrl(await readFile(join(lab.cacheFolder, KEPT))).crlNumber).toBe(2n);
  });

  it('does not ask again at once where there is no newer list yet', async () => {
    serve(1, -1, 9);
    const opened = lab.open({}, { crlRefreshPauseMs: 60_000 });
    await listOf(opened);
    lab.clock.advance(5 * DAY_MS);
    for (let call = 0; call < 3; call += 1) await opened.refreshDue();
    expect(asked()).toBe(2);
    lab.clock.advance(60_000);
    await opened.refreshDue();
    expect(asked()).toBe(3);
  });

  it('keeps what it has until its end where KDS is out of reach, and never past it', async () => {
    serve(1, -1, 9);
    const opened = lab.open();
    await listOf(opened);
    await lab.kds.connect('refused');
    lab.clock.advance(9 * DAY_MS);
    await opened.refreshDue();
    expect(opened.log.of(/not renewed/)).not.toHaveLength(0);
    expect(await listOf(opened)).toBe(1n);
    lab.clock.advance(1);
    expect(await listOf(opened)).toBe('crl_stale');
    await lab.kds.heal();
    serve(2, 8, 18);
    await expect.poll(() => listOf(opened), PATIENT).toBe(2n);
  });

  it('asks once a day, long before half of the life of a list is over, and not more often', async () => {
    serve(1, -1, 365);
    const opened = lab.open();
    await listOf(opened);
    lab.clock.advance(22 * HOUR_MS);
    await opened.refreshDue();
    expect(asked()).toBe(1);
    serve(2, 0, 365);
    lab.clock.advance(HOUR_MS);
    await opened.refreshDue();
    expect(asked()).toBe(2);
    expect(await listOf(opened)).toBe(2n);
    lab.clock.advance(22 * HOUR_MS);
    await opened.refreshDue();
    expect(asked()).toBe(2);
  });

  it('knows after a restart when it asked last, and goes on asking though nobody wants the list', async () => {
    serve(1, -1, 365);
    await listOf(lab.open());
    lab.clock.advance(22 * HOUR_MS);
    const early = lab.open();
    await early.ready;
    await early.refreshDue();
    expect(asked()).toBe(1);
    await early.close();
    lab.clock.advance(HOUR_MS);
    serve(2, 0, 365);
    lab.open();
    await expect.poll(asked, PATIENT).toBe(2);
  });

  it('asks again where nothing says when it asked last', async () => {
    serve(1, -1, 365);
    await listOf(lab.open());
    await writeFile(join(lab.cacheFolder, 'crl-fetched-milan-vcek'), 'yesterday');
    lab.open();
    await expect.poll(asked, PATIENT).toBe(2);
  });

  it('renews a list that is due before it is used where the process does not live on', async () => {
    serve(1, -1, 365);
    await listOf(lab.open({ inBackground: false }));
    serve(2, 0, 365);
    lab.clock.advance(DAY_MS);
    expect(await listOf(lab.open({ inBackground: false }))).toBe(2n);
    lab.kds.fail(/crl/, { status: 500 });
    lab.clock.advance(DAY_MS);
    expect(await listOf(lab.open({ inBackground: false }))).toBe(2n);
  });

  it('ends what it is asking for when it is closed, which is no failure', async () => {
    serve(1, -10, 9);
    const opened = lab.open();
    await listOf(opened);
    lab.kds.fail(/crl/, 'half_open');
    lab.clock.advance(DAY_MS);
    const renewal = opened.refreshDue();
    await expect.poll(asked, PATIENT).toBe(2);
    await opened.close();
    await renewal;
    expect(opened.log.of(/not renewed/)).toEqual([]);
  });

  it('is closed once what was fetched is written', async () => {
    serve(1, -10, 9);
    let isHeldUp = false;
    let goOn = () => {};
    const open = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { advance } = CrlMemory.prototype;
    vi.spyOn(CrlMemory.prototype, 'advance').mockImplementation(async function (this: CrlMemory, ...given) {
      if (lab.clock.now() > NOW) {
        isHeldUp = true;
        await open;
      }
      return advance.apply(this, given);
    });
    const opened = lab.open();
    await listOf(opened);
    serve(2, 0, 30);
    lab.clock.advance(DAY_MS);
    void opened.refreshDue();
    await expect.poll(() => isHeldUp, PATIENT).toBe(true);
    const closed = opened.close();
    goOn();
    await closed;
    expect(parseCrl(await readFile(join(lab.cacheFolder, KEPT))).crlNumber).toBe(2n);
    vi.restoreAllMocks();
  });
});

describe('AmdCrls: which of several lists', () => {
  it('takes of the folder the one that was made last, since numbers mean nothing between two series', async () => {
    await lab.fill({ 'a.crl': issueCrl(7, -5, 60), 'b.crl': issueCrl(9, -6, 50), 'c.crl': issueCrl(8, -1, 70) });
    const opened = lab.open({ kds: null });
    expect(await listOf(opened)).toBe(8n);
    const { otherCrls } = await find(opened, COMPLETE);
    const others = (otherCrls.get('Milan') ?? []).map(({ value }) => parseCrl(value.der).crlNumber);
    expect(others.toSorted()).toEqual([7n, 9n]);
  });

  it('asks KDS first, whatever the folder has, and keeps the list of the folder beside that of KDS', async () => {
    await lab.fill({ 'a.crl': issueCrl(50, -10, 5) });
    serve(2, -1, 30);
    const opened = lab.open();
    const { crls, otherCrls } = await find(opened, COMPLETE);
    expect(crls.get('Milan')?.origin).toBe('network');
    expect(otherCrls.get('Milan')?.map(({ origin }) => origin)).toEqual(['store']);
    expect(await listOf(opened)).toBe(2n);
    expect(asked()).toBe(1);
  });

  it('takes the list of the folder where KDS has none, which is remembered ten minutes', async () => {
    await lab.fill({ 'a.crl': issueCrl(1, -10, 5) });
    lab.kds.fail(/crl/, { status: 404 });
    const opened = lab.open();
    for (let call = 0; call < 3; call += 1) expect(await listOf(opened)).toBe(1n);
    expect(asked()).toBe(1);
    await lab.kds.heal();
    serve(2, -1, 30);
    lab.clock.advance(599_999);
    expect(await listOf(opened)).toBe(1n);
    lab.clock.advance(60_000);
    expect(await listOf(opened)).toBe(2n);
  });

  it('fetches in the background what a request did not wait for', async () => {
    await lab.fill({ 'a.crl': issueCrl(1, -10, 5) });
    lab.kds.fail(/crl/, 'half_open');
    const opened = lab.open({}, { crlAskTimeoutMs: 10, attemptTimeoutMs: 200 });
    expect(await listOf(opened)).toBe(1n);
    await lab.kds.heal();
    serve(2, -1, 30);
    await opened.refreshDue();
    expect(await listOf(opened)).toBe(2n);
  });

  it('does not wait for KDS as long as a request can where the folder has a list', async () => {
    await lab.fill({ 'a.crl': issueCrl(1, -10, 5) });
    lab.kds.fail(/crl/, 'half_open');
    expect(await listOf(lab.open({}, { crlAskTimeoutMs: 10 }))).toBe(1n);
  });

  it('CRT-10 takes no list of the folder that is known to be of the other series', async () => {
    await lab.fill(exported(issueCrl(7, -5, 60), 'vlek'));
    const opened = lab.open({ kds: null });
    expect(await listOf(opened)).toBe('crl_unavailable');
    expect((await find(opened, COMPLETE)).otherCrls.get('Milan')).toHaveLength(1);
    await lab.fill(exported(issueCrl(1, -5, 60), 'vcek'));
    expect(await listOf(lab.open({ kds: null }))).toBe(1n);
  });

  it('CRT-10 hands on the lists of the folder where no root is held, for whoever has one', async () => {
    await rm(join(lab.folder, 'chain.pem'));
    await lab.fill({ 'a.crl': issueCrl(3, -1, 100) });
    const { crls, otherCrls } = await find(lab.open({ kds: null }), COMPLETE);
    expect([crls.size, otherCrls.get('Milan')?.length]).toEqual([0, 1]);
  });

  it('passes over lists that have ended or are from the future', async () => {
    await lab.fill({ 'a.crl': issueCrl(9, -60, -1), 'b.crl': issueCrl(10, 1, 60), 'c.crl': issueCrl(7, -5, 5) });
    const opened = lab.open({ kds: null });
    expect(await listOf(opened)).toBe(7n);
    expect((await find(opened, COMPLETE)).otherCrls.get('Milan') ?? []).toEqual([]);
  });

  it('counts both ends of the life of a list as inside', async () => {
    await lab.fill({ 'a.crl': issueCrl(1, 0, 10) });
    const opened = lab.open({ kds: null });
    const historical = (ms: number) => listOf(opened, { at: new Date(NOW.getTime() + ms), historical: true });
    expect(await historical(0)).toBe(1n);
    expect(await historical(-1)).toBe('crl_unavailable');
    expect(await historical(10 * DAY_MS)).toBe(1n);
    expect(await historical(10 * DAY_MS + 1)).toBe('crl_stale');
  });

  it('CRT-09 does not use a list that another key signed, in the folder or from KDS', async () => {
    const forged = pki.issueCrl({
      product: 'Milan',
      number: 50,
      overrides: { signer: pki.intermediate('Milan', 'vcek').key },
    });
    await lab.fill({ 'forged.crl': forged });
    lab.kds.serveCrl('Milan', 'vcek', forged);
    const opened = lab.open();
    expect(await listOf(opened)).toBe('crl_unavailable');
    expect(opened.log.of(/not taken/)).toEqual([{ file: 'forged.crl', why: 'signature does not verify' }]);
    serve(1, -1, 9);
    expect(await listOf(opened)).toBe(1n);
  });

  it('verifies a list of the folder by a root that comes from elsewhere', async () => {
    await rm(join(lab.folder, 'chain.pem'));
    const forged = pki.issueCrl({
      product: 'Milan',
      number: 50,
      overrides: { signer: pki.intermediate('Milan', 'vcek').key },
    });
    await lab.fill({ 'forged.crl': forged, 'genuine.crl': issueCrl(3, -1, 100) });
    lab.kds.fail(/crl/, { status: 500 });
    const opened = lab.open();
    expect(await listOf(opened)).toBe(3n);
    expect(opened.log.of(/rejected/)).toHaveLength(1);
  });

  it('CRT-10 has no list where no root is at hand to verify it by', async () => {
    await rm(join(lab.folder, 'chain.pem'));
    await lab.fill({ 'a.crl': issueCrl(3, -1, 100) });
    const { crlProblems } = await find(lab.open({ kds: null }), COMPLETE);
    expect(crlProblems.get('Milan')).toMatchObject({ code: 'crl_unavailable', retryable: false });
  });
});

describe('AmdCrls: rollback', () => {
  it('SNP-28 does not rely on a cached list older than one that another process has relied on meanwhile', async () => {
    serve(5, -10, 60);
    expect(await listOf(lab.open())).toBe(5n);
    await rm(join(lab.cacheFolder, MARK));
    const opened = lab.open({ kds: null });
    // Makes the snapshot, while there is no mark.
    await find(opened, COMPLETE, { at: lab.clock.now(), historical: true });
    await writeFile(join(lab.cacheFolder, MARK), `8 ${lab.clock.now().toISOString()}\n`);
    const { crls, crlProblems } = await find(opened, COMPLETE, { at: lab.clock.now() });
    expect(crls.size).toBe(0);
    const problem = crlProblems.get('Milan');
    expect(problem).toMatchObject({ code: 'crl_rollback', retryable: true });
    expect(mayStandIn(problem, { number: 9n, thisUpdate: lab.clock.now(), der: issueCrl(9, -1, 60) })).toBe(false);
  });

  it('SNP-28 does not rely on a list older than one that another process with the same folders imported', async () => {
    await lab.fill(exported(issueCrl(5, -5, 60)));
    const opened = lab.open({ kds: null });
    await opened.ready;
    const other = lab.open({ kds: null, folder: lab.path('other') });
    await lab.fill({ 'chain.pem': pki.chainPem('Milan'), ...exported(issueCrl(8, -1, 60)) }, lab.path('other'));
    await other.reload();
    expect(await listOf(other)).toBe(8n);
    expect(await listOf(opened)).toBe('crl_rollback');
    expect(await readFile(join(lab.cacheFolder, MARK), 'utf8')).toMatch(/^8 /);
  });

  it('CRT-09 does not use a list of its own source that is older than one it relied on', async () => {
    serve(9, -10, 5);
    await listOf(lab.open());
    lab.clock.advance(6 * DAY_MS);
    serve(8, -10, 60);
    // A request could join a renewal in the background.
    const opened = lab.open({ inBackground: false });
    expect(await listOf(opened)).toBe('crl_rollback');
    serve(10, 0, 60);
    expect(await listOf(opened)).toBe(10n);
  });

  it('goes on with a valid newer list while KDS serves an older one', async () => {
    serve(9, -10, 5);
    const opened = lab.open();
    await listOf(opened);
    serve(8, -1, 60);
    lab.clock.advance(DAY_MS);
    await opened.refreshDue();
    expect(opened.log.of(/not renewed/)).toEqual([
      { line: 'milan-vcek', why: 'CRL of Milan is older than one that was relied on before' },
    ]);
    expect(await listOf(opened)).toBe(9n);
  });

  it('CRT-09 does not use an older list of the folder once the newer one is gone', async () => {
    const newer = exported(issueCrl(9, -2, 60));
    await lab.fill({ ...newer, 'old.crl': issueCrl(8, -3, 60) });
    expect(await listOf(lab.open({ kds: null }))).toBe(9n);
    for (const name of Object.keys(newer)) await rm(join(lab.folder, name));
    const opened = lab.open({ kds: null });
    expect(await listOf(opened)).toBe('crl_rollback');
    expect(await listOf(opened, { at: NOW, historical: true })).toBe(8n);
  });

  it('remembers across restarts, in a small file', async () => {
    serve(9, -10, 5);
    await listOf(lab.open());
    const thisUpdate = new Date(NOW.getTime() - 10 * DAY_MS).toISOString();
    expect(await readFile(join(lab.cacheFolder, MARK), 'utf8')).toBe(`9 ${thisUpdate}\n`);
  });

  const DAMAGED =
    'whether a CRL of Milan is older than one that was relied on before is not known: the rollback mark in the cache folder is damaged or cannot be read';

  it('CRT-09 relies on no list while its memory is damaged, newer ones included, until the mark is removed', async () => {
    serve(9, -10, 5);
    await listOf(lab.open());
    await writeFile(join(lab.cacheFolder, MARK), 'nine');
    await lab.fill(exported(issueCrl(11, -2, 60)));
    for (const number of [8, 10]) {
      serve(number, -1, 60);
      for (const options of [{}, { kds: null }]) {
        const opened = lab.open(options);
        const { crls, crlProblems } = await find(opened, COMPLETE);
        expect(crls.size).toBe(0);
        expect(crlProblems.get('Milan')).toMatchObject({ code: 'crl_rollback', detail: DAMAGED });
        const older = { number: 8n, thisUpdate: NOW, der: issueCrl(8, 0, 60) };
        expect(mayStandIn(crlProblems.get('Milan'), older)).toBe(false);
        expect(opened.log.of(/^rollback mark cannot be relied on/)).toHaveLength(1);
        expect(await listOf(opened, { at: NOW, historical: true })).not.toBe('crl_rollback');
      }
    }
    const opened = lab.open();
    expect(await listOf(opened)).toBe('crl_rollback');
    await rm(join(lab.cacheFolder, MARK));
    serve(12, -1, 60);
    expect(await listOf(opened)).toBe(9n);
  });

  it('CRT-09 says crl_rollback for a damaged mark where the chain is the request’s own, and cannot be had here', async () => {
    await rm(join(lab.folder, 'chain.pem'));
    await mkdir(lab.cacheFolder, { recursive: true });
    await writeFile(join(lab.cacheFolder, MARK), 'nine');
    const { crlProblems } = await find(lab.open({ kds: null }), COMPLETE);
    const problem = crlProblems.get('Milan');
    expect(problem).toMatchObject({ code: 'crl_rollback', detail: DAMAGED, retryable: true });
    expect(mayStandIn(problem, { number: 99n, thisUpdate: NOW, der: issueCrl(99, 0, 60) })).toBe(false);
  });

  it('CRT-09 asks KDS for nothing while the mark is damaged', async () => {
    await mkdir(lab.cacheFolder, { recursive: true });
    await writeFile(join(lab.cacheFolder, MARK), 'nine');
    serve(10, -1, 60);
    expect(await listOf(lab.open())).toBe('crl_rollback');
    expect(lab.kds.count(/crl/)).toBe(0);
  });

  it('CRT-09 lets no list of a request stand in where KDS is out of reach and the mark is damaged', async () => {
    await mkdir(lab.cacheFolder, { recursive: true });
    await writeFile(join(lab.cacheFolder, MARK), 'nine');
    await lab.kds.connect('refused');
    const { crlProblems } = await find(lab.open(), COMPLETE);
    const problem = crlProblems.get('Milan');
    expect(problem).toMatchObject({ code: 'crl_rollback', detail: expect.stringContaining(DAMAGED) });
    expect(mayStandIn(problem, { number: 99n, thisUpdate: NOW, der: issueCrl(99, 0, 60) })).toBe(false);
  });

  it('SNP-28 does not remember a list of the folder that may be of either series', async () => {
    await lab.fill({ 'a.crl': issueCrl(50, -2, 60) });
    expect(await listOf(lab.open({ kds: null }))).toBe(50n);
    serve(7, -1, 60);
    expect(await listOf(lab.open())).toBe(7n);
  });

  it('SNP-28 remembers the lists of VCEKs and VLEKs each for itself', async () => {
    serve(9, -10, 60);
    const opened = lab.open();
    await listOf(opened);
    lab.kds.serveCrl('Milan', 'vlek', issueCrl(2, -1, 60));
    const { crls } = await find(opened, { ...COMPLETE, signingKey: 'vlek' });
    expect(parseCrl(crls.get('Milan')?.value.der ?? new Uint8Array()).crlNumber).toBe(2n);
  });
});

describe('AmdCrls: whether a list of the request may stand in', () => {
  const AGE = { number: 9n, thisUpdate: NOW, der: issueCrl(9, 0, 60) };
  const OLDER = { number: 8n, thisUpdate: NOW, der: issueCrl(8, 0, 60) };
  const mayBeSent = async (opened: OpenAmdEndorsements, asked: Asked = {}, list = AGE) =>
    mayStandIn((await find(opened, COMPLETE, asked)).crlProblems.get('Milan'), list);

  it.each([
    ['is off', { kds: null }, () => {}],
    ['is out of reach', {}, () => lab.kds.fail(/crl/, { status: 503 })],
    ['has no list', {}, () => lab.kds.fail(/crl/, { status: 404 })],
    ['answers with what is of no use', {}, () => lab.kds.fail(/crl/, 'garbage')],
    ['has only one that has ended', {}, () => serve(1, -9, -1)],
    ['has no root either', {}, () => rm(join(lab.folder, 'chain.pem')).then(() => lab.kds.fail(/./, { status: 500 }))],
  ])('CRT-10 it may where KDS %s', async (_what, options, prepare) => {
    await prepare();
    expect(await mayBeSent(lab.open(options))).toBe(true);
  });

  it.each(['vcek', 'vlek'] as const)('SNP-28 it may not where it is known to be the one for %ss', async (series) => {
    lab.kds.serveCrl('Milan', series, AGE.der);
    const other = series === 'vcek' ? ('vlek' as const) : ('vcek' as const);
    const opened = lab.open();
    await find(opened, { ...COMPLETE, signingKey: series });
    lab.kds.fail(/crl/, { status: 503 });
    const asked = { ...COMPLETE, signingKey: other };
    const { crlProblems } = await find(opened, asked);
    const problem = crlProblems.get('Milan');
    expect([mayStandIn(problem, AGE), mayStandIn(problem, OLDER)]).toEqual([false, true]);
  });

  it('CRT-09 it may not where it is older than a list of the series that was relied on', async () => {
    serve(9, -10, 1);
    await listOf(lab.open());
    lab.clock.advance(2 * DAY_MS);
    const opened = lab.open({ kds: null });
    expect(await mayBeSent(opened, { at: lab.clock.now() })).toBe(true);
    expect(await mayBeSent(opened, { at: lab.clock.now() }, OLDER)).toBe(false);
    await rm(join(lab.folder, 'chain.pem'));
    await rm(join(lab.cacheFolder, 'chain-milan-vcek.pem'), { force: true });
    expect(await mayBeSent(lab.open({ kds: null }), { at: lab.clock.now() }, OLDER)).toBe(false);
  });

  it('CRT-09 it may not where KDS serves a list that is older than one that was relied on', async () => {
    serve(9, -10, 1);
    await listOf(lab.open());
    lab.clock.advance(2 * DAY_MS);
    serve(8, -10, 60);
    expect(await mayBeSent(lab.open(), { at: lab.clock.now() })).toBe(false);
  });

  it('SNP-28 it may not where KDS was not asked, since the request had no time left for that', async () => {
    const opened = lab.open();
    const { crlProblems } = await find(opened, COMPLETE, { signal: AbortSignal.abort() });
    const problem = crlProblems.get('Milan');
    expect(problem).toMatchObject({ code: 'crl_unavailable', retryable: true });
    expect([mayStandIn(problem, AGE), asked()]).toEqual([false, 0]);
    expect(await listOf(opened)).toBe(1n);
  });

  it.each([
    ['no room', AbortSignal.abort(NO_ROOM), 'too many requests wait for it'],
    ['no time left', AbortSignal.abort(), 'no time was left'],
  ])(
    'CRT-10 it may not where KDS was not asked for the root either, since there was %s',
    async (_what, signal, why) => {
      await rm(join(lab.folder, 'chain.pem'));
      const opened = lab.open();
      const problem = (await find(opened, COMPLETE, { signal })).crlProblems.get('Milan');
      const detail = `no root to verify a CRL of Milan with: no certificate chain of Milan for a VCEK: AMD KDS: not contacted: ${why}`;
      expect(problem).toMatchObject({ code: 'crl_unavailable', detail, retryable: true });
      expect([mayStandIn(problem, AGE), lab.kds.requests]).toEqual([false, []]);
      expect(await listOf(opened)).toBe(1n);
    },
  );

  it('CRT-10 it may not where there was no room to ask KDS, which the answer says', async () => {
    const problem = (await find(lab.open(), COMPLETE, { signal: AbortSignal.abort(NO_ROOM) })).crlProblems.get('Milan');
    const detail = 'no CRL of Milan: AMD KDS: not contacted: too many requests wait for it';
    expect(problem).toMatchObject({ code: 'crl_unavailable', detail, retryable: true });
    expect([mayStandIn(problem, AGE), asked()]).toEqual([false, 0]);
  });

  it('CRT-10 it may not where KDS had no time to answer, which is no failure of KDS', async () => {
    lab.kds.fail(/crl/, 'half_open');
    const opened = lab.open();
    const over = new AbortController();
    const finding = find(opened, COMPLETE, { signal: over.signal });
    await expect.poll(asked, PATIENT).toBe(1);
    over.abort();
    const problem = (await finding).crlProblems.get('Milan');
    const detail = 'no CRL of Milan: AMD KDS: no answer in the little time that was left';
    expect(problem).toMatchObject({ code: 'crl_unavailable', detail, retryable: true });
    expect([mayStandIn(problem, AGE), asked()]).toEqual([false, 1]);
  });

  it('CRT-10 it may not where other requests had KDS for themselves, nor is KDS left alone then', async () => {
    const others = chainsPinned(PINS)
      .filter(({ product }) => product !== 'Milan')
      .slice(0, 4);
    lab.kds.fail(/./, 'half_open');
    // The others have their places until their attempts end, which is long before the fetch ends that waits for one.
    const opened = lab.open({}, { crlAskTimeoutMs: 40, attemptTimeoutMs: 10_000 });
    const over = new AbortController();
    const waiting = others.map(({ product, signingKey }) =>
      find(opened, { ...COMPLETE, products: [product], signingKey }, { signal: over.signal }),
    );
    await expect.poll(() => lab.kds.requests.length, PATIENT).toBe(4);
    const request = { ...COMPLETE, supplied: { ...COMPLETE.supplied, crls: true } };
    const problem = (await find(opened, request)).crlProblems.get('Milan');
    const detail = 'no CRL of Milan: AMD KDS: not contacted: the time was over before its turn came';
    expect(problem).toMatchObject({ code: 'crl_unavailable', detail, retryable: true });
    expect([mayStandIn(problem, AGE), asked()]).toEqual([false, 0]);
    over.abort();
    await Promise.all(waiting);
    await lab.kds.heal();
    expect(await listOf(opened)).toBe(1n);
  });

  it('CRT-10 it may not where VCEKs hang, however many there are: CRLs have connections of their own', async () => {
    lab.kds.fail(/SPL/, 'half_open');
    const opened = lab.open();
    const over = Array.from({ length: 8 }, () => new AbortController());
    const waiting = over.map(({ signal }, mark) =>
      find(opened, requestFor({ products: ['Genoa'], chipId: CHIP.map((byte) => byte ^ mark) }), { signal }),
    );
    await expect.poll(() => lab.kds.count(/SPL/), PATIENT).toBe(4);
    expect(await listOf(opened)).toBe(1n);
    for (const each of over) each.abort();
    await Promise.all(waiting);
  });

  it('CRT-10 it may where KDS had its time and gave no answer', async () => {
    lab.kds.fail(/crl/, 'half_open');
    const request = { ...COMPLETE, supplied: { ...COMPLETE.supplied, crls: true } };
    // As it is set: of a shorter time, a busy machine counts too little.
    const { crlProblems } = await find(lab.open({}, { crlAskTimeoutMs: 2_000 }), request);
    const problem = crlProblems.get('Milan');
    const detail = 'no CRL of Milan: AMD KDS: no answer within the time of the request';
    expect(problem).toMatchObject({ code: 'crl_unavailable', detail, retryable: true });
    expect(mayStandIn(problem, AGE)).toBe(true);
  });

  it('it may for a past instant that no list of KDS is for, whatever is remembered', async () => {
    serve(9, -10, 60);
    const opened = lab.open();
    await listOf(opened);
    const at = new Date(NOW.getTime() - 20 * DAY_MS);
    expect(await mayBeSent(opened, { at, historical: true }, OLDER)).toBe(true);
    expect(asked()).toBe(1);
  });

  it('SNP-28 does not become out of reach by VCEKs that callers have KDS fail for', async () => {
    const resilience = { ...DEFAULT_RESILIENCE, pauseMs: 0, openMs: 3_600_000 };
    lab.kds.fail(/SPL/, { status: 500 });
    const opened = lab.open({}, { resilience });
    const unknown = (mark: number) => requestFor({ products: ['Genoa'], chipId: CHIP.map((byte) => byte ^ mark) });
    await expect
      .poll(async () => (await find(opened, unknown(1))).vek, PATIENT)
      .toMatchObject({ detail: expect.stringContaining('in a row') });
    expect(await listOf(opened)).toBe(1n);
  });
});

describe('AmdCrls: after the end', () => {
  it('says that a list is stale, and removes its file', async () => {
    serve(1, -1, 9);
    const opened = lab.open();
    await listOf(opened);
    expect(await lab.cached()).toContain(KEPT);
    lab.clock.advance(9 * DAY_MS + 1);
    const at = lab.clock.now();
    const { crlProblems } = await find(opened, COMPLETE, { at });
    expect(crlProblems.get('Milan')).toMatchObject({
      code: 'crl_stale',
      detail: `CRL of Milan is past its next update, ${new Date(at.getTime() - 1).toISOString()}`,
      retryable: true,
    });
    expect(await lab.cached()).not.toContain(KEPT);
    expect(await listOf(opened)).toBe('crl_stale');
  });

  it('removes its file also where the folder has a newer one', async () => {
    serve(1, -1, 9);
    const opened = lab.open();
    await listOf(opened);
    await lab.fill({ 'new.crl': issueCrl(2, 8, 60) });
    await opened.reload();
    lab.clock.advance(9 * DAY_MS + 1);
    expect(await listOf(opened)).toBe(2n);
    expect(await lab.cached()).not.toContain(KEPT);
  });

  it('leaves the file alone for a historical request', async () => {
    serve(1, -1, 9);
    const opened = lab.open({});
    await listOf(opened);
    const at = new Date(NOW.getTime() + 20 * DAY_MS);
    expect(await listOf(opened, { at, historical: true })).toBe('crl_stale');
    expect(await lab.cached()).toContain(KEPT);
  });
});
