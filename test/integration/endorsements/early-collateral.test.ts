import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseQeIdentity } from '../../../src/tee/tdx/intel/qe-identity.js';
import { parseTcbInfo } from '../../../src/tee/tdx/intel/tcb-info.js';
import { createIntelPki } from '../../lab/intel-pki.js';
import { TdxPlatform } from '../../lab/tdx-platform.js';
import { DAY_MS, day, fmspc, HOUR_MS, IntelLab, MINUTE_MS, NOW, PATIENT, pki, platform } from './intel-lab.js';

let lab: IntelLab;

beforeEach(async () => {
  lab = await IntelLab.start();
  lab.serve({ update: 'early', evaluationNumber: 20 });
  lab.pcs.listNumbers({ issueDate: day(-1) });
});

afterEach(async () => {
  await lab.close();
});

const KEY = { fmspc, ca: 'platform' } as const;
const EARLY = /update=early/;
const TCB_INFO = /\/tcb\?/;
const LIST = /tcbevaluationdatanumbers/;
const NOT_FETCHED = /^early TDX collateral not fetched$/;

type Opened = ReturnType<IntelLab['openEarly']>;

const heldBy = ({ source }: Opened, at = lab.clock.now()) => source.held(KEY, at);

/** Evaluation numbers of TCB info and QE identity that are held; null if nothing is. */
function numbersOf(opened: Opened): readonly number[] | null {
  const held = heldBy(opened);
  if (held === null) return null;
  const { tcbInfo, qeIdentity } = held.documents;
  return [parseTcbInfo(tcbInfo).evaluationDataNumber, parseQeIdentity(qeIdentity).evaluationDataNumber];
}

/** Asks, and waits until there is something. */
async function fetched(): Promise<Opened> {
  const opened = lab.openEarly();
  opened.source.ask(KEY);
  await vi.waitFor(() => expect(heldBy(opened)).not.toBeNull(), PATIENT);
  return opened;
}

describe('early collateral', () => {
  it('is of the early update, both documents, and comes with the recovery events', async () => {
    const opened = lab.openEarly();
    expect([heldBy(opened), lab.pcs.count()]).toEqual([null, 0]);
    opened.source.ask(KEY);
    expect(heldBy(opened)).toBeNull();
    await vi.waitFor(() => expect(numbersOf(opened)).toEqual([20, 20]), PATIENT);
    expect(heldBy(opened)?.recoveries.map(({ evaluationDataNumber }) => evaluationDataNumber)).toEqual([20, 19]);
    expect(lab.pcs.requests.filter((path) => EARLY.test(path)).toSorted()).toEqual([
      '/tdx/certification/v4/qe/identity?update=early',
      `/tdx/certification/v4/tcb?fmspc=${fmspc}&update=early`,
    ]);
    expect(lab.pcs.count(LIST)).toBe(1);
  });

  it('is given out as the same object until it is renewed, so that it is read once', async () => {
    const opened = await fetched();
    expect(heldBy(opened)?.documents).toBe(heldBy(opened)?.documents);
  });

  it('is asked for once at a time, and again when it is due', async () => {
    const opened = await fetched();
    for (const { source } of [opened, opened]) source.ask(KEY);
    lab.clock.advance(17 * HOUR_MS);
    opened.source.ask(KEY);
    expect(lab.pcs.count(TCB_INFO)).toBe(1);
    lab.clock.advance(8 * HOUR_MS);
    lab.serve({ update: 'early', evaluationNumber: 21 });
    opened.source.ask(KEY);
    opened.source.ask(KEY);
    await vi.waitFor(() => expect(numbersOf(opened)).toEqual([21, 21]), PATIENT);
    expect(lab.pcs.count(TCB_INFO)).toBe(2);
  });

  it('is used no longer than it is current, nor before', async () => {
    const opened = await fetched();
    expect([day(-1), day(29)].map((at) => heldBy(opened, at) !== null)).toEqual([true, true]);
    expect([-1.001, 29.001].map((days) => heldBy(opened, day(days)))).toEqual([null, null]);
  });

  it('has its own pause after a failure, is told of once, and is over once it comes', async () => {
    lab.pcs.fail(EARLY, { status: 404 });
    const opened = lab.openEarly();
    const failed = async (times: number) => {
      opened.source.ask(KEY);
      await vi.waitFor(() => expect(opened.log.of(NOT_FETCHED)).toHaveLength(1), PATIENT);
      expect(lab.pcs.count(TCB_INFO)).toBe(times);
    };
    await failed(1);
    lab.clock.advance(MINUTE_MS - 1);
    await failed(1);
    await lab.pcs.heal();
    // A service is not asked again for ten minutes about a platform that it does not know.
    lab.clock.advance(10 * MINUTE_MS);
    opened.source.ask(KEY);
    await vi.waitFor(() => expect(numbersOf(opened)).toEqual([20, 20]), PATIENT);
    expect(opened.log.of(/^early TDX collateral fetched again$/)).toHaveLength(1);
  });

  it('stays what it was where a renewal fails', async () => {
    const opened = await fetched();
    lab.pcs.fail(EARLY, { status: 404 });
    lab.clock.advance(2 * DAY_MS);
    opened.source.ask(KEY);
    await vi.waitFor(() => expect(opened.log.of(NOT_FETCHED)).toHaveLength(1), PATIENT);
    expect(numbersOf(opened)).toEqual([20, 20]);
  });

  it.each([
    ['does not verify', { tcbInfo: { signer: pki.root.key } }, /signature does not verify/],
    ['has ended', { tcbInfo: { issueDate: day(-31) } }, /past its next update/],
    ['is of a revoked signer', { rootCrl: { revoked: [{ serial: pki.tcbSigning.serial }] } }, /revoked/],
    ['is for another platform', { tcbInfo: { members: { fmspc: '0'.repeat(12) } } }, /another platform/],
  ])('is not held where it %s', async (_what, options, why) => {
    lab.serve({ update: 'early', ...options });
    const opened = lab.openEarly();
    opened.source.ask(KEY);
    await vi.waitFor(
      () => expect(opened.log.of(NOT_FETCHED)).toMatchObject([{ why: expect.stringMatching(why) }]),
      PATIENT,
    );
    expect(heldBy(opened)).toBeNull();
  });

  it.each([
    ['there is none', () => lab.pcs.fail(LIST, { status: 404 })],
    ['it does not verify', () => lab.pcs.listNumbers({ issueDate: day(-1), signer: pki.root.key })],
    ['it is below another root', () => lab.pcs.listNumbers({ tcbSigning: createIntelPki({ at: NOW }).tcbSigning })],
    ['its answer names no signer', () => lab.pcs.alter(LIST, ({ headers: _, ...genuine }) => genuine)],
  ])('is held without recovery events where %s, and the list is asked for again within the hour', async (_, spoil) => {
    spoil();
    const opened = await fetched();
    expect(heldBy(opened)?.recoveries).toEqual([]);
    expect(opened.log.of(NOT_FETCHED)).toMatchObject([{ what: 'TCB evaluation data numbers' }]);
    await lab.pcs.heal();
    lab.pcs.listNumbers({ issueDate: day(-1) });
    lab.clock.advance(HOUR_MS);
    opened.source.ask(KEY);
    await vi.waitFor(() => expect(heldBy(opened)?.recoveries).toHaveLength(2), PATIENT);
  });

  it('is held without recovery events once their list has ended', async () => {
    lab.pcs.listNumbers({ issueDate: day(-1), nextUpdate: day(1) });
    const opened = await fetched();
    expect([day(1), day(2)].map((at) => heldBy(opened, at)?.recoveries.length)).toEqual([2, 0]);
  });

  it('ends with the service, also while it is being fetched', async () => {
    lab.pcs.fail(EARLY, 'half_open');
    const opened = lab.openEarly();
    opened.source.ask(KEY);
    await vi.waitFor(() => expect(lab.pcs.count(EARLY)).toBe(1), PATIENT);
    await opened.close();
    opened.source.ask(KEY);
    expect([lab.pcs.count(EARLY), opened.log.entries]).toEqual([1, []]);
  });
});

describe('early collateral and what decisions rest on', () => {
  const marksAndCache = () => readdir(lab.cacheFolder).catch(() => []);

  it('are apart: it is neither in the cache nor in the rollback marks, and the standard one stays in force', async () => {
    const standard = lab.open();
    expect(await lab.told(standard)).toBe('network 19');
    const before = await marksAndCache();
    await fetched();
    lab.clock.advance(DAY_MS);
    expect(await lab.told(standard)).toBe('cache 19');
    expect(await marksAndCache()).toEqual(before);
    // A process of its own reads all that is on disk. Marks of number 20 would refuse what is served now.
    lab.serve({ evaluationNumber: 19 });
    await standard.refreshDue();
    expect(await lab.told(lab.open())).toBe('cache 19');
  });

  it('are apart: it does not stand in where there is no standard collateral', async () => {
    const other = new TdxPlatform({ pki, fmspc: '0123456789ab' });
    lab.pcs.serve(other, { at: NOW, update: 'early' });
    const key = { fmspc: other.fmspc, ca: 'platform' } as const;
    const { source } = lab.openEarly();
    source.ask(key);
    await vi.waitFor(() => expect(source.held(key, NOW)).not.toBeNull(), PATIENT);
    expect(await lab.told(lab.open(), { request: key })).toBe('collateral_unavailable');
  });

  it('are apart: folder and cache of the standard one are not taken as early', async () => {
    await lab.fill({ 'early.json': platform.collateral({ at: NOW, evaluationNumber: 20 }) });
    const standard = lab.open();
    expect(await lab.told(standard)).toBe('store 20');
    lab.pcs.fail(EARLY, { status: 404 });
    const opened = lab.openEarly();
    opened.source.ask(KEY);
    await vi.waitFor(() => expect(opened.log.of(NOT_FETCHED)).toHaveLength(1), PATIENT);
    expect(heldBy(opened)).toBeNull();
  });

  it('are apart: faults of the early one do not count against the other', async () => {
    lab.pcs.fail(EARLY, { status: 503 });
    const opened = lab.openEarly();
    for (let attempt = 0; attempt < 4; attempt += 1) {
      opened.source.ask(KEY);
      await vi.waitFor(() => expect(lab.pcs.count(EARLY)).toBeGreaterThan(attempt), PATIENT);
      lab.clock.advance(MINUTE_MS);
    }
    expect(await lab.told(lab.open())).toBe('network 19');
  });
});
