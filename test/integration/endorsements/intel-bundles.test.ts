import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/core/errors.js';
import type { TdxCollateral } from '../../../src/core/evidence.js';
import { writeBundle } from '../../../src/endorsements/amd/export-bundle.js';
import { encodeCollateralFile } from '../../../src/tee/tdx/intel/collateral-file.js';
import { createIntelPki } from '../../lab/intel-pki.js';
import { TdxPlatform } from '../../lab/tdx-platform.js';
import { collateral, day, fmspc, IntelLab, NOW, pki } from './intel-lab.js';

const KEY = { fmspc, ca: 'platform' } as const;

let lab: IntelLab;

beforeEach(async () => {
  lab = await IntelLab.start();
});

afterEach(async () => {
  await lab.close();
});

const anyTime = () => new AbortController().signal;

/** A machine without network, with folders of its own. */
function offline(name = 'offline') {
  const folder = lab.path(`${name}-collateral`);
  return { ...lab.open({ pcs: null, folder, cacheFolder: lab.path(`${name}-cache`) }), folder };
}

async function bundleOf(files: { readonly [name: string]: string | TdxCollateral }): Promise<string> {
  const folder = lab.path(`bundle-${Object.keys(files).join('-')}`);
  await lab.fill(files, folder);
  return folder;
}

describe('exportBundle and importBundle', () => {
  it('carry what a quote needs to a machine without network', async () => {
    const bundle = await lab.open().exportBundle([KEY, KEY], anyTime());
    expect([bundle.files.length, bundle.missing]).toEqual([1, []]);
    await writeBundle(lab.path('bundle'), bundle);
    const machine = offline();
    const { taken, refused } = await machine.importBundle(lab.path('bundle'));
    expect(refused).toEqual([]);
    expect(taken.map(({ what }) => what)).toEqual([
      `TDX collateral of FMSPC ${fmspc}, platform CA, evaluation 19, until 2026-03-30T12:00:00.000Z`,
    ]);
    expect(await lab.told(machine)).toBe('store 19');
    expect(lab.pcs.count(/tcb/)).toBe(1);
  });

  it('make a folder that can be the folder of a service itself', async () => {
    await writeBundle(lab.path('bundle'), await lab.open().exportBundle([KEY], anyTime()));
    expect(await lab.told(lab.open({ pcs: null, folder: lab.path('bundle'), cacheFolder: null }))).toBe('store 19');
  });

  it('say what could not be had, of which platform, and hold the rest', async () => {
    const { files, missing } = await lab.open().exportBundle([{ ...KEY, fmspc: '0123456789ab' }, KEY], anyTime());
    expect(files).toHaveLength(1);
    expect(missing).toMatchObject([
      { code: 'collateral_unavailable', detail: expect.stringContaining('0123456789ab') },
    ]);
  });
});

describe('importBundle', () => {
  it.each([
    [
      'a changed text',
      collateral({ tcbInfo: { afterSigning: (text) => text.replace('UpToDate', 'Revoked ') } }),
      'tcb_info',
    ],
    ['another root', new TdxPlatform({ pki: createIntelPki({ at: NOW }) }).collateral({ at: NOW }), 'pinned'],
    ['the future', collateral({ tcbInfo: { issueDate: day(0.001) } }), 'future'],
    ['the past', collateral({ qeIdentity: { issueDate: day(-31), nextUpdate: day(-0.001) } }), 'next update'],
    ['no form', '{"tcb_info": {}}', 'is not a string'],
    ['a name twice', '{"tcb_info": "", "tcb_info": ""}', 'twice'],
  ])('refuses collateral of %s, and keeps nothing of it', async (_what, content, why) => {
    const machine = offline();
    const { taken, refused } = await machine.importBundle(await bundleOf({ 'x.json': content }));
    expect(taken).toEqual([]);
    expect(refused).toEqual([{ name: 'x.json', why: expect.stringContaining(why) }]);
    expect(await readdir(machine.folder).catch(() => [])).toEqual([]);
  });

  it('TDX-29 takes collateral of two evaluations, and holds each document against its own number', async () => {
    const numbers = (tcbInfo: number, qeIdentity: number) =>
      collateral({ tcbInfo: { evaluationNumber: tcbInfo }, qeIdentity: { evaluationNumber: qeIdentity } });
    const { taken } = await offline().importBundle(await bundleOf({ 'new.json': numbers(20, 19) }));
    expect(taken.map(({ what }) => what)).toEqual([
      `TDX collateral of FMSPC ${fmspc}, platform CA, evaluation 20 (QE identity 19), until 2026-03-30T12:00:00.000Z`,
    ]);
    // The newer identity of the folder goes with the TCB info of the bundle.
    const later = await offline().importBundle(await bundleOf({ 'later.json': numbers(21, 18) }));
    expect(later.taken.map(({ what }) => what)).toEqual([expect.stringContaining('evaluation 21 (QE identity 19)')]);
    const { refused } = await offline().importBundle(await bundleOf({ 'old.json': numbers(20, 20) }));
    expect(refused).toEqual([{ name: 'old.json', why: 'it is older than what was imported before' }]);
    const elsewhere = { ...lab.open({ pcs: null, folder: lab.path('empty'), cacheFolder: lab.path('offline-cache') }) };
    const older = await elsewhere.importBundle(await bundleOf({ 'older.json': numbers(21, 18) }));
    expect(older.refused).toEqual([{ name: 'older.json', why: 'it is older than what was imported before' }]);
  });

  it('takes a set with the certificates of some quote beside it', async () => {
    const file = JSON.parse(encodeCollateralFile(collateral()));
    const text = JSON.stringify({ ...file, pck_certificate_chain: 'PEM' });
    const { taken, refused } = await offline().importBundle(await bundleOf({ 'more.json': text }));
    expect([taken.length, refused]).toEqual([1, []]);
  });

  it('TDX-10 refuses what is older than what was imported before, also by another process', async () => {
    await offline().importBundle(await bundleOf({ 'new.json': collateral() }));
    const older = await bundleOf({ 'old.json': collateral({ evaluationNumber: 18 }) });
    const { taken, refused } = await offline().importBundle(older);
    expect([taken, refused]).toEqual([[], [{ name: 'old.json', why: 'it is older than what was imported before' }]]);
  });

  it('TDX-10 refuses collateral whose mark is damaged, however new it is', async () => {
    await offline().importBundle(await bundleOf({ 'first.json': collateral() }));
    await writeFile(join(lab.path('offline-cache'), `tdx-highest-store-${fmspc}`), 'spoilt');
    const { taken, refused } = await offline().importBundle(
      await bundleOf({ 'first.json': collateral({ evaluationNumber: 99 }) }),
    );
    const why = 'whether it is older than what was imported before is not known: a rollback mark is damaged';
    expect([taken, refused]).toEqual([[], [{ name: 'first.json', why }]]);
  });

  it('TDX-10 takes the newest of a bundle, whatever it is called', async () => {
    const bundle = await bundleOf({ 'a.json': collateral({ evaluationNumber: 18 }), 'b.json': collateral() });
    const { taken, refused } = await offline().importBundle(bundle);
    expect([taken.map(({ name }) => name), refused.map(({ name }) => name)]).toEqual([['b.json'], ['a.json']]);
  });

  it('TDX-10 takes platforms whose lists are of different days, each with the newest of them', async () => {
    const older = { overrides: { thisUpdate: day(-10), nextUpdate: day(20) } };
    const another = new TdxPlatform({ pki, fmspc: '50806f000000' });
    const newest = collateral({ evaluationNumber: 18 });
    const bundle = await bundleOf({
      'a.json': another.collateral({ at: NOW, pckCrl: older, rootCrl: older }),
      'b.json': newest,
    });
    const machine = offline();
    const { taken, refused } = await machine.importBundle(bundle);
    expect([taken.map(({ name }) => name), refused]).toEqual([['a.json', 'b.json'], []]);
    const found = await lab.find(machine, { request: { fmspc: '50806f000000' } });
    expect('value' in found && Buffer.compare(found.value.pckCrl, newest.pckCrl)).toBe(0);
    expect('value' in found && Buffer.compare(found.value.rootCaCrl, newest.rootCaCrl)).toBe(0);
  });

  it('TDX-10 makes collateral_rollback of an older file that is put in the place of what was imported', async () => {
    const machine = offline();
    await machine.importBundle(await bundleOf({ 'new.json': collateral() }));
    const [name = ''] = await readdir(machine.folder);
    await lab.fill({ [name]: collateral({ evaluationNumber: 18 }) }, machine.folder);
    await machine.reload();
    expect(await lab.told(machine)).toBe('collateral_rollback');
    const supplied = collateral({ evaluationNumber: 18 });
    expect(await lab.told(machine, { request: { supplied } })).toBe('collateral_rollback');
  });

  it('does not take a folder that is not there for an empty bundle of Intel', async () => {
    const nowhere = lab.path('nowhere');
    await expect(offline().importBundle(nowhere)).rejects.toMatchObject({
      name: ConfigurationError.name,
      problems: [`${nowhere}: no such folder`],
    });
  });
});
