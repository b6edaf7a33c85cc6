import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SnpEndorsementRequest } from '../../../src/core/endorsement.js';
import type { OpenAmdEndorsements } from '../../../src/endorsements/amd/open-amd-endorsements.js';
import { parseCrl } from '../../../src/formats/x509-crl.js';
import { NO_ROOM } from '../../../src/outside/fetch-error.js';
import { DEFAULT_RESILIENCE } from '../../../src/outside/resilient-fetch.js';
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
  pki,
  requestFor,
  SUPPLIED_VCEK,
} from './amd-lab.js';

const HOUR_MS = DAY_MS / 24;
const TWO_DAYS_MS = 48 * HOUR_MS;

/** The request brings the key certificate and its chain. */
const COMPLETE = requestFor({ supplied: { vek: SUPPLIED_VCEK, chain: true, crls: false } });
/** The breaker stays closed: whether KDS is asked is for the cooldown alone. */
const CLOSED = { ...DEFAULT_RESILIENCE, pauseMs: 1, longestPauseMs: 5, failuresToOpen: 100 };

let lab: AmdLab;

beforeEach(async () => {
  lab = await AmdLab.start();
  await lab.fill({ 'chain.pem': pki.chainPem('Milan') });
  serve(1);
});

afterEach(async () => {
  await lab.close();
});

const serve = (number: number, fromDays = -10) => lab.kds.serveCrl('Milan', 'vcek', issueCrl(number, fromDays, 365));
const asked = () => lab.kds.count(/crl/);

/** Restarted with what is on disk: nothing was renewed in the background meanwhile. */
const restarted = (options: { readonly kds?: null; readonly inBackground?: boolean } = {}) =>
  lab.open({ inBackground: false, ...options }, { resilience: CLOSED });

/** The CRL that counts: its number, when it was fetched, and why it is unconfirmed. */
async function crlOf(opened: OpenAmdEndorsements, asking: Asked = {}, request: SnpEndorsementRequest = COMPLETE) {
  const { crls } = await find(opened, request, { at: lab.clock.now(), ...asking });
  const found = crls.get('Milan');
  if (found === undefined) throw new Error('no CRL');
  const { value, fetchedAt = null, unconfirmed = null } = found;
  return { number: parseCrl(value.der).crlNumber, fetchedAt, unconfirmed };
}

/** A CRL is cached that was fetched at the beginning; then so much time passes. */
async function holding(elapsedMs: number): Promise<void> {
  const opened = restarted();
  expect(await crlOf(opened)).toMatchObject({ number: 1n });
  await opened.close();
  lab.clock.advance(elapsedMs);
}

async function setModified(name: string, at: Date): Promise<void> {
  await utimes(join(lab.folder, name), at, at);
}

describe('a CRL that was fetched more than 48 hours ago', () => {
  it('CRT-40 is asked for before use, and what KDS serves counts', async () => {
    await holding(TWO_DAYS_MS + 1);
    serve(2);
    const found = await crlOf(lab.open({}, { resilience: CLOSED }));
    expect(found).toEqual({ number: 2n, fetchedAt: lab.clock.now(), unconfirmed: null });
    expect(asked()).toBe(2);
  });

  it('CRT-40 is confirmed where KDS serves the same, for another 48 hours', async () => {
    await holding(TWO_DAYS_MS + 1);
    const opened = restarted();
    expect(await crlOf(opened)).toEqual({ number: 1n, fetchedAt: lab.clock.now(), unconfirmed: null });
    expect(await crlOf(opened)).toMatchObject({ unconfirmed: null });
    expect(asked()).toBe(2);
  });

  it('is not asked for before use within 48 hours by a process that lives on', async () => {
    await holding(TWO_DAYS_MS);
    lab.kds.fail(/crl/, 'half_open');
    const found = await crlOf(lab.open({}, { resilience: CLOSED }));
    expect(found).toEqual({ number: 1n, fetchedAt: NOW, unconfirmed: null });
  });

  it('CRT-40 is asked for only where the path of the key certificate verifies', async () => {
    await holding(TWO_DAYS_MS + 1);
    const opened = restarted();
    const unverified = await crlOf(opened, {}, { ...COMPLETE, hasPath: () => false });
    const why = 'AMD KDS is asked only for a key certificate whose path verifies';
    expect([unverified, asked()]).toEqual([{ number: 1n, fetchedAt: NOW, unconfirmed: why }, 1]);
    expect(await crlOf(opened)).toMatchObject({ unconfirmed: null });
    expect(asked()).toBe(2);
  });

  it('CRT-40 is asked for with the VCEK and the chain that the sources found', async () => {
    await holding(TWO_DAYS_MS + 1);
    const paths: unknown[] = [];
    const hasPath: SnpEndorsementRequest['hasPath'] = (vek, chain) => {
      paths.push([vek?.der.length, chain?.length]);
      return true;
    };
    expect(await crlOf(restarted(), {}, requestFor({ hasPath }))).toMatchObject({ unconfirmed: null });
    expect(paths).toEqual([[expect.any(Number), 2]]);
  });

  it('CRT-40 is not asked for where no VCEK is found', async () => {
    await holding(TWO_DAYS_MS + 1);
    const paths: unknown[] = [];
    const hasPath: SnpEndorsementRequest['hasPath'] = (vek) => {
      paths.push(vek);
      return vek !== null;
    };
    const unknown = requestFor({ chipId: CHIP.map((byte) => byte ^ 1), hasPath });
    expect((await crlOf(restarted(), {}, unknown)).unconfirmed).toContain('whose path verifies');
    expect([paths, asked()]).toEqual([[null], 1]);
  });

  it.each([
    ['is out of reach', () => lab.kds.fail(/crl/, { status: 503 }), 'AMD KDS: answered with status 503'],
    ['has none', () => lab.kds.fail(/crl/, { status: 404 }), 'AMD KDS: answered with status 404'],
    ['serves garbage', () => lab.kds.fail(/crl/, 'garbage'), 'no newer CRL was fetched'],
    ['serves an older one', () => serve(0), 'CRL of Milan is older than one that was relied on before'],
  ])('CRT-41 counts as unconfirmed where KDS %s, and is asked for again after 60 seconds', async (_, fail, why) => {
    await holding(TWO_DAYS_MS + 1);
    fail();
    const opened = lab.open({}, { resilience: CLOSED, crlRefreshPauseMs: DAY_MS });
    expect(await crlOf(opened)).toEqual({ number: 1n, fetchedAt: NOW, unconfirmed: expect.stringContaining(why) });
    await lab.kds.heal();
    serve(2);
    const before = asked();
    lab.clock.advance(59_999);
    expect(await crlOf(opened)).toMatchObject({ number: 1n, unconfirmed: expect.any(String) });
    expect(asked()).toBe(before);
    // A 404 is remembered for ten minutes.
    lab.clock.advance(600_000);
    expect(await crlOf(opened)).toMatchObject({ number: 2n, unconfirmed: null });
  });

  it('CRT-41 counts as unconfirmed where the clock was set back by more than 48 hours since', async () => {
    await holding(-TWO_DAYS_MS);
    lab.kds.fail(/crl/, { status: 503 });
    expect(await crlOf(restarted())).toMatchObject({ number: 1n, unconfirmed: null });
    lab.clock.advance(-1);
    expect(await crlOf(restarted())).toMatchObject({ number: 1n, unconfirmed: expect.any(String) });
  });

  it('CRT-41 is waited for as long as tuning says, and counts then', async () => {
    await holding(TWO_DAYS_MS + 1);
    lab.kds.fail(/crl/, 'half_open');
    // Every other bound is longer than a test may take.
    const tuning = { resilience: CLOSED, crlAskTimeoutMs: 20, crlRefreshTimeoutMs: 120_000 };
    const opened = lab.open({ inBackground: false }, tuning);
    expect(await crlOf(opened)).toMatchObject({ number: 1n, unconfirmed: expect.any(String) });
  });

  it('CRT-41 keeps the cooldown on disk for the command line', async () => {
    await holding(TWO_DAYS_MS + 1);
    lab.kds.fail(/crl/, { status: 503 });
    expect(await crlOf(restarted())).toMatchObject({ unconfirmed: expect.any(String) });
    const before = asked();
    lab.clock.advance(59_999);
    expect(await crlOf(restarted())).toMatchObject({ number: 1n, unconfirmed: expect.any(String) });
    expect(asked()).toBe(before);
    await lab.kds.heal();
    lab.clock.advance(1);
    expect(await crlOf(restarted())).toMatchObject({ number: 1n, unconfirmed: null });
    expect(asked()).toBe(before + 1);
  });

  it('CRT-41 is asked for again where the clock was set back since KDS failed', async () => {
    await holding(TWO_DAYS_MS + HOUR_MS);
    lab.kds.fail(/crl/, { status: 503 });
    expect(await crlOf(restarted())).toMatchObject({ unconfirmed: expect.any(String) });
    await lab.kds.heal();
    lab.clock.advance(-120_000);
    expect(await crlOf(restarted())).toMatchObject({ number: 1n, unconfirmed: null });
  });

  it('CRT-41 counts as unconfirmed where there was no room to ask, which is no failure of KDS', async () => {
    await holding(TWO_DAYS_MS + 1);
    const opened = restarted();
    const found = await crlOf(opened, { signal: AbortSignal.abort(NO_ROOM) });
    expect(found).toMatchObject({ number: 1n, unconfirmed: expect.stringContaining('too many requests') });
    expect(await crlOf(opened)).toMatchObject({ unconfirmed: null });
  });

  it('CRT-41 is not unconfirmed while KDS is off, nor at a past instant', async () => {
    await holding(TWO_DAYS_MS + 1);
    expect(await crlOf(restarted({ kds: null }))).toEqual({ number: 1n, fetchedAt: NOW, unconfirmed: null });
    lab.kds.fail(/crl/, { status: 503 });
    expect(await crlOf(restarted(), { historical: true })).toMatchObject({ number: 1n, unconfirmed: null });
    expect(asked()).toBe(1);
  });

  it('CRT-41 gives way to one that the operator imported within 48 hours', async () => {
    await holding(TWO_DAYS_MS + 1);
    lab.kds.fail(/crl/, { status: 503 });
    const list = exported(issueCrl(2, -1, 30));
    const [name = ''] = Object.keys(list);
    await lab.fill(list);
    await setModified(name, lab.clock.now());
    expect(await crlOf(restarted())).toEqual({ number: 2n, fetchedAt: null, unconfirmed: null });
  });

  it.each([
    ['with an earlier number', exported(issueCrl(0, -1, 30)), 0],
    ['with an earlier date', exported(issueCrl(2, -20, 30)), 0],
    ['of the other series', exported(issueCrl(9, -1, 30), 'vlek'), 0],
    ['that was imported more than 48 hours ago', exported(issueCrl(2, -1, 30)), TWO_DAYS_MS + 1000],
  ])('CRT-41 does not give way to one of the folder %s', async (_, list, age) => {
    await holding(TWO_DAYS_MS + 1);
    lab.kds.fail(/crl/, { status: 503 });
    const [name = ''] = Object.keys(list);
    await lab.fill(list);
    await setModified(name, new Date(lab.clock.now().getTime() - age));
    expect(await crlOf(restarted())).toMatchObject({ number: 1n, unconfirmed: expect.any(String) });
  });
});

describe('a CRL of the folder in the place of one of KDS', () => {
  beforeEach(async () => {
    lab.kds.fail(/crl/, { status: 503 });
    await lab.fill({ 'list.crl': issueCrl(7, -1, 30) });
  });

  it.each([
    ['within 48 hours of its modification', TWO_DAYS_MS, null],
    ['after that', TWO_DAYS_MS + 1000, expect.stringContaining('AMD KDS: answered with status 503')],
  ])('CRT-41 is confirmed %s', async (_, age, unconfirmed) => {
    await setModified('list.crl', new Date(NOW.getTime() - age));
    expect(await crlOf(restarted())).toEqual({ number: 7n, fetchedAt: null, unconfirmed });
  });

  it('CRT-41 needs no confirmation while KDS is off, nor at a past instant', async () => {
    await setModified('list.crl', new Date(NOW.getTime() - 30 * DAY_MS));
    expect(await crlOf(restarted({ kds: null }))).toMatchObject({ number: 7n, unconfirmed: null });
    expect(await crlOf(restarted(), { historical: true })).toMatchObject({ number: 7n, unconfirmed: null });
  });

  it('CRT-41 is confirmed by an import for 48 hours, whenever it was issued', async () => {
    // The import writes the file, now.
    lab.clock.advance(Date.now() - NOW.getTime());
    await lab.fill(exported(issueCrl(8, -5, 1000)), lab.path('bundle'));
    const opened = restarted();
    expect(await opened.importBundle(lab.path('bundle'))).toMatchObject({ refused: [] });
    lab.clock.advance(TWO_DAYS_MS - HOUR_MS);
    expect(await crlOf(restarted())).toEqual({ number: 8n, fetchedAt: null, unconfirmed: null });
    lab.clock.advance(2 * HOUR_MS);
    expect(await crlOf(restarted())).toMatchObject({ number: 8n, unconfirmed: expect.any(String) });
  });
});

describe('a CRL in the background', () => {
  it('CRT-40 is renewed each day, so that no request waits for it', async () => {
    const opened = lab.open({}, { resilience: CLOSED });
    await crlOf(opened);
    for (let day = 0; day < 4; day += 1) {
      lab.clock.advance(DAY_MS);
      await opened.refreshDue();
    }
    await expect.poll(asked, PATIENT).toBe(5);
    lab.kds.fail(/crl/, { status: 503 });
    expect(await crlOf(opened)).toMatchObject({ number: 1n, unconfirmed: null });
  });
});
