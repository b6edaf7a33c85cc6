import { afterEach, describe, expect, it, vi } from 'vitest';
import { Service } from '../../../src/inspector/service.js';

const ORIGIN = 'http://127.0.0.1:8080';

/** A service that answers everything so. */
function answering(status: number, body: string) {
  const fetch = vi.fn(async (_path: string, _init: RequestInit) => new Response(body, { status }));
  vi.stubGlobal('fetch', fetch);
  return fetch;
}

afterEach(() => vi.unstubAllGlobals());

describe('what the page asks of its service', () => {
  it('is asked at paths of its own, without cookies, and with the key where there is one', async () => {
    const fetch = answering(200, '{}');
    const service = new Service(ORIGIN);
    await service.policy('payments');
    service.identify('secret');
    await service.decision('a/b');
    await service.endorsement('ab');
    await service.verify({ evidence: {} });
    expect(fetch.mock.calls.map(([path]) => path)).toEqual([
      '/policies/payments',
      '/decisions/a%2Fb',
      '/endorsements/ab',
      '/verify?checks=all',
    ]);
    expect(fetch.mock.calls.every(([, init]) => init.credentials === 'omit')).toBe(true);
    const keys = fetch.mock.calls.map(([, { headers }]) => (headers as Record<string, string>)['authorization']);
    expect(keys).toEqual([undefined, 'Bearer secret', 'Bearer secret', 'Bearer secret']);
  });

  it.each([
    ['{"issuer":"https://veritee.example"}', 'https://veritee.example'],
    ['{"issuer":1}', null],
  ])('says who it is: %s', async (body, issuer) => {
    answering(200, body);
    expect(await new Service(ORIGIN).issuer()).toBe(issuer);
  });

  it('fails with what the problem document says', async () => {
    answering(400, '{"detail":"unknown member","code":"unknown_property","pointer":"/nonse"}');
    const faults = { message: 'unknown member', status: 400, code: 'unknown_property', pointer: '/nonse' };
    await expect(new Service(ORIGIN).verify({})).rejects.toMatchObject(faults);
  });

  it('fails with the status where it answers no JSON, and without one where it does not answer', async () => {
    answering(502, 'bad gateway');
    await expect(new Service(ORIGIN).decision('a')).rejects.toMatchObject({
      message: 'The service answered with status 502.',
      status: 502,
      code: null,
    });
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('away')));
    await expect(new Service(ORIGIN).decision('a')).rejects.toMatchObject({
      message: 'The service gave no answer.',
      status: null,
    });
  });
});
