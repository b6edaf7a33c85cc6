import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { OpenAmdEndorsements } from '../../../src/endorsements/amd/open-amd-endorsements.js';
import { parseCrl } from '../../../src/formats/x509-crl.js';
import { MarkTable } from '../../unit/endorsements/mark-table.js';
import { AmdLab, exported, find, issueCrl, pki, requestFor, SUPPLIED_VCEK } from './amd-lab.js';
import { fmspc, HOUR_MS, IntelLab, MINUTE_MS, NOW, PATIENT } from './intel-lab.js';

const hostOf = ({ origin }: { readonly origin: string }) => new URL(origin).host;

let table: MarkTable;
/** Another replica relies on something newer, and this one has to look. */
function raise(name: string, text: string): void {
  table.kept.set(name, text);
  table.changes += 1;
}

beforeEach(() => {
  table = new MarkTable();
});

describe('a CRL of AMD, where another replica has a newer one', () => {
  const COMPLETE = requestFor({ supplied: { vek: SUPPLIED_VCEK, chain: true, crls: false } });
  const [OWN, CRL] = ['crl-highest-milan-vcek', 'crl-milan-vcek.crl'];
  let lab: AmdLab;

  beforeEach(async () => {
    lab = await AmdLab.start();
    await lab.fill({ 'chain.pem': pki.chainPem('Milan') });
    serve(7);
  });

  afterEach(() => lab.close());

  const serve = (number: number) => lab.kds.serveCrl('Milan', 'vcek', issueCrl(number, -10, 365));
  const asked = () => lab.kds.count(/crl/);
  const open = (options: Parameters<AmdLab['open']>[0] = {}) => lab.open({ sharedMarks: table, ...options });
  const raiseTo = (number: number, host = `@${hostOf(lab.kds)}`) =>
    raise(`crl-shared-milan-vcek${host}`, `${number} 2026-01-01T00:00:00.000Z\n`);
  /** Number of the CRL, and where it is from; the code of why there is none. */
  async function found(opened: OpenAmdEndorsements): Promise<string> {
    const { crls, crlProblems } = await find(opened, COMPLETE, { at: lab.clock.now() });
    const crl = crls.get('Milan');
    return crl === undefined
      ? `${crlProblems.get('Milan')?.code}`
      : `${crl.origin} ${parseCrl(crl.value.der).crlNumber}`;
  }
  /** The same of a replica that is started for it. */
  async function once(options?: Parameters<typeof open>[0]): Promise<string> {
    const opened = open(options);
    const answer = await found(opened);
    await opened.close();
    return answer;
  }

  it('CRT-09 stays in use, and is asked for again at once, then as after any failure', async () => {
    const opened = open();
    expect(await found(opened)).toBe('network 7');
    raiseTo(9);
    expect(await found(opened)).toBe('cache 7');
    await vi.waitFor(() => expect(opened.log.of(/^CRL not renewed$/)).toHaveLength(1), PATIENT);
    expect(opened.log.of(/^CRL not renewed$/)).toEqual([
      { line: 'milan-vcek', why: 'CRL of Milan is older than one that was relied on before' },
    ]);
    for (let count = 0; count < 3; count++) expect(await found(opened)).toBe('cache 7');
    await opened.refreshDue();
    expect(asked()).toBe(2);
    serve(9);
    lab.clock.advance(MINUTE_MS);
    await vi.waitFor(async () => expect(await found(opened)).toBe('cache 9'), PATIENT);
    lab.clock.advance(MINUTE_MS);
    expect(await found(opened)).toBe('cache 9');
    expect(asked()).toBe(3);
  });

  it('CRT-09 gives way to one that is newer, also where that is older than the shared mark', async () => {
    const opened = open();
    expect(await found(opened)).toBe('network 7');
    raiseTo(9);
    serve(8);
    // One request after the other, so that some of them come while mark and cache are written.
    let answer = await found(opened);
    for (; answer === 'cache 7'; answer = await found(opened)) await new Promise(setImmediate);
    expect(answer).toBe('cache 8');
    await opened.close();
    expect(await once({ inBackground: false })).toBe('cache 8');
    serve(7);
    lab.clock.advance(72 * HOUR_MS);
    expect(await once()).toBe('cache 8');
    expect(await once({ cacheFolder: lab.path('empty') })).toBe('crl_rollback');
  });

  it('CRT-09 is still refused where it replaces none that is in use', async () => {
    serve(6);
    expect(await once()).toBe('network 6');
    const old = await readFile(join(lab.cacheFolder, CRL));
    serve(7);
    lab.clock.advance(24 * HOUR_MS);
    expect(await once({ inBackground: false })).toBe('network 7');
    raiseTo(9);
    serve(8);
    await writeFile(join(lab.cacheFolder, CRL), old);
    expect(await once()).toBe('crl_rollback');
    await rm(join(lab.cacheFolder, OWN));
    expect(await once()).toBe('crl_rollback');
    await rm(join(lab.cacheFolder, CRL));
    expect(await once()).toBe('crl_rollback');
  });

  it('CRT-09 is still refused if the one that it replaces has expired', async () => {
    lab.kds.serveCrl('Milan', 'vcek', issueCrl(7, -10, 1));
    expect(await once()).toBe('network 7');
    raiseTo(9);
    serve(8);
    lab.clock.advance(48 * HOUR_MS);
    expect(await once()).toBe('crl_rollback');
  });

  it('CRT-09 stays in use after a restart, also where the shared mark is damaged, and for a command that asks before use', async () => {
    expect(await once()).toBe('network 7');
    for (const mark of ['9 2026-01-01T00:00:00.000Z\n', 'NaN\n']) {
      raise(`crl-shared-milan-vcek@${hostOf(lab.kds)}`, mark);
      expect(await once()).toBe('cache 7');
      expect(await once({ inBackground: false })).toBe('cache 7');
      await rm(join(lab.cacheFolder, 'crl-failed-milan-vcek'));
    }
    expect(asked()).toBeGreaterThanOrEqual(3);
    expect(await once({ cacheFolder: lab.path('empty') })).toBe('crl_rollback');
  });

  it('CRT-09 is refused where it is fetched, with what was learned of the database, also while that is gone', async () => {
    raiseTo(9);
    expect(await once()).toBe('crl_rollback');
    table.isGone = true;
    expect(await once()).toBe('crl_rollback');
    expect(await once({ cacheFolder: lab.path('empty') })).toBe('network 7');
  });

  it('CRT-09 is refused where the own mark says more or is missing', async () => {
    expect(await once()).toBe('network 7');
    const kept = (name: string, folder = lab.cacheFolder) => readFile(join(folder, name));
    const [mark, crl] = [await kept(OWN), await kept(CRL)];
    serve(9);
    expect(await once({ cacheFolder: lab.path('other') })).toBe('network 9');
    lab.kds.fail(/crl/, { status: 503 });
    for (const own of [await kept(OWN, lab.path('other')), null, mark]) {
      await rm(join(lab.cacheFolder, OWN), { force: true });
      if (own !== null) await writeFile(join(lab.cacheFolder, OWN), own);
      await writeFile(join(lab.cacheFolder, CRL), crl);
      expect(await once()).toBe(own === mark ? 'cache 7' : 'crl_rollback');
    }
  });

  it('CRT-09 counts in the folder if the replica relied on it, and else not, whatever lies beside it', async () => {
    await lab.fill(exported(issueCrl(7, -10, 365)));
    expect(await once({ kds: null })).toBe('store 7');
    raiseTo(9, '');
    expect(await once({ kds: null })).toBe('store 7');
    await lab.fill(exported(issueCrl(8, -9, 365)));
    expect(await once({ kds: null })).toBe('store 7');
    table.kept.set('crl-shared-milan-vcek', 'NaN\n');
    expect(await once({ kds: null })).toBe('store 7');
    await rm(join(lab.cacheFolder, OWN));
    expect(await once({ kds: null })).toBe('crl_rollback');
  });

  it('CRT-09 is of no matter to replicas with another source', async () => {
    raiseTo(9, '@kds.example');
    raiseTo(9, '');
    expect(await once()).toBe('network 7');
  });
});

describe('collateral of Intel, where another replica has a newer CRL', () => {
  let lab: IntelLab;

  beforeEach(async () => {
    lab = await IntelLab.start();
    lab.serve({ pckCrl: hoursAgo(9) });
  });

  afterEach(() => lab.close());

  const dateOf = (hours: number) => new Date(NOW.getTime() - hours * HOUR_MS);
  const hoursAgo = (hours: number) => ({ number: 1, overrides: { thisUpdate: dateOf(hours) } });
  const open = (options: Parameters<IntelLab['open']>[0] = {}) => lab.open({ sharedMarks: table, ...options });
  const raiseTo = (hours: number, host = `@${hostOf(lab.pcs)}`) =>
    raise(`crl-shared-pcs-platform${host}`, `1 ${dateOf(hours).toISOString()}\n`);
  const [HELD, FETCHED] = ['cache 19', 'network 19'];
  const refused = /^TDX collateral is older than what was relied on before$/;
  /** The answer of a replica that is started for it. */
  async function once(options?: Parameters<typeof open>[0]): Promise<string> {
    const opened = open(options);
    const answer = await lab.told(opened);
    await opened.close();
    return answer;
  }

  it('CRT-09 stays in use, and is fetched again at once, then as after any failure', async () => {
    const opened = open();
    expect(await lab.told(opened)).toBe(FETCHED);
    raiseTo(3);
    expect(await lab.told(opened)).toBe(HELD);
    await vi.waitFor(() => expect(opened.log.of(refused)).toHaveLength(1), PATIENT);
    for (let count = 0; count < 3; count++) expect(await lab.told(opened)).toBe(HELD);
    await opened.refreshDue();
    expect(lab.pcs.count(/tcb/)).toBe(2);
    lab.serve({ pckCrl: hoursAgo(3), evaluationNumber: 20 });
    lab.clock.advance(HOUR_MS);
    expect(await lab.told(opened)).toBe(HELD);
    const newest = { fetchedAt: lab.clock.now() };
    await vi.waitFor(async () => expect(await opened.fetched()).toMatchObject([newest]), PATIENT);
    expect(await lab.told(opened)).toBe('cache 20');
    await opened.close();
    expect(await once()).toBe('cache 20');
    expect(lab.pcs.count(/tcb/)).toBe(3);
  });

  it('CRT-09 and TDX-10 gives way to what is newer, also where that is older than the shared mark', async () => {
    expect(await once()).toBe(FETCHED);
    raiseTo(3);
    lab.serve({ pckCrl: hoursAgo(6), evaluationNumber: 20 });
    const opened = open();
    // One request after the other, so that some of them come while marks and cache are written.
    let answer = HELD;
    for (; answer === HELD; answer = await lab.told(opened)) await new Promise(setImmediate);
    expect(answer).toBe('cache 20');
    await opened.close();
    lab.serve({ pckCrl: hoursAgo(9) });
    lab.clock.advance(72 * HOUR_MS);
    expect(await once()).toBe('cache 20');
    expect(await once({ cacheFolder: lab.path('other') })).toBe('collateral_rollback');
  });

  it('CRT-09 is still refused where it replaces none that is in use', async () => {
    expect(await once()).toBe(FETCHED);
    const [file = ''] = await lab.cached('tdx-collateral');
    const old = await readFile(join(lab.cacheFolder, file));
    lab.serve({ pckCrl: hoursAgo(8) });
    await rm(join(lab.cacheFolder, file));
    expect(await once()).toBe(FETCHED);
    raiseTo(3);
    lab.serve({ pckCrl: hoursAgo(6), evaluationNumber: 20 });
    await writeFile(join(lab.cacheFolder, file), old);
    expect(await once()).toBe('collateral_rollback');
    await rm(join(lab.cacheFolder, file));
    expect(await once()).toBe('collateral_rollback');
  });

  it('CRT-09 that has ended is replaced by none that is older than the shared mark', async () => {
    expect(await once()).toBe(FETCHED);
    lab.clock.advance(40 * 24 * HOUR_MS);
    raiseTo(-40 * 24);
    lab.serve({ evaluationNumber: 20 });
    expect(await once()).not.toMatch(/20/);
  });

  it('CRT-09 stays in use until it ends while the source has nothing newer', async () => {
    expect(await once()).toBe(FETCHED);
    raiseTo(3);
    lab.clock.advance(20 * 24 * HOUR_MS);
    expect(await once()).toBe(HELD);
    lab.clock.advance(20 * 24 * HOUR_MS);
    expect(await once()).toBe('collateral_stale');
  });

  it.each([
    ['another has a newer one', () => raiseTo(3)],
    ['the shared mark is damaged', () => raise(`tdx-shared-pcs-${fmspc}@${hostOf(lab.pcs)}`, 'NaN\n')],
  ])('TDX-10 is refused where it is fetched and %s, and not where it is held', async (_what, spoil) => {
    expect(await once()).toBe(FETCHED);
    spoil();
    expect(await once()).toBe(HELD);
    const other = { cacheFolder: lab.path('other') };
    expect(await once(other)).toBe('collateral_rollback');
    expect(await once(other)).toBe('collateral_rollback');
  });

  it('CRT-09 is refused by what was learned of the database, also while that is gone', async () => {
    raiseTo(3);
    expect(await once()).toBe('collateral_rollback');
    table.isGone = true;
    expect(await once()).toBe('collateral_rollback');
    expect(await once({ cacheFolder: lab.path('empty') })).toBe(FETCHED);
  });

  it('CRT-09 is refused where the own mark says more or is missing', async () => {
    expect(await once()).toBe(FETCHED);
    const [file = ''] = await lab.cached('tdx-collateral');
    const old = await readFile(join(lab.cacheFolder, file));
    const mark = join(lab.cacheFolder, 'crl-highest-pcs-platform');
    lab.serve({ pckCrl: hoursAgo(3) });
    await rm(join(lab.cacheFolder, file));
    expect(await once()).toBe(FETCHED);
    lab.pcs.fail(/./, { status: 503 });
    await writeFile(join(lab.cacheFolder, file), old);
    expect(await once()).toBe('collateral_rollback');
    await rm(mark);
    expect(await once()).toBe('collateral_rollback');
    await writeFile(mark, `1 ${dateOf(9).toISOString()}\n`);
    expect(await once()).toBe(HELD);
  });

  it('CRT-09 is of no matter to replicas with another source', async () => {
    for (const host of ['@pccs.example', '']) raiseTo(3, host);
    raise('crl-shared-store-platform', `1 ${dateOf(3).toISOString()}\n`);
    expect(await once()).toBe(FETCHED);
  });
});
