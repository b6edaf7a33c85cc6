import { describe, expect, it } from 'vitest';
import { LocalCaller } from '../../../src/callers/local-caller.js';
import { call, post } from './exchange.js';
import { fakeServices, NOW, oneCaller, VERIFY_BODY } from './fake-service.js';

const KEY = 'k'.repeat(43);
const BEARER = { authorization: `Bearer ${KEY}` };

const start = fakeServices();

describe('with callers', () => {
  it('who sends a key is who it belongs to', async () => {
    const service = await start({ callers: oneCaller(KEY, ['verify']) });
    expect((await post(service.url, '/verify', VERIFY_BODY, BEARER)).status).toBe(200);
    expect((await post(service.url, '/verify', VERIFY_BODY, { 'x-api-key': KEY })).status).toBe(200);
    expect(service.verifyEvidence.asked.map(({ caller }) => caller.principal)).toEqual(['ci', 'ci']);
    expect(service.lines.records.map((record) => record['principal'])).toEqual(['ci', 'ci']);
  });

  it('who sends none is 401, told how to send one', async () => {
    const service = await start({ callers: oneCaller(KEY, ['verify']) });
    const { status, body, headers } = await post(service.url, '/verify', VERIFY_BODY);
    expect([status, body.code, headers['www-authenticate']]).toEqual([401, 'unauthorized', 'Bearer']);
    expect(service.verifyEvidence.asked).toHaveLength(0);
    expect(service.lines.records).toMatchObject([{ status: 401, principal: null, address: '127.0.0.1' }]);
  });

  it('an unknown and an expired key get the same answer', async () => {
    const service = await start({ callers: oneCaller(KEY, ['verify'], { expires: new Date(NOW.getTime() + 1_000) }) });
    expect((await post(service.url, '/verify', VERIFY_BODY, BEARER)).status).toBe(200);
    service.clock.at = new Date(NOW.getTime() + 1_000);
    const expired = await post(service.url, '/verify', VERIFY_BODY, BEARER);
    const unknown = await post(service.url, '/verify', VERIFY_BODY, { authorization: 'Bearer x' });
    const { requestId: _a, ...first } = expired.body;
    const { requestId: _b, ...second } = unknown.body;
    expect(first).toEqual(second);
    expect(expired.status).toBe(401);
  });

  it('any Host name is served, since a page of another origin has no key', async () => {
    const service = await start({ callers: oneCaller(KEY, ['verify']) });
    const headers = { ...BEARER, host: 'veritee.example' };
    expect((await post(service.url, '/verify', VERIFY_BODY, headers)).status).toBe(200);
  });

  it('public routes need no key', async () => {
    const service = await start({ callers: oneCaller(KEY, ['verify']) });
    for (const path of ['/livez', '/readyz', '/openapi.json', '/docs']) {
      expect([path, (await call(service.url, path)).status]).toEqual([path, 200]);
    }
  });

  it('an address that failed too often is 429 for what fails, and a good key is never refused for that', async () => {
    const service = await start({
      callers: oneCaller(KEY, ['verify']),
      settings: { rates: { failuresPerAddress: 3 } },
    });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) {
      statuses.push((await post(service.url, '/verify', VERIFY_BODY, { authorization: 'Bearer x' })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 429]);
    const { status, body, headers } = await post(service.url, '/verify', VERIFY_BODY, { authorization: 'Bearer x' });
    expect([status, body.code]).toEqual([429, 'rate_limited']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(service.verifyEvidence.asked).toHaveLength(0);
    expect((await post(service.url, '/verify', VERIFY_BODY, BEARER)).status).toBe(200);
    expect((await call(service.url, '/livez')).status).toBe(200);
  });

  it('good keys do not count as failures', async () => {
    const service = await start({
      callers: oneCaller(KEY, ['verify']),
      settings: { rates: { failuresPerAddress: 1 } },
    });
    for (let i = 0; i < 3; i++) expect((await post(service.url, '/verify', VERIFY_BODY, BEARER)).status).toBe(200);
  });

  it('failures count for the address that a trusted proxy saw', async () => {
    const settings = { rates: { failuresPerAddress: 1 }, trustedProxies: ['127.0.0.1'] };
    const service = await start({ callers: oneCaller(KEY, ['verify']), settings });
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const fail = { authorization: 'Bearer x', ...from('203.0.113.9') };
    expect((await post(service.url, '/verify', VERIFY_BODY, fail)).status).toBe(401);
    expect((await post(service.url, '/verify', VERIFY_BODY, fail)).status).toBe(429);
    expect((await post(service.url, '/verify', VERIFY_BODY, { ...fail, ...from('203.0.113.10') })).status).toBe(401);
  });

  it('a principal that asks too often is 429, and the public pages of its address are not', async () => {
    const service = await start({ callers: oneCaller(KEY, ['verify']), settings: { rates: { perPrincipal: 2 } } });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await post(service.url, '/verify', VERIFY_BODY, BEARER)).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect((await post(service.url, '/challenges', '{}', BEARER)).status).toBe(429);
    expect((await call(service.url, '/openapi.json')).status).toBe(200);
  });

  it('an address that reads public pages too often is 429, and health is still told', async () => {
    const service = await start({ callers: oneCaller(KEY, ['verify']), settings: { rates: { perAddress: 2 } } });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await fetch(`${service.url}/openapi.json`)).status);
    expect(statuses).toEqual([200, 200, 429]);
    for (let i = 0; i < 3; i++) expect((await call(service.url, '/livez')).status).toBe(200);
    expect((await post(service.url, '/verify', VERIFY_BODY, BEARER)).status).toBe(200);
  });
});

describe('without callers', () => {
  it.each(['attacker.example', 'attacker.example:8080', '127.0.0.1.attacker.example', '10.0.0.1', '[::2]'])(
    'the Host name %s is refused on every route',
    async (host) => {
      const service = await start({});
      for (const [target, method] of [
        ['/verify', 'POST'],
        ['/metrics', 'GET'],
        ['/livez', 'GET'],
        ['/nothing', 'GET'],
      ] as const) {
        const { status, body } = await call(service.url, target, { method, headers: { host } });
        expect([target, status, body.code]).toEqual([target, 403, 'forbidden']);
      }
      expect(service.verifyEvidence.asked).toHaveLength(0);
    },
  );

  it('loopback Host names are served', async () => {
    const service = await start({});
    for (const host of ['localhost', 'localhost:8080', '127.0.0.1:1', '[::1]:8080']) {
      expect((await post(service.url, '/verify', VERIFY_BODY, { host })).status).toBe(200);
    }
  });

  it('an X-Forwarded-Host does not stand for Host, not even from a trusted proxy', async () => {
    const service = await start({ settings: { trustedProxies: ['127.0.0.1'] } });
    const headers = { host: 'attacker.example', 'x-forwarded-host': 'localhost' };
    expect((await post(service.url, '/verify', VERIFY_BODY, headers)).status).toBe(403);
  });

  it('any Host name is served where insecure is spelt out', async () => {
    const service = await start({ callers: () => new LocalCaller({ historical: false, insecure: true }) });
    expect((await post(service.url, '/verify', VERIFY_BODY, { host: 'veritee.example' })).status).toBe(200);
  });

  it('a key that is sent all the same changes nothing', async () => {
    const service = await start({});
    expect((await post(service.url, '/verify', VERIFY_BODY, BEARER)).status).toBe(200);
    expect(service.verifyEvidence.asked[0]?.caller.principal).toBe('local');
  });
});
