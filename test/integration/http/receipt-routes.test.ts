import { beforeEach, describe, expect, it } from 'vitest';
import { call } from './exchange.js';
import { type FakeService, fakeServices, oneCaller } from './fake-service.js';

const start = fakeServices();
let service: FakeService;

beforeEach(async () => {
  service = await start({ callers: oneCaller('a key', ['verify']) });
});

describe.each([
  ['/.well-known/jwks.json', () => service.receiptKeys.keySet()],
  ['/.well-known/openid-configuration', () => service.receiptKeys.discovery()],
] as const)('GET %s', (path, expected) => {
  it('tells everybody, and lets everybody keep it for five minutes', async () => {
    const answer = await call(service.url, path);
    expect([answer.status, answer.body]).toEqual([200, expected()]);
    expect(answer.headers).toMatchObject({
      'cache-control': 'max-age=300',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    });
  });

  it('is served under every host name, also where only those of loopback are', async () => {
    const open = await start();
    const headers = { host: 'veritee.example' };
    expect((await call(open.url, path, { headers })).status).toBe(200);
    expect((await call(open.url, '/livez', { headers })).status).toBe(403);
  });
});

describe('GET /.well-known/openid-configuration', () => {
  it('is 404 without a configured issuer, and says why', async () => {
    service.receiptKeys.issuer = null;
    const answer = await call(service.url, '/.well-known/openid-configuration');
    expect([answer.status, answer.body]).toMatchObject([
      404,
      { code: 'not_found', detail: 'there is no discovery, because receipts.issuer is not configured' },
    ]);
  });
});
