import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, LabService, MovableClock, verdictOf } from './lab-service.js';

const MINUTE = 60_000;

let lab: LabService;

beforeAll(async () => {
  lab = await LabService.create();
});

afterAll(() => lab.close());

const keyOf = (name: string) => `key-of-${name}-0123456789abcdef`;
const as = (name: string) => ({ 'x-api-key': keyOf(name) });
const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE).toISOString();
const caller = (name: string, expires: string) => ({
  apiKeySha256: createHash('sha256').update(keyOf(name)).digest('hex'),
  expires,
  roles: ['verify'],
});

describe('the started service', () => {
  it('lets an API key in until its end, and no longer', async () => {
    const callers = { short: caller('short', inMinutes(10)), long: caller('long', '2099-01-01') };
    const clock = new MovableClock();
    const service = await lab.start({ callers }, { clock }, 'expiring');
    const ask = (name: string) => lab.verify(service, { headers: as(name) });
    clock.advance(9 * MINUTE);
    expect([verdictOf(await ask('short')), verdictOf(await ask('long'))]).toEqual([['allow'], ['allow']]);
    clock.advance(2 * MINUTE);
    expect([verdictOf(await ask('short')), verdictOf(await ask('long'))]).toEqual([[401, 'unauthorized'], ['allow']]);
  });

  it.each([
    ['counts where it comes from a trusted proxy', ['127.0.0.1'], [401, 429]],
    ['does not count otherwise', [], [429, 429]],
  ])('the forwarded address of a client %s', async (title, trustedProxies, [ofOther, ofSame]) => {
    const listen = { host: '127.0.0.1', port: 0, trustedProxies };
    const callers = { gate: caller('gate', '2099-01-01') };
    const service = await lab.start({ listen, callers }, {}, title);
    const fail = async (address: string) => {
      const headers = { 'x-api-key': 'wrong', 'x-forwarded-for': address };
      return (await call(service.url, '/metrics', { headers })).status;
    };
    // As many as one address may fail in a minute.
    for (let tries = 0; tries < 20; tries++) expect(await fail('192.0.2.1')).toBe(401);
    expect([await fail('192.0.2.2'), await fail('192.0.2.1')]).toEqual([ofOther, ofSame]);
  });

  it('is ready until it stops', async () => {
    const service = await lab.start();
    expect((await call(service.url, '/readyz')).body).toEqual({ ready: true, problems: [] });
    const closed = service.close();
    const problems = [{ code: 'stopping', reason: 'the service is stopping' }];
    expect((await call(service.url, '/readyz')).body).toEqual({ ready: false, problems });
    await closed;
  });
});
