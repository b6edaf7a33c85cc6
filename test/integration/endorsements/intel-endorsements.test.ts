import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TdxCollateral } from '../../../src/core/evidence.js';
import { createIntelPki } from '../../lab/intel-pki.js';
import { TdxPlatform } from '../../lab/tdx-platform.js';
import {
  asFile,
  collateral,
  DAY_MS,
  day,
  fmspc,
  HOUR_MS,
  IntelLab,
  NOW,
  PATIENT,
  pckListOf,
  pki,
  platform,
} from './intel-lab.js';

let lab: IntelLab;

beforeEach(async () => {
  lab = await IntelLab.start();
});

afterEach(async () => {
  await lab.close();
});

const supplied = (value: TdxCollateral) => ({ request: { supplied: value } });
const asEvidence = (value: TdxCollateral) => ({ value, origin: 'evidence' as const });
/** The same, as it goes to the verifier where nobody confirms it. */
const unconfirmed = (value: TdxCollateral) => ({ ...asFile(asEvidence(value)), unconfirmed: expect.anything() });

describe('where collateral is from', () => {
  it('is fetched once, kept, and read from the cache by the next process', async () => {
    const served = lab.serve();
    const opened = lab.open();
    expect(asFile(await lab.find(opened))).toEqual(asFile({ value: served, origin: 'network' }));
    expect(lab.pcs.requests).toEqual([
      `/tdx/certification/v4/tcb?fmspc=${fmspc}`,
      ...['/tdx/certification/v4/qe/identity', '/sgx/certification/v4/pckcrl?ca=platform&encoding=der'].map((path) =>
        expect.stringContaining(path),
      ),
      '/sgx/certification/v4/rootcacrl',
      '/IntelSGXRootCA.der',
    ]);
    expect(asFile(await lab.find(opened))).toEqual(asFile({ value: served, origin: 'cache' }));
    const again = await lab.find(lab.open({ pcs: null }));
    expect(asFile(again)).toEqual(asFile({ value: served, origin: 'cache' }));
    expect(again).toMatchObject({
      partsFetchedAt: { tcbInfo: NOW, qeIdentity: NOW, pckCrl: NOW, rootCaCrl: NOW },
    });
    expect(lab.pcs.count()).toBe(5);
  });

  it('tells of what was fetched until it has ended, and of nothing where no source is configured', async () => {
    lab.serve();
    const opened = lab.open();
    await opened.ready;
    expect(await opened.fetched()).toEqual([]);
    await lab.find(opened);
    const [held, ...others] = await opened.fetched();
    expect([held, others]).toEqual([
      { kind: 'tdx-collateral', source: 'intel.pcs', fetchedAt: NOW, expires: expect.any(Date) },
      [],
    ]);
    const lasts = (held?.expires.getTime() ?? 0) - NOW.getTime();
    expect([lasts > 25 * DAY_MS, lasts <= 30 * DAY_MS]).toEqual([true, true]);
    const off = lab.open({ pcs: null });
    await off.ready;
    expect(await off.fetched()).toEqual([]);
    lab.clock.advance(31 * DAY_MS);
    expect(await opened.fetched()).toEqual([]);
  });

  it('is that of the folder before the cache and the network', async () => {
    const stored = collateral();
    await lab.fill({ 'any name.json': stored });
    const expected = asFile({ value: stored, origin: 'store' });
    expect(asFile(await lab.find(lab.open({ pcs: null })))).toEqual(expected);
    expect(lab.pcs.count()).toBe(0);
    expect(asFile(await lab.find(lab.open()))).toEqual(expected);
  });

  it('says of the folder when each kind of platform ends: of equal numbers by the set that lasts longest', async () => {
    await lab.fill({
      'a.json': collateral({ at: day(-5) }),
      'b.json': collateral(),
      'c.json': collateral({ at: day(-9) }),
      // Another CA is another kind of platform: what lasts longer there replaces nothing here.
      'd.json': new TdxPlatform({ pki, ca: 'processor' }).collateral({ at: day(-3) }),
    });
    const opened = lab.open({ pcs: null });
    await opened.ready;
    const found = opened.endings(NOW);
    const ofCa = (file: string, ca: string) => {
      return { key: 'intel.collateral', file, subject: `FMSPC ${fmspc}, ${ca} CA`, expires: expect.any(String) };
    };
    expect(found).toEqual([ofCa('b.json', 'platform'), ofCa('d.json', 'processor')]);
    // The lab's collateral lasts as long as Intel's.
    expect(Date.parse(found[0]?.expires ?? '') - NOW.getTime()).toBeLessThanOrEqual(30 * DAY_MS);
    expect(Date.parse(found[0]?.expires ?? '') - NOW.getTime()).toBeGreaterThan(25 * DAY_MS);
  });

  it.each(['tcbInfo', 'qeIdentity'] as const)(
    'says when a set ends beside one with a lower number in %s',
    async (part) => {
      const ends = (nextUpdate: Date, evaluationNumber: number) =>
        collateral({ [part]: { issueDate: day(-1), nextUpdate, evaluationNumber } });
      await lab.fill({ 'new.json': ends(day(2), 20), 'old.json': ends(day(25), 19) });
      const opened = lab.open({ pcs: null });
      await opened.ready;
      expect(opened.endings(NOW)[0]).toMatchObject({ file: 'new.json', expires: day(2).toISOString() });
      const found = opened.endings(day(3)).map(({ file }) => file);
      expect(found).toEqual(['new.json', 'old.json']);
    },
  );

  it('says of a set whose CRL has ended when the newer ones of another platform end, as TDs are judged by them', async () => {
    const listOf = (from: number, to: number) => ({
      pckCrl: { overrides: { thisUpdate: day(from), nextUpdate: day(to) } },
    });
    const other = new TdxPlatform({ pki, fmspc: 'ff0000000001' });
    const ended = collateral(listOf(-30, -2));
    await lab.fill({ 'a.json': ended, 'b.json': other.collateral({ at: NOW, ...listOf(-1, 20) }) });
    const opened = lab.open({ pcs: null });
    await opened.ready;
    expect(opened.endings(NOW)).toEqual([
      expect.objectContaining({ file: 'a.json', expires: day(20).toISOString() }),
      expect.objectContaining({ file: 'b.json', expires: day(20).toISOString() }),
    ]);
    // Nothing stands in for what has ended once the other has, too.
    expect(opened.endings(day(21)).map(({ expires }) => expires)).toContain(day(-2).toISOString());
  });

  it('is asked for by nobody for what does not verify, or is about the past', async () => {
    const opened = lab.open();
    const foreign = new TdxPlatform({ pki: createIntelPki({ at: NOW }) }).collateral({ at: NOW });
    await lab.find(opened, supplied(foreign));
    await lab.find(opened, { ...supplied(collateral()), at: day(-0.5), historical: true });
    await opened.close();
    expect(lab.pcs.count()).toBe(0);
  });

  it('is asked for once, however many wait', async () => {
    const opened = lab.open();
    const told = await Promise.all(Array.from({ length: 20 }, () => lab.told(opened)));
    expect(new Set(told)).toEqual(new Set(['network 19']));
    expect(lab.pcs.count(/tcb/)).toBe(1);
  });

  it('is of the CA that issued the PCK certificate', async () => {
    const processor = new TdxPlatform({ pki, ca: 'processor' });
    lab.pcs.serve(processor, { at: NOW });
    const opened = lab.open();
    expect(await lab.told(opened, { request: { ca: 'processor' } })).toBe('network 19');
    expect(lab.pcs.count(/ca=processor/)).toBe(1);
    expect(await lab.cached('tdx-collateral')).toEqual([`tdx-collateral-${fmspc}-processor-pcs.json`]);
  });

  it('asks for nothing else of an FMSPC that Intel does not know, and for that once in ten minutes', async () => {
    const opened = lab.open();
    const unknown = { request: { fmspc: '0123456789ab' } };
    expect(await lab.find(opened, unknown)).toMatchObject({ code: 'collateral_unavailable', retryable: false });
    expect(await lab.told(opened, unknown)).toBe('collateral_unavailable');
    expect(lab.pcs.requests).toEqual(['/tdx/certification/v4/tcb?fmspc=0123456789ab']);
    lab.clock.advance(10 * 60_000);
    await lab.find(opened, unknown);
    expect(lab.pcs.count()).toBe(2);
  });

  it('is looked for nowhere where both services are off', async () => {
    expect(await lab.find(lab.open({ pcs: null }))).toMatchObject({ code: 'collateral_unavailable', retryable: false });
  });
});

describe('services', () => {
  it('a PCCS: lists in hex, the list of the root under its own address', async () => {
    const pccs = await lab.startServer({ kind: 'pccs' });
    expect(await lab.told(lab.open({ pcs: `${pccs.origin}/sgx/certification/v4/` }))).toBe('network 19');
    expect(pccs.count(/rootcacrl/)).toBe(1);
    expect(pccs.count(/IntelSGXRootCA/)).toBe(0);
  });

  it('a PCCS that says its lists are pages', async () => {
    const pccs = await lab.startServer({ kind: 'pccs' });
    pccs.alter(/crl/, (genuine) => ({ ...genuine, contentType: 'text/html; charset=utf-8' }));
    expect(await lab.told(lab.open({ pcs: pccs.origin }))).toBe('network 19');
  });

  it('version 3 of the interface, with its name of the chain header', async () => {
    expect(await lab.told(lab.open({ pcs: `${lab.pcs.origin}/sgx/certification/v3` }))).toBe('network 19');
    expect(lab.pcs.count(/\/v3\//)).toBe(4);
    expect(lab.pcs.count(/\/v4\//)).toBe(0);
  });

  it('the cache of Azure behind its metadata service, asked where Intel gives nothing', async () => {
    const thim = await lab.startServer({ scheme: 'http', kind: 'pccs' }, { evaluationNumber: 18 });
    lab.pcs.fail(/./, { status: 503 });
    const opened = lab.open({ thim: `${thim.origin}/metadata/THIM/sgx/certification/v4/` });
    expect(await lab.told(opened)).toBe('network 18');
    expect(thim.requests[0]).toBe(`/metadata/THIM/tdx/certification/v4/tcb?fmspc=${fmspc}`);
    expect(lab.pcs.count()).toBeGreaterThan(0);
  });

  it('the cache of Azure is not asked where Intel answers, and says nothing where it has nothing', async () => {
    const thim = await lab.startServer();
    expect(await lab.told(lab.open({ thim: thim.origin, cacheFolder: null }))).toBe('network 19');
    expect(thim.count()).toBe(0);
    for (const server of [lab.pcs, thim]) server.fail(/./, { status: 500 });
    const found = await lab.find(lab.open({ thim: thim.origin, cacheFolder: null }));
    expect(found).toMatchObject({ code: 'collateral_unavailable', detail: expect.stringContaining('Intel PCS') });
  });

  it.each([
    ['no chain', (headers: object) => ({ ...headers, 'TCB-Info-Issuer-Chain': '' })],
    ['a chain that is not URL-encoded', () => ({ 'TCB-Info-Issuer-Chain': '%E0%A4%A' })],
    ['no header of one', () => ({})],
  ])('an answer with %s is of no use', async (_what, change) => {
    lab.pcs.alter(/tcb/, ({ headers = {}, ...genuine }) => ({ ...genuine, headers: change(headers) }));
    expect(await lab.find(lab.open())).toMatchObject({ code: 'collateral_unavailable', retryable: true });
  });

  it('TDX-29 collateral of two evaluations is taken, and both numbers are remembered', async () => {
    const served = lab.serve({ tcbInfo: { evaluationNumber: 20 } });
    expect(asFile(await lab.find(lab.open()))).toEqual(asFile({ value: served, origin: 'network' }));
    lab.clock.advance(40 * DAY_MS);
    lab.serve({ tcbInfo: { evaluationNumber: 20 }, qeIdentity: { evaluationNumber: 18 } });
    expect(await lab.told(lab.open())).toBe('collateral_rollback');
    lab.serve({ tcbInfo: { evaluationNumber: 19 }, qeIdentity: { evaluationNumber: 20 } });
    expect(await lab.told(lab.open())).toBe('collateral_rollback');
    lab.serve({ tcbInfo: { evaluationNumber: 20 }, qeIdentity: { evaluationNumber: 20 } });
    expect(await lab.told(lab.open())).toBe('network 20');
  });

  it.each([
    ['another FMSPC', { tcbInfo: { members: { fmspc: 'ffffffffffff' } } }, 'another platform'],
    ['other keys', { tcbInfo: { afterSigning: (text: string) => text.replace('UpToDate', 'Revoked ') } }, 'signature'],
    ['a revoked signer', { rootCrl: { revoked: [{ serial: pki.tcbSigning.serial }] } }, 'revoked'],
    ['a revoked PCK CA', { rootCrl: { revoked: [{ serial: pki.pckCa('platform').serial }] } }, 'revoked'],
  ])('collateral of %s is of no use', async (_what, options, why) => {
    lab.serve(options);
    const opened = lab.open();
    const found = await lab.find(opened);
    expect(found).toMatchObject({ code: 'collateral_unavailable', detail: expect.stringContaining(why) });
    expect(await lab.cached()).toEqual([]);
  });

  it('collateral of another root than the pinned one is of no use', async () => {
    const stranger = new TdxPlatform({ pki: createIntelPki({ at: NOW }) });
    lab.pcs.serve(stranger, { at: NOW });
    expect(await lab.told(lab.open())).toBe('collateral_unavailable');
  });
});

describe('TDX-10 the memory of what a source gave', () => {
  it('TDX-10 says collateral_rollback where the own source serves an older evaluation than before', async () => {
    await lab.find(lab.open());
    lab.clock.advance(40 * DAY_MS);
    lab.serve({ evaluationNumber: 18 });
    const opened = lab.open();
    expect(await lab.find(opened)).toMatchObject({ code: 'collateral_rollback', retryable: true });
    expect(opened.log.of(/older than what was relied on before/)).toHaveLength(1);
    lab.serve({ evaluationNumber: 19 });
    expect(await lab.told(opened)).toBe('network 19');
  });

  it('TDX-10 uses what is held, and keeps it, where the source serves an older one meanwhile', async () => {
    const opened = lab.open();
    await lab.find(opened);
    lab.serve({ evaluationNumber: 18 });
    lab.clock.advance(DAY_MS);
    expect(await lab.told(opened)).toBe('cache 19');
    await expect.poll(() => opened.log.of(/not renewed/), PATIENT).toHaveLength(1);
    expect(await lab.told(opened)).toBe('cache 19');
  });

  it('TDX-10 says collateral_rollback while a mark is damaged, whatever is at hand, until it is removed', async () => {
    lab.serve();
    await lab.find(lab.open());
    const mark = join(lab.cacheFolder, `tdx-highest-pcs-${fmspc}`);
    await writeFile(mark, '');
    const detail =
      'whether TDX collateral is older than what was fetched or imported before is not known: the rollback mark in the cache folder is damaged or cannot be read';
    const code = 'collateral_rollback';
    expect(await lab.find(lab.open({ pcs: null }))).toEqual({ code, detail, retryable: true });
    const opened = lab.open();
    lab.serve({ evaluationNumber: 99 });
    expect(await lab.find(opened)).toEqual({ code, detail, retryable: true });
    const inRequest = await lab.find(lab.open({ pcs: null }), supplied(collateral({ evaluationNumber: 99 })));
    expect(inRequest).toMatchObject({ code, detail: expect.stringContaining(detail) });
    await lab.fill({ 'older.json': collateral({ evaluationNumber: 18 }) });
    for (const options of [{}, { pcs: null }]) {
      const withFolder = lab.open(options);
      expect(await lab.told(withFolder)).toBe(code);
      expect(await lab.told(withFolder, supplied(collateral({ evaluationNumber: 99 })))).toBe(code);
    }
    expect(await readFile(mark, 'utf8')).toBe('');
    await writeFile(mark, '19\n');
    expect(await lab.told(opened)).toBe('cache 19');
  });

  it('CRT-09 says collateral_rollback for a CRL with a lower number than before', async () => {
    lab.serve({ pckCrl: { number: 5 } });
    await lab.find(lab.open());
    lab.clock.advance(40 * DAY_MS);
    lab.serve({ pckCrl: { number: 4 } });
    expect(await lab.told(lab.open())).toBe('collateral_rollback');
  });

  it('CRT-09 says collateral_rollback for an older CRL with the same number, as Intel gives all of its lists', async () => {
    await lab.find(lab.open());
    lab.clock.advance(40 * DAY_MS);
    lab.serve({ pckCrl: { overrides: { thisUpdate: day(-2), nextUpdate: day(60) } } });
    expect(await lab.told(lab.open())).toBe('collateral_rollback');
    lab.serve();
    expect(await lab.told(lab.open())).toBe('network 19');
  });

  it('keeps sources apart: the cache of Azure lags behind Intel', async () => {
    const thim = await lab.startServer({}, { evaluationNumber: 18 });
    const opened = lab.open({ thim: thim.origin });
    expect(await lab.told(opened)).toBe('network 19');
    lab.clock.advance(40 * DAY_MS);
    lab.pcs.fail(/./, { status: 503 });
    lab.serve({ evaluationNumber: 18 }, thim);
    expect(await lab.told(opened)).toBe('network 18');
  });

  it('TDX-10 refuses a cached file that is older than the memory, as from a backup', async () => {
    lab.serve({ evaluationNumber: 18 });
    await lab.find(lab.open());
    const [name = ''] = await lab.cached('tdx-collateral');
    const old = await readFile(join(lab.cacheFolder, name));
    lab.serve({ evaluationNumber: 19 });
    lab.clock.advance(DAY_MS);
    const opened = lab.open();
    await lab.find(opened);
    lab.clock.advance(HOUR_MS);
    await lab.find(opened);
    await expect.poll(() => lab.told(lab.open({ pcs: null })), PATIENT).toBe('cache 19');
    await writeFile(join(lab.cacheFolder, name), old);
    expect(await lab.told(lab.open({ pcs: null }))).toBe('collateral_rollback');
  });

  it('TDX-10 is neither read nor written by requests about the past', async () => {
    const opened = lab.open();
    const past = { at: day(-0.5), historical: true };
    expect(await lab.told(opened, past)).toBe('network 19');
    expect(await lab.cached()).toEqual([]);
    await lab.find(opened);
    lab.serve({ evaluationNumber: 18 });
    const own = collateral({ evaluationNumber: 18 });
    expect(asFile(await lab.find(opened, { ...past, ...supplied(own) }))).toEqual(unconfirmed(own));
    expect(await lab.told(lab.open({ cacheFolder: lab.path('other') }), past)).toBe('network 18');
  });
});

describe('TDX-10 collateral of a request', () => {
  it('TDX-10 gives way to what is held where that has a higher evaluation number', async () => {
    const opened = lab.open();
    await lab.find(opened);
    expect(await lab.told(opened, supplied(collateral({ evaluationNumber: 18 })))).toBe('cache 19');
  });

  it('TDX-10 is fetched anew where the memory knows of newer that is no longer held', async () => {
    await lab.find(lab.open());
    lab.clock.advance(40 * DAY_MS);
    const older = () => supplied(platform.collateral({ at: lab.clock.now(), evaluationNumber: 18 }));
    expect(await lab.told(lab.open({ pcs: null }), older())).toBe('collateral_rollback');
    lab.serve();
    expect(await lab.told(lab.open(), older())).toBe('network 19');
  });

  it('TDX-10 gives way to what is fetched where it has ended, and is stale where nothing can be', async () => {
    const ended = collateral({ at: day(-60) });
    const offline = lab.open({ pcs: null, cacheFolder: null });
    expect(asFile(await lab.find(offline, supplied(ended)))).toEqual(unconfirmed(ended));
    const opened = lab.open();
    expect(await lab.told(opened, supplied(ended))).toBe('network 19');
    expect(await lab.told(opened, supplied(ended))).toBe('cache 19');
  });

  it('TDX-10 gives way where it has ended, also to a lower evaluation, and is left alone where it is from the future', async () => {
    const opened = lab.open();
    const ended = { issueDate: day(-31), nextUpdate: day(-1) };
    const both = { evaluationNumber: 20, tcbInfo: ended, qeIdentity: ended };
    expect(await lab.told(opened, supplied(collateral(both)))).toBe('network 19');
    expect(await lab.told(opened, supplied(collateral(both)))).toBe('cache 19');
    const early = { tcbInfo: { issueDate: day(1) }, qeIdentity: { issueDate: day(1) } };
    expect(await lab.told(opened, supplied(collateral({ evaluationNumber: 20, ...early })))).toBe('evidence 20');
  });

  it('CRT-09 says where each part is from', async () => {
    const opened = lab.open({ pcs: null });
    const older = { overrides: { thisUpdate: day(-10), nextUpdate: day(20) } };
    await lab.fill({ 'stored.json': collateral({ evaluationNumber: 18, rootCrl: older }) });
    await opened.reload();
    const oldLists = collateral({ evaluationNumber: 19, pckCrl: older, rootCrl: older });
    expect(await lab.find(opened, supplied(oldLists))).toMatchObject({
      origin: 'evidence',
      partOrigins: { tcbInfo: 'evidence', qeIdentity: 'evidence', pckCrl: 'store', rootCaCrl: 'store' },
    });
    const newList = collateral({ evaluationNumber: 17, rootCrl: {} });
    expect(await lab.find(opened, supplied(newList))).toMatchObject({
      origin: 'store',
      partOrigins: { tcbInfo: 'store', qeIdentity: 'store', pckCrl: 'store', rootCaCrl: 'evidence' },
    });
    const newIdentity = collateral({ evaluationNumber: 17, qeIdentity: { evaluationNumber: 19 }, rootCrl: older });
    expect(await lab.find(opened, supplied(newIdentity))).toMatchObject({
      origin: 'store',
      partOrigins: { tcbInfo: 'store', qeIdentity: 'evidence', pckCrl: 'store', rootCaCrl: 'store' },
    });
  });

  it('CRT-09 does not count with a list that is older than the memory, where the newer one is held no more', async () => {
    await lab.find(lab.open());
    lab.clock.advance(40 * DAY_MS);
    lab.pcs.fail(/./, { status: 503 });
    const old = { thisUpdate: day(-2), nextUpdate: day(60) };
    const at = lab.clock.now();
    expect(await lab.told(lab.open(), supplied(collateral({ at, pckCrl: { overrides: old } })))).toBe(
      'collateral_rollback',
    );
    // That of the root has not ended: it counts in the place of the older one.
    expect(await lab.find(lab.open(), supplied(collateral({ at, rootCrl: { overrides: old } })))).toMatchObject({
      partOrigins: { rootCaCrl: 'cache' },
    });
    expect(await lab.told(lab.open(), supplied(collateral({ at })))).toBe('evidence 19');
  });

  it('TDX-10 counts where it is newer, for that request alone', async () => {
    const opened = lab.open();
    await lab.find(opened);
    expect(await lab.told(opened, supplied(collateral({ evaluationNumber: 20 })))).toBe('evidence 20');
    expect(await lab.told(opened)).toBe('cache 19');
    expect(await lab.told(opened, supplied(collateral()))).toBe('cache 19');
    expect(await lab.told(lab.open({ pcs: null }))).toBe('cache 19');
  });

  it('CRT-09 gets the newer CRL of two that are current', async () => {
    const opened = lab.open();
    await lab.find(opened);
    const listOf = (days: number) => ({ pckCrl: { overrides: { thisUpdate: day(days), nextUpdate: day(days + 30) } } });
    const withOld = await lab.find(opened, supplied(collateral({ evaluationNumber: 20, ...listOf(-20) })));
    expect([pckListOf(withOld), 'origin' in withOld && withOld.origin]).toEqual([day(-1).toISOString(), 'evidence']);
    const withNew = await lab.find(opened, supplied(collateral({ evaluationNumber: 18, ...listOf(-0.5) })));
    expect([pckListOf(withNew), 'origin' in withNew && withNew.origin]).toEqual([day(-0.5).toISOString(), 'cache']);
  });

  it.each([
    ['is forged', collateral({ tcbInfo: { afterSigning: (text) => text.replace('UpToDate', 'Revoked ') } })],
    ['is of another platform', new TdxPlatform({ pki, fmspc: '50806f000000' }).collateral({ at: NOW })],
    ['cannot be read', collateral({ overrides: { pckCrl: Uint8Array.of(1, 2, 3) } })],
    ['is of another CA', new TdxPlatform({ pki, ca: 'processor' }).collateral({ at: NOW })],
  ])('goes to the verifier as it is where it %s', async (_what, own) => {
    const opened = lab.open();
    await lab.find(opened);
    expect(asFile(await lab.find(opened, supplied(own)))).toEqual(unconfirmed(own));
  });
});

describe('collateral of a request and of another platform', () => {
  it('TDX-09 is not mixed with what is held for that platform', async () => {
    const other = new TdxPlatform({ pki, fmspc: '50806f000000' });
    lab.pcs.serve(other, { at: NOW });
    const opened = lab.open();
    expect(await lab.told(opened, { request: { fmspc: other.fmspc } })).toBe('network 19');
    const own = other.collateral({ at: NOW, evaluationNumber: 18 });
    expect(asFile(await lab.find(opened, supplied(own)))).toEqual(unconfirmed(own));
  });
});

describe('CRLs that are held for another platform of the same CA', () => {
  const other = new TdxPlatform({ pki, fmspc: '50806f000000' });
  const listOf = (days: number) => ({ pckCrl: { overrides: { thisUpdate: day(days), nextUpdate: day(days + 30) } } });
  const theOther = { request: { fmspc: other.fmspc } };

  it('CRT-09 count in the place of an older one that a request brings', async () => {
    lab.serve(listOf(-1));
    const opened = lab.open();
    await lab.find(opened);
    const own = other.collateral({ at: NOW, ...listOf(-20) });
    const found = await lab.find(opened, { request: { fmspc: other.fmspc, supplied: own } });
    expect([pckListOf(found), 'origin' in found && found.origin]).toEqual([day(-1).toISOString(), 'evidence']);
    const newer = other.collateral({ at: NOW, ...listOf(-0.5) });
    const withNewer = await lab.find(opened, { request: { fmspc: other.fmspc, supplied: newer } });
    expect(pckListOf(withNewer)).toBe(day(-0.5).toISOString());
  });

  it('CRT-09 count in the place of an older one in the cache, as the same object each time', async () => {
    lab.pcs.serve(other, { at: NOW, ...listOf(-20) });
    const opened = lab.open();
    await lab.find(opened, theOther);
    lab.serve(listOf(-1));
    await lab.find(opened);
    const [found, again] = [await lab.find(opened, theOther), await lab.find(opened, theOther)];
    expect([pckListOf(found), 'origin' in found && found.origin]).toEqual([day(-1).toISOString(), 'cache']);
    expect('value' in found && 'value' in again && found.value === again.value).toBe(true);
  });

  it('TDX-10 do not make collateral_rollback of what is still current', async () => {
    lab.pcs.serve(other, { at: NOW, pckCrl: { number: 4 } });
    const opened = lab.open();
    await lab.find(opened, theOther);
    lab.serve({ pckCrl: { number: 5 } });
    await lab.find(opened);
    lab.pcs.fail(/./, { status: 503 });
    expect(await lab.told(opened, theOther)).toBe('cache 19');
  });

  it('TDX-10 do not make collateral_rollback of what a front that lags behind gives for a platform that is new', async () => {
    const opened = lab.open();
    const first = lab.serve();
    await lab.find(opened);
    lab.pcs.serve(other, { at: NOW, pckCrl: { overrides: { thisUpdate: day(-10), nextUpdate: day(20) } } });
    const found = await lab.find(opened, theOther);
    expect('value' in found && Buffer.compare(found.value.pckCrl, first.pckCrl)).toBe(0);
  });

  it('are left alone where they are of another CA, and are remembered when they have ended', async () => {
    lab.serve({ pckCrl: { overrides: { thisUpdate: day(-1), nextUpdate: day(2) } } });
    const opened = lab.open();
    await lab.find(opened);
    const processor = new TdxPlatform({ pki, fmspc: '50806f000000', ca: 'processor' });
    const ofProcessor = processor.collateral({ at: NOW, ...listOf(-20) });
    const asked = { request: { fmspc: processor.fmspc, ca: 'processor' as const, supplied: ofProcessor } };
    expect(pckListOf(await lab.find(opened, asked))).toBe(day(-20).toISOString());
    lab.clock.advance(3 * DAY_MS);
    const late = other.collateral({ at: NOW, ...listOf(-20) });
    expect(await lab.told(opened, { request: { fmspc: other.fmspc, supplied: late } })).toBe('collateral_rollback');
  });
});

describe('the order of requests', () => {
  it('TDX-10 makes no difference: neither instants nor what others bring', async () => {
    const asked = [
      {},
      supplied(collateral({ evaluationNumber: 20 })),
      supplied(collateral({ evaluationNumber: 18 })),
      supplied(collateral({ evaluationNumber: 18, tcbInfo: { issueDate: day(-29) } })),
      { at: day(-0.5), historical: true },
      { at: day(-60), historical: true },
      { at: day(60), historical: true },
      { ...supplied(collateral({ at: day(-60), evaluationNumber: 17 })), at: day(-60), historical: true },
    ];
    const answersIn = async (order: readonly number[], folder: string) => {
      const opened = lab.open({ cacheFolder: lab.path(folder) });
      await lab.find(opened);
      const answers = new Map<number, string>();
      for (const index of order) answers.set(index, await lab.told(opened, asked[index]));
      return asked.map((_, index) => answers.get(index));
    };
    const forwards = asked.map((_, index) => index);
    const expected = await answersIn(forwards, 'forwards');
    expect(expected).toEqual([
      'cache 19',
      'evidence 20',
      'cache 19',
      'cache 19',
      'cache 19',
      'collateral_unavailable',
      'collateral_stale',
      'evidence 17',
    ]);
    expect(await answersIn(forwards.toReversed(), 'backwards')).toEqual(expected);
    expect(await answersIn([3, 6, 1, 7, 0, 5, 2, 4], 'mixed')).toEqual(expected);
  });
});

describe('requests about the past', () => {
  it('ask nobody where what is held is from after their instant', async () => {
    const opened = lab.open();
    await lab.find(opened);
    const asked = lab.pcs.count();
    expect(await lab.told(opened, { at: day(-60), historical: true })).toBe('collateral_unavailable');
    expect(lab.pcs.count()).toBe(asked);
  });
});

describe('renewal', () => {
  it('asks after a day for what is in use, and after an hour again where that failed', async () => {
    const opened = lab.open();
    await lab.find(opened);
    lab.clock.advance(17 * HOUR_MS);
    await opened.refreshDue();
    expect(lab.pcs.count(/tcb/)).toBe(1);
    lab.pcs.fail(/tcb/, { status: 404 });
    lab.clock.advance(7 * HOUR_MS);
    await opened.refreshDue();
    await opened.refreshDue();
    expect(lab.pcs.count(/tcb/)).toBe(2);
    await lab.pcs.heal();
    lab.serve({ evaluationNumber: 20 });
    lab.clock.advance(HOUR_MS);
    await opened.refreshDue();
    expect(await lab.told(opened)).toBe('cache 20');
  });

  it('goes on with the last good one to its end, both included, and never past it', async () => {
    const opened = lab.open();
    const served = lab.serve({ tcbInfo: { issueDate: day(-1), nextUpdate: day(3) } });
    await lab.find(opened);
    lab.pcs.fail(/./, { status: 503 });
    lab.clock.advance(3 * DAY_MS);
    expect(asFile(await lab.find(opened))).toEqual(asFile({ value: served, origin: 'cache' }));
    lab.clock.advance(1_000);
    expect(await lab.find(opened)).toMatchObject({ code: 'collateral_stale', retryable: true });
    await opened.refreshDue();
    expect(await lab.cached('tdx-collateral')).toEqual([]);
    expect(await lab.cached('tdx-highest')).not.toEqual([]);
  });

  it('is asked for before the end where that comes sooner than a day', async () => {
    lab.serve({ tcbInfo: { issueDate: day(-1), nextUpdate: day(0.5) } });
    const opened = lab.open();
    await lab.find(opened);
    lab.serve();
    lab.clock.advance(6 * HOUR_MS);
    await opened.refreshDue();
    lab.clock.advance(7 * HOUR_MS);
    expect(await lab.told(opened)).toBe('cache 19');
  });

  it('TDX-10 takes nothing over from what has ended, however much later that was issued', async () => {
    lab.serve({ tcbInfo: { issueDate: NOW, nextUpdate: day(1) } });
    const opened = lab.open();
    expect(await lab.told(opened)).toBe('network 19');
    lab.clock.advance(2 * DAY_MS);
    const served = lab.serve({ tcbInfo: { issueDate: day(-1), nextUpdate: day(29) } });
    expect(asFile(await lab.find(opened))).toEqual(asFile({ value: served, origin: 'network' }));
  });

  it('keeps the newer list where another front of the service lags behind', async () => {
    const opened = lab.open();
    const first = lab.serve();
    await lab.find(opened);
    lab.serve({ pckCrl: { overrides: { thisUpdate: day(-10), nextUpdate: day(20) } } });
    lab.clock.advance(DAY_MS);
    await lab.find(opened);
    await opened.refreshDue();
    await expect.poll(() => lab.pcs.count(/pckcrl/), PATIENT).toBe(2);
    const found = await lab.find(opened);
    expect('value' in found && Buffer.compare(found.value.pckCrl, first.pckCrl)).toBe(0);
  });
});

describe('the cache', () => {
  it.each([
    ['is cut short', (bytes: Buffer) => bytes.subarray(0, 900)],
    ['is empty', () => Buffer.alloc(0)],
    ['was changed', (bytes: Buffer) => Buffer.from(bytes.toString().replace('UpToDate', 'Revoked '))],
    ['is of others', () => Buffer.from('{"tcb_info":1}')],
  ])('ignores a file that %s, and replaces it', async (_what, change) => {
    await lab.find(lab.open());
    const [name = ''] = await lab.cached('tdx-collateral');
    const file = join(lab.cacheFolder, name);
    const genuine = await readFile(file);
    await writeFile(file, change(genuine));
    expect(await lab.told(lab.open({ pcs: null }))).toBe('collateral_unavailable');
    const opened = lab.open();
    expect(await lab.told(opened)).toBe('network 19');
    expect(opened.log.of(/does not match and is ignored/)).toHaveLength(1);
    expect(await readFile(file)).toEqual(genuine);
  });

  it('ignores a file under the name of another platform', async () => {
    await lab.find(lab.open());
    const [name = ''] = await lab.cached('tdx-collateral');
    const moved = name.replace(fmspc, '0123456789ab');
    await writeFile(join(lab.cacheFolder, moved), await readFile(join(lab.cacheFolder, name)));
    expect(await lab.told(lab.open({ pcs: null }), { request: { fmspc: '0123456789ab' } })).toBe(
      'collateral_unavailable',
    );
  });

  it('is done without where it cannot be written', async () => {
    await writeFile(lab.path('file'), '');
    const opened = lab.open({ cacheFolder: join(lab.path('file'), 'cache') });
    expect(await lab.told(opened)).toBe('network 19');
    expect(await lab.told(opened)).toBe('cache 19');
  });
});

describe('the folder', () => {
  it('is read again when told to, by content', async () => {
    const opened = lab.open({ pcs: null });
    expect(await lab.told(opened)).toBe('collateral_unavailable');
    await lab.fill({ 'x.json': collateral(), 'note.txt': 'no collateral', '.hidden.json': '{}' });
    await opened.reload();
    expect(await lab.told(opened)).toBe('store 19');
    expect(opened.log.of(/not taken/)).toEqual([]);
  });

  it('says by name what it does not take', async () => {
    await lab.fill({
      'forged.json': collateral({ qeIdentity: { afterSigning: (text) => text.replace('UpToDate', 'Revoked ') } }),
      'list.json': '[]',
      'more.json': '{"a":1}',
    });
    const opened = lab.open({ pcs: null });
    await opened.ready;
    expect(opened.log.of(/not taken/).map((fields) => 'file' in fields && fields.file)).toEqual([
      'forged.json',
      'list.json',
      'more.json',
    ]);
    expect(await lab.told(opened)).toBe('collateral_unavailable');
  });

  it('may hold old collateral for requests about the past', async () => {
    await lab.fill({ 'now.json': collateral(), 'then.json': collateral({ at: day(-60), evaluationNumber: 18 }) });
    const opened = lab.open({ pcs: null });
    expect(await lab.told(opened)).toBe('store 19');
    expect(await lab.told(opened, { at: day(-60), historical: true })).toBe('store 18');
    expect(await lab.told(opened, { at: day(-100), historical: true })).toBe('collateral_unavailable');
  });

  it('TDX-10 may be older than the memory for requests about the past', async () => {
    const bundle = lab.path('bundle');
    await lab.fill({ 'new.json': collateral() }, bundle);
    const opened = lab.open({ pcs: null });
    await opened.importBundle(bundle);
    await lab.fill({ 'then.json': collateral({ at: day(-60), evaluationNumber: 18 }) });
    await opened.reload();
    expect(await lab.told(opened, { at: day(-60), historical: true })).toBe('store 18');
  });

  it('says collateral_stale where what it holds has ended', async () => {
    await lab.fill({ 'then.json': collateral({ at: day(-60) }), 'before.json': collateral({ at: day(-90) }) });
    expect(await lab.find(lab.open({ pcs: null }))).toMatchObject({
      code: 'collateral_stale',
      detail: `TDX collateral is past its next update, ${day(-31).toISOString()}`,
      retryable: true,
    });
  });
});
