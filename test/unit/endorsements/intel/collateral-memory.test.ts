import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SharedMarks } from '../../../../src/core/shared-marks.js';
import { CacheFolder } from '../../../../src/endorsements/files/cache-folder.js';
import {
  CollateralMemory,
  type CollateralSourceName,
  isBehind,
  isUnknown,
} from '../../../../src/endorsements/intel/collateral-memory.js';
import { CollateralReader } from '../../../../src/tee/tdx/intel/collateral.js';
import { type IntelCollateral, readIntelCollateral } from '../../../../src/tee/tdx/intel/collateral-parts.js';
import type { CollateralOptions } from '../../../lab/collateral-builder.js';
import { createIntelPki } from '../../../lab/intel-pki.js';
import { TdxPlatform } from '../../../lab/tdx-platform.js';
import { MarkTable } from '../mark-table.js';
import { RecordingLog } from '../recording-log.js';

const pki = createIntelPki({ at: new Date('2026-03-01T12:00:00Z') });
const platform = new TdxPlatform({ pki });
const other = new TdxPlatform({ pki, fmspc: '50806f000000' });
const reader = new CollateralReader(pki.pins);
const made = (options: CollateralOptions = {}, of = platform) => readIntelCollateral(reader, of.collateral(options));
const evaluation = (evaluationNumber: number, of = platform) => made({ evaluationNumber }, of);

const URLS = { pcs: 'https://pccs.example/sgx', thim: null };
const TCB_INFO = `tdx-shared-pcs-${platform.fmspc}@pccs.example`;

let folder: string;
let directory: { changes: number };

beforeEach(async () => {
  directory = { changes: 0 };
  folder = await mkdtemp(join(tmpdir(), 'veritee-memory-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const open = (log = new RecordingLog(), shared?: SharedMarks) =>
  new CollateralMemory({ folder: new CacheFolder(folder, log), log, shared }, URLS, directory);

async function isRolledBack(memory: CollateralMemory, collateral: IntelCollateral, source: CollateralSourceName) {
  return isBehind(collateral, (await memory.marksOf(collateral, source)).highest);
}

async function isOlderThanAny(memory: CollateralMemory, collateral: IntelCollateral): Promise<boolean> {
  return Object.values(await memory.marksOfAll(collateral)).some(({ highest }) => isBehind(collateral, highest));
}

describe('CollateralMemory', () => {
  it('TDX-10 remembers the highest evaluation number of an FMSPC and source, also in the next process', async () => {
    const memory = open();
    await memory.advance(evaluation(19), 'pcs');
    await memory.advance(evaluation(18), 'pcs');
    for (const known of [memory, open()]) {
      const numbers = [18, 19, 20].map((number) => isRolledBack(known, evaluation(number), 'pcs'));
      expect(await Promise.all(numbers)).toEqual([true, false, false]);
      expect(await isRolledBack(known, evaluation(18), 'thim')).toBe(false);
      expect(await isRolledBack(known, evaluation(18, other), 'pcs')).toBe(false);
    }
    expect(await readdir(folder)).toHaveLength(4);
  });

  it.each<readonly [string, (number: number) => CollateralOptions]>([
    ['TCB info', (evaluationNumber) => ({ tcbInfo: { evaluationNumber } })],
    ['QE identity', (evaluationNumber) => ({ qeIdentity: { evaluationNumber } })],
  ])('TDX-29 holds the %s against its own number, whatever the other has', async (_what, options) => {
    const memory = open();
    await memory.advance(made(options(20)), 'pcs');
    for (const known of [memory, open()]) {
      expect(await isRolledBack(known, made(options(19)), 'pcs')).toBe(true);
      expect(await isRolledBack(known, made(options(20)), 'pcs')).toBe(false);
      expect(await isRolledBack(known, made({ evaluationNumber: 20, ...options(19) }), 'pcs')).toBe(true);
    }
  });

  it('TDX-10 raises no mark of a set of which one part is refused', async () => {
    const memory = open();
    const [tcbInfo, qeIdentity] = [{ evaluationNumber: 19 }, { evaluationNumber: 21 }];
    await memory.advance(evaluation(20), 'pcs');
    expect(await memory.advance(made({ tcbInfo, qeIdentity }), 'pcs')).toBe(false);
    for (const known of [memory, open()]) expect(await isRolledBack(known, evaluation(20), 'pcs')).toBe(false);
    expect(await memory.advance(evaluation(20), 'pcs')).toBe(true);
  });

  it('TDX-10 raises no own mark of a set of which one part is refused', async () => {
    const memory = open();
    const [tcbInfo, qeIdentity] = [{ evaluationNumber: 19 }, { evaluationNumber: 21 }];
    await memory.advanceOwn(evaluation(20), 'pcs');
    expect(await memory.advanceOwn(made({ tcbInfo, qeIdentity }), 'pcs')).toBe(false);
    for (const known of [memory, open()]) expect(await isRolledBack(known, evaluation(20), 'pcs')).toBe(false);
    expect(await memory.advanceOwn(evaluation(20), 'pcs')).toBe(true);
  });

  it('TDX-10 knows what is older than what any source gave', async () => {
    const memory = open();
    expect(await isOlderThanAny(memory, evaluation(0))).toBe(false);
    await memory.advance(evaluation(18), 'thim');
    await memory.advance(evaluation(19), 'store');
    const numbers = [18, 19].map((number) => isOlderThanAny(memory, evaluation(number)));
    expect(await Promise.all(numbers)).toEqual([true, false]);
  });

  it.each<readonly [string, (number: number) => CollateralOptions]>([
    ['PCK CA', (number) => ({ pckCrl: { number } })],
    ['root', (number) => ({ rootCrl: { number } })],
  ])('CRT-09 remembers the highest number of a CRL of the %s, for all platforms', async (_what, options) => {
    const memory = open();
    await memory.advance(made(options(5)), 'pcs');
    expect(await isRolledBack(memory, made(options(4), other), 'pcs')).toBe(true);
    expect(await isRolledBack(memory, made(options(5), other), 'pcs')).toBe(false);
    expect(await isRolledBack(memory, made(options(4), other), 'store')).toBe(false);
  });

  const dated = (date: string) => ({ number: 1, overrides: { thisUpdate: new Date(date) } });

  it.each<readonly [string, (date: string) => CollateralOptions]>([
    ['PCK CA', (date) => ({ pckCrl: dated(date) })],
    ['root', (date) => ({ rootCrl: dated(date) })],
  ])(
    'CRT-09 remembers the newest of lists of the %s that have one number, also in the next process',
    async (_what, options) => {
      const memory = open();
      await memory.advance(made(options('2026-02-20T00:00:00Z')), 'pcs');
      await memory.advance(made(options('2026-02-10T00:00:00Z')), 'pcs');
      for (const known of [memory, open()]) {
        const dates = ['2026-02-19T23:59:59Z', '2026-02-20T00:00:00Z'];
        const rolledBack = dates.map((date) => isRolledBack(known, made(options(date), other), 'pcs'));
        expect(await Promise.all(rolledBack)).toEqual([true, false]);
        expect(await isRolledBack(known, made(options('2026-02-10T00:00:00Z')), 'thim')).toBe(false);
      }
    },
  );

  it.each([
    `tdx-highest-pcs-${platform.fmspc}`,
    `tdx-highest-pcs-${platform.fmspc}-qe`,
    'crl-highest-pcs-platform',
    'crl-highest-pcs-root',
  ])('TDX-10 makes everything of a source older where its mark %s is damaged, until it is removed', async (name) => {
    await open().advance(evaluation(19), 'pcs');
    await writeFile(join(folder, name), '20');
    const log = new RecordingLog();
    const memory = open(log);
    await memory.advance(evaluation(21), 'pcs');
    for (const number of [19, 99]) {
      for (const marks of Object.values(await memory.marksOf(evaluation(number), 'pcs'))) {
        expect([isBehind(evaluation(number), marks), isUnknown(marks)]).toEqual([true, true]);
      }
    }
    expect(
      log.of(
        /^rollback mark cannot be relied on: nothing in its series is accepted until it can be read or is removed$/,
      ),
    ).toEqual([{ file: name, err: expect.any(Error) }]);
    expect(isUnknown((await memory.marksOf(evaluation(19), 'thim')).highest)).toBe(false);
    await rm(join(folder, name));
    const { highest: marks } = await memory.marksOf(evaluation(21), 'pcs');
    expect([isBehind(evaluation(21), marks), isUnknown(marks)]).toEqual([false, false]);
  });

  it('TDX-10 knows what replicas that share marks have relied on, and gives them what it has', async () => {
    const table = new MarkTable();
    const shared = () => open(new RecordingLog(), table);
    await shared().advance(evaluation(19), 'pcs');
    expect(table.kept.size).toBe(4);
    await rm(folder, { recursive: true });
    const memory = shared();
    expect(await isRolledBack(memory, evaluation(18), 'pcs')).toBe(true);
    expect(await memory.advance(evaluation(18), 'pcs')).toBe(false);
    expect(await isRolledBack(memory, evaluation(18), 'thim')).toBe(false);
    table.kept.clear();
    await memory.advance(evaluation(20), 'pcs');
    expect(table.kept.get(TCB_INFO)).toBe('20\n');
  });

  it('TDX-10 compares what is held with the marks of the replica, and with those that replicas share where it has none', async () => {
    const table = new MarkTable();
    const shared = () => open(new RecordingLog(), table);
    const isHeldBack = async (number: number) => {
      const { held } = await shared().marksOf(platform, 'pcs');
      return isBehind(evaluation(number), held);
    };
    await shared().advance(evaluation(19), 'pcs');
    table.kept.set(TCB_INFO, '20\n');
    expect(await isRolledBack(shared(), evaluation(19), 'pcs')).toBe(true);
    expect([await isHeldBack(18), await isHeldBack(19)]).toEqual([true, false]);
    await rm(join(folder, `tdx-highest-pcs-${platform.fmspc}`));
    expect([await isHeldBack(19), await isHeldBack(20)]).toEqual([true, false]);
  });

  it('TDX-10 names marks that replicas share by the host of the service, and imports by none', async () => {
    const table = new MarkTable();
    const memory = open(new RecordingLog(), table);
    for (const source of ['pcs', 'thim', 'store'] as const) await memory.advance(evaluation(19), source);
    const names = (source: string, host: string) =>
      [`tdx-shared-${source}-${platform.fmspc}`, `crl-shared-${source}-platform`].map((name) => `${name}${host}`);
    const expected = [...names('pcs', '@pccs.example'), ...names('thim', ''), ...names('store', '')];
    expect([...table.kept.keys()]).toEqual(expect.arrayContaining(expected));
    expect(table.kept.size).toBe(12);
  });

  it('TDX-10 asks for shared marks where the folder has something else or the store was gone, and else not', async () => {
    const table = new MarkTable();
    const memory = open(new RecordingLog(), table);
    await memory.marksOf(platform, 'store');
    await memory.marksOf(platform, 'store');
    expect(table.asked).toHaveLength(4);
    for (const changed of [directory, table]) {
      changed.changes += 1;
      const number = 18 + table.asked.length;
      table.kept.set(`tdx-shared-store-${platform.fmspc}`, `${number}\n`);
      expect(await isRolledBack(memory, evaluation(number - 1), 'store')).toBe(true);
    }
  });

  it('TDX-10 reads a mark that is a number', async () => {
    await writeFile(join(folder, `tdx-highest-pcs-${platform.fmspc}`), '20\n');
    expect(await isRolledBack(open(), evaluation(19), 'pcs')).toBe(true);
    expect(await isRolledBack(open(), evaluation(20), 'pcs')).toBe(false);
  });
});
