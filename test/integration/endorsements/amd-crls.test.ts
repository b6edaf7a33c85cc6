import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenAmdEndorsements } from '../../../src/endorsements/open-amd-endorsements.js';
import { parseCrl } from '../../../src/formats/x509-crl.js';
import { AmdLab, type Asked, DAY_MS, find, issueCrl, NOW, PATIENT, pki, requestFor } from './amd-lab.js';

/** Everything but the list is at hand. */
const COMPLETE = requestFor({ has: { vek: true, chain: true } });
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
  return parseCrl(found.value).crlNumber ?? 'no number';
}

const serve = (number: number, fromDays: number, toDays: number) =>
  lab.kds.serveCrl('Milan', 'vcek', issueCrl(number, fromDays, toDays));

const asked = () => lab.kds.count(/crl/);

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
    serve(1, -1, 9);
    const opened = lab.open();
    expect(await listOf(opened)).toBe(1n);
    serve(2, 3, 13);
    lab.kds.fail(/crl/, 'half_open');
    lab.clock.advance(4 * DAY_MS);
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

  it('renews what was in the folder too', async () => {
    await lab.fill({ 'a.crl': issueCrl(1, -10, 5) });
    serve(2, -1, 30);
    const opened = lab.open();
    expect(await listOf(opened)).toBe(1n);
    await expect.poll(() => listOf(opened), PATIENT).toBe(2n);
  });

  it('ends what it is asking for when it is closed', async () => {
    serve(1, -10, 9);
    const opened = lab.open();
    await listOf(opened);
    lab.kds.fail(/crl/, 'half_open');
    lab.clock.advance(DAY_MS);
    const renewal = opened.refreshDue();
    await expect.poll(asked, PATIENT).toBe(2);
    await opened.close();
    await renewal;
    expect(opened.log.of(/not renewed/)).toHaveLength(1);
  });
});

describe('AmdCrls: which of several lists', () => {
  it('takes the one with the highest number, and of equal numbers the latest', async () => {
    await lab.fill({ 'a.crl': issueCrl(7, -5, 60), 'b.crl': issueCrl(9, -6, 50), 'c.crl': issueCrl(8, -1, 70) });
    expect(await listOf(lab.open({ kds: null }))).toBe(9n);
    const latest = issueCrl(9, -2, 40);
    await lab.fill({ 'd.crl': latest });
    const { crls } = await find(lab.open({ kds: null }), COMPLETE);
    expect(Buffer.compare(crls.get('Milan')?.value ?? Buffer.alloc(0), latest)).toBe(0);
  });

  it('passes over lists that have ended or are from the future', async () => {
    await lab.fill({ 'a.crl': issueCrl(9, -60, -1), 'b.crl': issueCrl(10, 1, 60), 'c.crl': issueCrl(7, -5, 5) });
    expect(await listOf(lab.open({ kds: null }))).toBe(7n);
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
    expect(opened.log.of(/not used/)).toHaveLength(1);
  });

  it('CRT-10 has no list where no root is at hand to verify it by', async () => {
    await rm(join(lab.folder, 'chain.pem'));
    await lab.fill({ 'a.crl': issueCrl(3, -1, 100) });
    const { crlProblems } = await find(lab.open({ kds: null }), COMPLETE);
    expect(crlProblems.get('Milan')).toMatchObject({ code: 'crl_unavailable', retryable: false });
  });
});

describe('AmdCrls: rollback', () => {
  it('CRT-09 does not use a list of its own source that is older than one it relied on', async () => {
    serve(9, -10, 5);
    await listOf(lab.open());
    lab.clock.advance(6 * DAY_MS);
    serve(8, -10, 60);
    const opened = lab.open();
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
      { line: 'milan-vcek', why: 'revocation list of Milan is older than one that was relied on before' },
    ]);
    expect(await listOf(opened)).toBe(9n);
  });

  it('CRT-09 does not use an older list of the folder once the newer one is gone', async () => {
    await lab.fill({ 'new.crl': issueCrl(9, -2, 60), 'old.crl': issueCrl(8, -3, 60) });
    expect(await listOf(lab.open({ kds: null }))).toBe(9n);
    await rm(join(lab.folder, 'new.crl'));
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

  it('starts anew where its memory is damaged', async () => {
    serve(9, -10, 5);
    await listOf(lab.open());
    await writeFile(join(lab.cacheFolder, MARK), 'nine');
    await rm(join(lab.cacheFolder, KEPT));
    serve(8, -10, 60);
    expect(await listOf(lab.open())).toBe(8n);
  });

  it('remembers the lists of VCEKs and VLEKs each for itself', async () => {
    serve(9, -10, 60);
    const opened = lab.open();
    await listOf(opened);
    lab.kds.serveCrl('Milan', 'vlek', issueCrl(2, -1, 60));
    const { crls } = await find(opened, { ...COMPLETE, signingKey: 'vlek' });
    expect(parseCrl(crls.get('Milan')?.value ?? new Uint8Array()).crlNumber).toBe(2n);
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
      detail: `revocation list of Milan is past its next update, ${new Date(at.getTime() - 1).toISOString()}`,
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
