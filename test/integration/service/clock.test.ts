import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { call, challenge, LabService, lenientPolicy, MovableClock, post, verdictOf } from './lab-service.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;

const CLOCK = ['indeterminate', 'clock'];

let lab: LabService;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('lenient'));
});

afterAll(() => lab.close());

let services = 0;

/** A service of its own on a clock that can be set. */
async function start(keys: object = {}): Promise<{ readonly service: RunningService; readonly clock: MovableClock }> {
  const clock = new MovableClock();
  services += 1;
  return { service: await lab.start({ ...keys }, { clock }, `clock-${services}`), clock };
}

const statusOf = async ({ url }: RunningService, target: string) => (await call(url, target)).status;

/** The log lines of the service about its clock since then. */
const clockLines = (before: number) =>
  lab.output
    .slice(before)
    .split('\n')
    .filter((line) => line.includes('the clock '))
    .map((line) => JSON.parse(line).msg);

describe('after a forward jump', () => {
  it('FRS-10 nothing is judged, until both clocks have run together for a minute', async () => {
    const { service, clock } = await start();
    const nonce = await challenge(service);
    const before = lab.output.length;
    clock.setBy(90 * SECOND);
    const answer = await lab.verify(service, { nonce });
    expect(verdictOf(answer)).toEqual(CLOCK);
    expect(answer.body).toMatchObject({ retryable: true, claims: { snp: null }, trust: { status: 'none' } });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect((await lab.verify(service, { nonce, query: '?enforce=true' })).status).toBe(503);
    expect(await statusOf(service, '/readyz')).toBe(503);
    expect(await statusOf(service, '/livez')).toBe(200);
    clock.advance(61 * SECOND);
    expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(['allow']);
    expect(await statusOf(service, '/readyz')).toBe(200);
    expect(clockLines(before)).toEqual([
      'the clock jumped: nothing is judged until it can be relied on again',
      'the clock is stable again: verification resumes',
    ]);
  });

  it('FRS-10 no challenge is made', async () => {
    const { service, clock } = await start();
    clock.setBy(2 * HOUR);
    const refused = await post(service.url, '/challenges', '{}');
    expect([refused.status, refused.body.code]).toEqual([503, 'clock']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    clock.advance(61 * SECOND);
    expect(verdictOf(await lab.verify(service, { nonce: await challenge(service) }))).toEqual(['allow']);
  });

  it('FRS-10 a challenge of before has expired by the new time', async () => {
    const { service, clock } = await start();
    const nonce = await challenge(service);
    clock.setBy(2 * HOUR);
    expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(CLOCK);
    clock.advance(61 * SECOND);
    expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(['deny', 'nonce_expired']);
  });

  it('FRS-10 no past instant is judged either', async () => {
    const { service, clock } = await start({ historical: true });
    const members = { at: new Date(Date.now() - HOUR).toISOString(), policy: 'lenient' };
    expect(verdictOf(await lab.verify(service, { members }))).toEqual(['allow']);
    clock.setBy(2 * HOUR);
    expect(verdictOf(await lab.verify(service, { members }))).toEqual(CLOCK);
  });
});

describe('after the wall clock was set back six hours', () => {
  it('FRS-10 nothing is judged until it passes the highest seen, and a challenge does not outlive its lifetime', async () => {
    const { service, clock } = await start({ challenges: { lifetimeSeconds: 3600 } });
    const nonce = await challenge(service);
    expect(verdictOf(await lab.verify(service))).toEqual(['allow']);
    clock.setBy(-6 * HOUR);
    expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(CLOCK);
    expect((await post(service.url, '/challenges', '{}')).body.code).toBe('clock');
    clock.advance(5 * HOUR);
    expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(CLOCK);
    clock.advance(HOUR + SECOND);
    // A second on the wall clock, six hours as the service has counted them.
    expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(['deny', 'nonce_expired']);
    expect(verdictOf(await lab.verify(service, { nonce: await challenge(service) }))).toEqual(['allow']);
  });

  it('FRS-10 certificates and CRLs that had ended do not come back', async () => {
    const { service, clock } = await start();
    expect(verdictOf(await lab.verify(service))).toEqual(['allow']);
    clock.advance(30 * YEAR);
    expect(verdictOf(await lab.verify(service))).toEqual(expect.arrayContaining(['deny', 'cert_validity']));
    clock.setBy(-30 * YEAR);
    expect(verdictOf(await lab.verify(service))).toEqual(CLOCK);
  });

  it('CLK-10 an API key that had ended does not come back, and one that has not is answered with clock', async () => {
    const keyOf = (name: string) => `${name} `.repeat(9).trim().replaceAll(' ', '-');
    const caller = (name: string, days: number) => ({
      apiKeySha256: createHash('sha256').update(keyOf(name)).digest('hex'),
      expires: new Date(Date.now() + days * 24 * HOUR).toISOString(),
      roles: ['verify'],
    });
    const { service, clock } = await start({ callers: { old: caller('old', 2), new: caller('new', 90) } });
    const ask = async (name: string) => {
      const { status, body, headers } = await post(service.url, '/challenges', '{}', { 'x-api-key': keyOf(name) });
      return [status, body.code, headers['www-authenticate'] ?? null];
    };
    expect(await Promise.all([ask('old'), ask('new')])).toEqual([
      [200, undefined, null],
      [200, undefined, null],
    ]);
    clock.advance(3 * 24 * HOUR);
    expect(await ask('old')).toEqual([401, 'unauthorized', 'Bearer']);
    clock.setBy(-3 * 24 * HOUR);
    expect(await ask('old')).toEqual([401, 'unauthorized', 'Bearer']);
    // More than failures of one address are counted, and none of them is one.
    for (let time = 0; time < 25; time += 1) expect(await ask('new')).toEqual([503, 'clock', null]);
    expect(await ask('unknown')).toEqual([401, 'unauthorized', 'Bearer']);
    clock.setBy(3 * 24 * HOUR);
    expect(await ask('new')).toEqual([200, undefined, null]);
  });

  it('FRS-10 the process asks to be started again after ten minutes of it', async () => {
    const { service, clock } = await start();
    clock.setBy(-6 * HOUR);
    expect(verdictOf(await lab.verify(service))).toEqual(CLOCK);
    clock.advance(9 * MINUTE);
    expect(await statusOf(service, '/livez')).toBe(200);
    clock.advance(2 * MINUTE);
    const { status, body } = await call(service.url, '/livez');
    expect([status, body.live]).toEqual([503, false]);
    expect(await statusOf(service, '/readyz')).toBe(503);
  });

  it('FRS-10 twin: judging goes on at once where the clock is put right', async () => {
    const { service, clock } = await start();
    const nonce = await challenge(service);
    clock.setBy(-6 * HOUR);
    expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(CLOCK);
    clock.setBy(6 * HOUR);
    expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(['allow']);
  });
});

describe('a machine that was paused', () => {
  it.each([
    ['stood still', (clock: MovableClock) => clock.setBy(70 * SECOND), CLOCK],
    ['went on', (clock: MovableClock) => clock.advance(70 * SECOND), ['allow']],
  ])('FRS-10 recovers by itself where monotonic time %s', async (_title, pause, meanwhile) => {
    const { service, clock } = await start();
    pause(clock);
    expect(verdictOf(await lab.verify(service))).toEqual(meanwhile);
    clock.advance(61 * SECOND);
    expect(verdictOf(await lab.verify(service))).toEqual(['allow']);
  });
});
