import { afterEach, describe, expect, it, vi } from 'vitest';
import { verifyReceipt } from '../../../src/inspector/receipt.js';
import { Service } from '../../../src/inspector/service.js';
import { AUDIENCE, ISSUER, KEY, KEY_SET, listed, NOW, receiptWith } from '../relying-party/sample-receipt.js';

const ORIGIN = 'http://127.0.0.1:8080';

/** A service that answers everything so. */
function answering(status: number, body: string) {
  const fetch = vi.fn(async (_path: string, _init: RequestInit) => new Response(body, { status }));
  vi.stubGlobal('fetch', fetch);
  return fetch;
}

afterEach(() => vi.unstubAllGlobals());

describe('what the page asks of its service', () => {
  it('is asked at paths of its own, with what the browser has for its host, and with the key where there is one', async () => {
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
    expect(fetch.mock.calls.every(([, init]) => init.credentials === 'same-origin')).toBe(true);
    const keys = fetch.mock.calls.map(([, { headers }]) => (headers as Record<string, string>)['authorization']);
    expect(keys).toEqual([undefined, 'Bearer secret', 'Bearer secret', 'Bearer secret']);
  });

  it.each(['key\u200b0123', 'abc\u2013def', 'a key', 'key\n', 'k\u00e9y', ''])(
    'is not asked with a key that is no Bearer credential: %j',
    async (key) => {
      const fetch = answering(200, '{}');
      const service = new Service(ORIGIN);
      service.identify(key);
      await expect(service.verify({ evidence: {} })).rejects.toMatchObject({
        name: 'ServiceFault',
        status: null,
        message: expect.stringMatching(/^The key has a space, .* Nothing was sent\.$/),
      });
      expect(fetch).not.toHaveBeenCalled();
      // Recordings are public.
      expect(await service.example('/inspector/example.json')).toEqual({});
      expect(fetch.mock.calls.map(([, { headers }]) => Object.keys(headers as object))).toEqual([[]]);
    },
  );

  it.each([
    ['{"issuer":"https://veritee.example"}', 'https://veritee.example'],
    ['{"issuer":1}', null],
  ])('says who it is: %s', async (body, issuer) => {
    answering(200, body);
    expect(await new Service(ORIGIN).issuer()).toBe(issuer);
  });

  it('gives the keys for a receipt, which it is asked for once however often the receipt is verified', async () => {
    const fetch = answering(200, JSON.stringify(KEY_SET));
    const service = new Service(ORIGIN);
    const keys = service.receiptKeys();
    const expected = {
      issuer: { value: ISSUER, by: 'caller' },
      audience: null,
      nonce: null,
      policy: null,
      answer: null,
    } as const;
    const verify = (audience: string | null, receipt = receiptWith()) =>
      verifyReceipt(
        receipt,
        { ...expected, audience: audience === null ? null : { value: audience, by: 'caller' } },
        keys,
        {
          now: NOW,
          hasWebCrypto: true,
        },
      );
    const typed = Array.from(AUDIENCE, (_, index) => AUDIENCE.slice(0, index + 1));
    const verdicts = await Promise.all(typed.map((text) => verify(text)));
    expect(verdicts.map(({ state }) => state)).toEqual([...typed.slice(1).map(() => 'failed'), 'incomplete']);
    expect((await verify(null)).state).toBe('incomplete');
    expect(fetch.mock.calls.map(([url]) => url)).toEqual([`${ORIGIN}/.well-known/jwks.json`]);
    await verifyReceipt(receiptWith(), expected, service.receiptKeys(), { now: NOW, hasWebCrypto: true });
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['does not have the key', 200, { keys: [listed(KEY, { kid: 'two' })] }, 'receipt_key'],
    ['gives no keys', 503, {}, 'receipt_keys_unavailable'],
  ])('is asked for keys once for a receipt also where it %s', async (_what, status, body, code) => {
    const fetch = answering(status, JSON.stringify(body));
    const keys = new Service(ORIGIN).receiptKeys();
    const expected = {
      issuer: { value: ISSUER, by: 'caller' },
      audience: { value: AUDIENCE, by: 'caller' },
      nonce: null,
      policy: null,
      answer: null,
    } as const;
    for (let time = 0; time < 3; time += 1) {
      const verdict = await verifyReceipt(receiptWith(), expected, keys, { now: NOW, hasWebCrypto: true });
      expect(verdict).toMatchObject({ state: 'failed', code });
    }
    expect(fetch).toHaveBeenCalledTimes(1);
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
