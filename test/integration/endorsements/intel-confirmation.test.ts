import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SourcedCollateral, Unavailable } from '../../../src/core/endorsement.js';
import { NO_ROOM } from '../../../src/outside/fetch-error.js';
import type { CollateralOptions } from '../../lab/collateral-builder.js';
import { createIntelPki } from '../../lab/intel-pki.js';
import { TdxPlatform } from '../../lab/tdx-platform.js';
import {
  collateral,
  DAY_MS,
  day,
  HOUR_MS,
  IntelLab,
  MINUTE_MS,
  NOW,
  type OpenedIntel,
  PAUSES,
  pckListOf,
  pki,
  platform,
  RESILIENT,
  toldOf,
} from './intel-lab.js';

/** The collateral that counts if a request brings some: that of a source of Intel's which was asked within two days. */

let lab: IntelLab;

beforeEach(async () => {
  lab = await IntelLab.start();
});

afterEach(async () => {
  await lab.close();
});

const supplied = (options: CollateralOptions = {}) => ({ request: { supplied: collateral(options) } });
const suppliedNow = () => ({ request: { supplied: platform.collateral({ at: lab.clock.now() }) } });

/** The found collateral, and whether it is confirmed. */
function standing(found: SourcedCollateral | Unavailable): string {
  if ('code' in found) return toldOf(found);
  return `${toldOf(found)}${found.unconfirmed === undefined ? '' : ', unconfirmed'}`;
}

const judged = async (opened: OpenedIntel, asked: Parameters<IntelLab['find']>[1]) =>
  standing(await lab.find(opened, asked));

it('TDX-24 does not say that Intel was asked where there was no room for that', async () => {
  const why =
    'no Intel source could be asked for newer collateral: the Intel PCS: not contacted: too many requests wait for it';
  const found = await lab.find(lab.open(), { ...suppliedNow(), signal: AbortSignal.abort(NO_ROOM) });
  expect(found).toMatchObject({ origin: 'evidence', unconfirmed: { why } });
  expect(lab.pcs.count(/./)).toBe(0);
});

describe('a service that holds nothing, and Intel answers', () => {
  it('TDX-24 is asked before older collateral of the first request counts', async () => {
    const opened = lab.open();
    expect(await judged(opened, supplied({ evaluationNumber: 18 }))).toBe('network 19');
    expect(await judged(opened, supplied({ evaluationNumber: 18 }))).toBe('cache 19');
    expect(lab.pcs.count(/tcb/)).toBe(1);
  });

  it('TDX-24 is asked before a list counts that does not name a revoked key yet', async () => {
    const revoked = [{ serial: platform.pck.serial }];
    const served = lab.serve({ pckCrl: { revoked } });
    const listOf = (days: number) => ({ pckCrl: { overrides: { thisUpdate: day(days), nextUpdate: day(days + 30) } } });
    const found = await lab.find(lab.open(), supplied(listOf(-2)));
    expect(pckListOf(found)).toBe(day(-1).toISOString());
    expect('value' in found && Buffer.compare(found.value.pckCrl, served.pckCrl)).toBe(0);
    expect(found).toMatchObject({ origin: 'network' });
  });

  it('TDX-24 is asked likewise where the command line ends with the request', async () => {
    const opened = lab.open({ inBackground: false });
    expect(await judged(opened, supplied({ evaluationNumber: 18 }))).toBe('network 19');
  });

  it('confirms newer collateral of a request: that counts, for this request alone', async () => {
    const opened = lab.open();
    expect(await judged(opened, supplied({ evaluationNumber: 20 }))).toBe('evidence 20');
    expect(await judged(opened, supplied({ evaluationNumber: 20 }))).toBe('evidence 20');
    expect(await judged(opened, {})).toBe('cache 19');
  });

  it('gives the set that is held as the same object, whatever part of a request counted in between', async () => {
    const opened = lab.open();
    await lab.find(opened);
    const held = await lab.find(opened);
    const list = { overrides: { thisUpdate: day(0), nextUpdate: day(30) } };
    const merged = await lab.find(opened, supplied({ evaluationNumber: 18, pckCrl: list }));
    expect(merged).toMatchObject({ origin: 'cache', partOrigins: { tcbInfo: 'cache', pckCrl: 'evidence' } });
    const again = await lab.find(opened);
    expect('value' in held && 'value' in again && again.value === held.value).toBe(true);
  });

  it('does not rest for all because the time of one request is over', async () => {
    const opened = lab.open();
    const late = await lab.find(opened, { ...supplied({ evaluationNumber: 18 }), signal: AbortSignal.abort() });
    expect(standing(late)).toBe('evidence 18, unconfirmed');
    expect(await judged(opened, supplied({ evaluationNumber: 18 }))).toBe('network 19');
  });

  it('is asked once, however many bring something at the same time', async () => {
    const opened = lab.open();
    const all = await Promise.all(Array.from({ length: 20 }, () => judged(opened, supplied({ evaluationNumber: 18 }))));
    expect(new Set(all)).toEqual(new Set(['network 19']));
    expect(lab.pcs.count(/tcb/)).toBe(1);
  });

  it('is asked by nobody for what does not verify, or is of another platform', async () => {
    const opened = lab.open();
    const stranger = new TdxPlatform({ pki: createIntelPki({ at: NOW }) }).collateral({ at: NOW });
    const other = new TdxPlatform({ pki, fmspc: '50806f000000' }).collateral({ at: NOW });
    for (const own of [stranger, other, collateral({ tcbInfo: { signature: () => new Uint8Array(64) } })]) {
      expect(await judged(opened, { request: { supplied: own } })).toBe('evidence 19, unconfirmed');
    }
    expect(lab.pcs.count()).toBe(0);
  });

  it('is not asked again for two days, nor by the next process', async () => {
    await lab.find(lab.open({ inBackground: false }));
    lab.clock.advance(2 * DAY_MS);
    expect(await judged(lab.open({ inBackground: false }), suppliedNow())).toBe('evidence 19');
    expect(lab.pcs.count(/tcb/)).toBe(1);
    lab.clock.advance(1);
    await lab.find(lab.open({ inBackground: false }), suppliedNow());
    expect(lab.pcs.count(/tcb/)).toBe(2);
  });

  it('is asked again where the time of the last fetch is not to be read, or lies in the future', async () => {
    await lab.find(lab.open());
    const [name = ''] = await lab.cached('tdx-collateral');
    const file = join(lab.cacheFolder, name);
    const text = await readFile(file, 'utf8');
    const instants = ['"soon"', '1', 'null', `"${day(2.001).toISOString()}"`];
    for (const [index, instant] of instants.entries()) {
      await writeFile(file, text.replace(/"fetched_at": "[^"]*"/, `"fetched_at": ${instant}`));
      await lab.find(lab.open(), supplied());
      expect(lab.pcs.count(/tcb/)).toBe(index + 2);
    }
  });
});

describe('a service that holds nothing, and Intel gives nothing', () => {
  beforeEach(() => {
    lab.pcs.fail(/./, { status: 404 });
  });

  it('TDX-25 goes by what the request brings, and says since when it must have been issued and why', async () => {
    const opened = lab.open();
    expect(await lab.find(opened, supplied())).toMatchObject({
      origin: 'evidence',
      unconfirmed: {
        why: 'no Intel source could be asked for newer collateral: the Intel PCS: answered with status 404',
        issuedSince: day(-2),
      },
    });
    expect(await lab.cached('tdx-collateral')).toEqual([]);
  });

  it('TDX-25 asks for nothing in the minute after a failure, and then again', async () => {
    lab.pcs.fail(/./, { status: 503 });
    const opened = lab.open({ inBackground: false }, { resilience: { ...RESILIENT, failuresToOpen: 100 } });
    await lab.find(opened, supplied());
    const asked = lab.pcs.count();
    lab.clock.advance(MINUTE_MS - 1);
    expect(await judged(opened, supplied())).toBe('evidence 19, unconfirmed');
    expect(lab.pcs.count()).toBe(asked);
    await lab.pcs.heal();
    lab.clock.advance(1);
    expect(await judged(opened, supplied({ evaluationNumber: 18 }))).toBe('network 19');
  });

  it('TDX-25 does not wait for a platform because another one failed', async () => {
    const opened = lab.open();
    await lab.find(opened, supplied());
    await lab.pcs.heal();
    const other = new TdxPlatform({ pki, fmspc: '50806f000000' });
    lab.pcs.serve(other, { at: NOW });
    const own = other.collateral({ at: NOW, evaluationNumber: 18 });
    expect(await judged(opened, { request: { fmspc: other.fmspc, supplied: own } })).toBe('network 19');
  });

  it('TDX-25 judges what the request brings where the breaker is open, whoever opened it', async () => {
    lab.pcs.fail(/./, { status: 503 });
    const opened = lab.open({}, { resilience: { ...RESILIENT, failuresToOpen: 1, openMs: HOUR_MS } });
    await lab.find(opened, { request: { fmspc: '0123456789ab' } });
    await lab.pcs.heal();
    const found = await lab.find(opened, supplied({ evaluationNumber: 18 }));
    expect(found).toMatchObject({ unconfirmed: { why: expect.stringContaining('failed several times in a row') } });
  });

  it('TDX-25 waits no longer for a service that hangs than for an attempt', async () => {
    lab.pcs.fail(/./, 'half_open');
    const opened = lab.open({}, { pauses: { ...PAUSES, askMs: 100 } });
    expect(await lab.find(opened, supplied())).toMatchObject({
      unconfirmed: { why: expect.stringContaining('gave no answer in time') },
    });
  });

  it('asks the cache of Azure next, and what that gives confirms too', async () => {
    const thim = await lab.startServer();
    expect(await judged(lab.open({ thim: thim.origin }), supplied({ evaluationNumber: 18 }))).toBe('network 19');
  });

  it('has one that is slow in the background, and what it gave counts from then on', async () => {
    const opened = lab.open();
    expect(await judged(opened, supplied({ evaluationNumber: 18 }))).toBe('evidence 18, unconfirmed');
    await lab.pcs.heal();
    lab.clock.advance(10 * MINUTE_MS);
    await opened.refreshDue();
    expect(await judged(opened, supplied({ evaluationNumber: 18 }))).toBe('cache 19');
  });

  it('TDX-25 goes by the newer of what is held and what the request brings', async () => {
    await lab.fill({ 'stored.json': collateral({ evaluationNumber: 18 }) });
    const opened = lab.open();
    expect(await judged(opened, supplied({ evaluationNumber: 17 }))).toBe('store 18, unconfirmed');
    expect(await judged(opened, supplied({ evaluationNumber: 19 }))).toBe('evidence 19, unconfirmed');
    expect(await judged(opened, {})).toBe('store 18');
  });

  it('TDX-25 says collateral_unavailable where there is nothing at all', async () => {
    expect(await judged(lab.open(), {})).toBe('collateral_unavailable');
  });

  it('TDX-10 says collateral_rollback where the request brings older than the memory, and why nothing newer came', async () => {
    await lab.pcs.heal();
    await lab.find(lab.open());
    lab.clock.advance(40 * DAY_MS);
    lab.pcs.fail(/./, { status: 503 });
    const own = platform.collateral({ at: lab.clock.now(), evaluationNumber: 18 });
    expect(await lab.find(lab.open(), { request: { supplied: own } })).toMatchObject({
      code: 'collateral_rollback',
      detail: expect.stringContaining('status 503'),
    });
  });
});

describe('a service that asks nobody', () => {
  const open = () => lab.open({ pcs: null });

  it('TDX-25 goes by what the request brings, whatever its age', async () => {
    const found = await lab.find(open(), supplied({ evaluationNumber: 18 }));
    expect(found).toMatchObject({ origin: 'evidence', unconfirmed: { issuedSince: null } });
    expect(lab.pcs.count()).toBe(0);
  });

  it('goes by what an operator put there where that is as new, and nothing is unconfirmed then', async () => {
    await lab.fill({ 'stored.json': collateral() });
    const opened = open();
    expect(await judged(opened, supplied({ evaluationNumber: 18 }))).toBe('store 19');
    expect(await judged(opened, supplied())).toBe('store 19');
    expect(await judged(opened, supplied({ evaluationNumber: 18, qeIdentity: { evaluationNumber: 20 } }))).toBe(
      'store 19, unconfirmed',
    );
    expect(await judged(opened, {})).toBe('store 19');
  });
});

describe('an audit', () => {
  it('TDX-25 goes by what the request brings, and asks nobody', async () => {
    const opened = lab.open();
    await lab.find(opened);
    const asked = lab.pcs.count();
    const past = { at: day(-0.5), historical: true };
    const found = await lab.find(opened, { ...past, ...supplied({ evaluationNumber: 18 }) });
    expect(found).toMatchObject({ origin: 'evidence', unconfirmed: { issuedSince: null } });
    expect(lab.pcs.count()).toBe(asked);
  });
});

describe('what is held', () => {
  it('TDX-26 is renewed each day although nobody asks', async () => {
    const opened = lab.open();
    await lab.find(opened);
    for (let days = 1; days <= 26; days += 1) {
      lab.clock.advance(DAY_MS);
      lab.serve();
      await opened.refreshDue();
      expect(lab.pcs.count(/tcb/)).toBe(1 + days);
    }
    lab.serve({ evaluationNumber: 18 });
    expect(await judged(opened, suppliedNow())).toBe('cache 19');
  });

  it('TDX-26 is renewed by a process that only read it from the cache', async () => {
    await lab.find(lab.open());
    lab.clock.advance(17 * HOUR_MS);
    const opened = lab.open();
    await opened.ready;
    await opened.refreshDue();
    expect(lab.pcs.count(/tcb/)).toBe(1);
    lab.clock.advance(7 * HOUR_MS);
    await opened.refreshDue();
    expect(lab.pcs.count(/tcb/)).toBe(2);
  });

  it('TDX-26 is renewed before it is used where it is older than two days, also where the request brings nothing', async () => {
    const opened = lab.open();
    await lab.find(opened);
    lab.clock.advance(26 * DAY_MS);
    lab.serve({ evaluationNumber: 20 });
    expect(await judged(opened, {})).toBe('network 20');
    expect(await judged(opened, {})).toBe('cache 20');
    expect(lab.pcs.count(/tcb/)).toBe(2);
  });

  it('TDX-26 is used to its end where nobody can be asked and the request brings nothing', async () => {
    const opened = lab.open();
    await lab.find(opened);
    lab.pcs.fail(/./, { status: 503 });
    lab.clock.advance(26 * DAY_MS);
    expect(await judged(opened, {})).toBe('cache 19');
    expect(await judged(opened, suppliedNow())).toBe('evidence 19, unconfirmed');
    lab.clock.advance(4 * DAY_MS);
    expect(await judged(opened, {})).toBe('collateral_stale');
  });

  it('TDX-26 is asked for no more once it has ended and cannot be had, until somebody needs it', async () => {
    const opened = lab.open();
    await lab.find(opened);
    lab.pcs.fail(/tcb/, { status: 404 });
    lab.clock.advance(40 * DAY_MS);
    await opened.refreshDue();
    const asked = lab.pcs.count();
    lab.clock.advance(DAY_MS);
    await opened.refreshDue();
    expect(lab.pcs.count()).toBe(asked);
    await lab.pcs.heal();
    lab.serve();
    expect(await judged(opened, {})).toBe('network 19');
  });

  it('TDX-26 is asked for before what an operator imported is used', async () => {
    await lab.fill({ 'stored.json': collateral({ evaluationNumber: 18 }) });
    expect(await judged(lab.open(), {})).toBe('network 19');
  });

  it('TDX-26 is left to the requests where nothing goes on after them', async () => {
    const opened = lab.open({ inBackground: false });
    await lab.find(opened);
    lab.clock.advance(DAY_MS);
    await opened.refreshDue();
    await lab.find(opened);
    await opened.close();
    expect(lab.pcs.count(/tcb/)).toBe(1);
  });
});
