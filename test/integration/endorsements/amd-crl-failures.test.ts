import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenAmdEndorsements } from '../../../src/endorsements/amd/open-amd-endorsements.js';
import { parseCrl } from '../../../src/formats/x509-crl.js';
import { DEFAULT_RESILIENCE } from '../../../src/outside/resilient-fetch.js';
import { AmdLab, type Asked, DAY_MS, find, issueCrl, NOW, pki, requestFor, SUPPLIED_VCEK } from './amd-lab.js';

/** The request brings everything, a list too: it can do without KDS. */
const BROUGHT = requestFor({ supplied: { vek: SUPPLIED_VCEK, chain: true, crls: true } });

/** The breaker stays closed: whether KDS is asked is for the pause after a failure alone. */
const CLOSED = { ...DEFAULT_RESILIENCE, pauseMs: 1, longestPauseMs: 5, failuresToOpen: 100 };

let lab: AmdLab;

beforeEach(async () => {
  lab = await AmdLab.start();
  await lab.fill({ 'chain.pem': pki.chainPem('Milan') });
});

afterEach(async () => {
  await lab.close();
});

const serve = (number: number, fromDays: number, toDays: number) =>
  lab.kds.serveCrl('Milan', 'vcek', issueCrl(number, fromDays, toDays));

const asked = () => lab.kds.count(/crl/);

/** The number of the list that counts, or the code of why there is none. */
async function listOf(opened: OpenAmdEndorsements, asking: Asked = {}): Promise<bigint | string> {
  const { crls, crlProblems } = await find(opened, BROUGHT, { at: lab.clock.now(), ...asking });
  const found = crls.get('Milan');
  if (found === undefined) return crlProblems.get('Milan')?.code ?? 'nothing said';
  return parseCrl(found.value.der).crlNumber ?? 'no number';
}

describe('after a failure of KDS', () => {
  it('CRT-10 a request that can do without KDS asks it again after a minute, and not before', async () => {
    await lab.fill({ 'a.crl': issueCrl(1, -10, 5) });
    lab.kds.fail(/crl/, { status: 503 });
    const opened = lab.open({ inBackground: false }, { resilience: CLOSED });
    expect(await listOf(opened)).toBe(1n);
    const first = asked();
    expect(first).toBeGreaterThan(0);
    await lab.kds.heal();
    serve(2, -1, 30);
    expect(await listOf(opened)).toBe(1n);
    lab.clock.advance(59_999);
    expect(await listOf(opened)).toBe(1n);
    expect(asked()).toBe(first);
    lab.clock.advance(1);
    expect(await listOf(opened)).toBe(2n);
    expect(asked()).toBe(first + 1);
  });

  it('CRT-10 asks again at once where only the time of one request was over: others have theirs', async () => {
    lab.kds.fail(/crl/, 'half_open');
    const opened = lab.open({}, { resilience: CLOSED, attemptTimeoutMs: 200 });
    expect(await listOf(opened, { signal: AbortSignal.timeout(30) })).toBe('crl_unavailable');
    await lab.kds.heal();
    serve(2, -1, 30);
    expect(await listOf(opened)).toBe(2n);
  });

  it('CRT-10 asks again at once where a request about the past met it', async () => {
    lab.kds.fail(/crl/, { status: 503 });
    const opened = lab.open({}, { resilience: CLOSED });
    expect(await listOf(opened, { at: NOW, historical: true })).toBe('crl_unavailable');
    await lab.kds.heal();
    serve(2, -1, 30);
    expect(await listOf(opened)).toBe(2n);
  });

  it('CRT-09 asks again at once where KDS was not out of reach, and served an older list than before', async () => {
    serve(9, -10, 1);
    // A request could join a renewal in the background.
    expect(await listOf(lab.open({ inBackground: false }))).toBe(9n);
    lab.clock.advance(2 * DAY_MS);
    serve(8, -10, 60);
    const opened = lab.open({ inBackground: false }, { resilience: CLOSED });
    expect(await listOf(opened)).toBe('crl_rollback');
    serve(10, -10, 60);
    expect(await listOf(opened)).toBe(10n);
  });
});
