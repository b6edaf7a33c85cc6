import { beforeEach, describe, expect, it } from 'vitest';
import { fetchedKeySet } from '../../../src/relying-party/fetched-keys.js';
import { ISSUER } from './sample-receipt.js';

const keySetOf = (...kids: string[]) => JSON.stringify({ keys: kids.map((kid) => ({ kid })) });
const UNAVAILABLE = { name: 'ReceiptError', code: 'receipt_keys_unavailable' };

let now = 0;
let asked: string[] = [];
let answer: () => Response | Promise<Response>;

const sourceOf = (options: object = {}) =>
  fetchedKeySet({
    issuer: ISSUER,
    clock: () => new Date(now),
    fetch: async (url) => {
      asked.push(String(url));
      return answer();
    },
    ...options,
  });

beforeEach(() => {
  now = Date.parse('2026-01-15T12:00:00Z');
  asked = [];
  answer = () => new Response(keySetOf('one'));
});

describe('fetchedKeySet', () => {
  it.each([
    [ISSUER, `${ISSUER}/.well-known/jwks.json`],
    [`${ISSUER}/`, `${ISSUER}/.well-known/jwks.json`],
    [`${ISSUER}/under`, `${ISSUER}/under/.well-known/jwks.json`],
  ])('of %s is at %s', async (issuer, url) => {
    await sourceOf({ issuer }).find('one');
    expect(asked).toEqual([url]);
  });

  it('is not fetched over plain http', () => {
    expect(() => fetchedKeySet({ issuer: 'http://veritee.example' })).toThrow('issuer is not an https URL');
  });

  it('is fetched when it is needed, and kept for five minutes', async () => {
    const source = sourceOf();
    expect(asked).toEqual([]);
    for (const passed of [0, 299_999]) {
      now += passed;
      expect(await source.find('one')).toEqual([{ kid: 'one' }]);
    }
    expect(asked.length).toBe(1);
    now += 1;
    await source.find('one');
    expect(asked.length).toBe(2);
  });

  it('is fetched again where the clock went back', async () => {
    const source = sourceOf();
    await source.find('one');
    now -= 1;
    await source.find('one');
    expect(asked.length).toBe(2);
  });

  it('is fetched again for a kid that it does not have, at most once a minute', async () => {
    const source = sourceOf();
    await source.find('one');
    answer = () => new Response(keySetOf('one', 'two'));
    expect(await source.find('two')).toEqual([{ kid: 'two' }]);
    expect(asked.length).toBe(2);
    now += 59_999;
    for (const kid of ['three', 'four']) expect(await source.find(kid)).toEqual([]);
    expect(asked.length).toBe(2);
    now += 1;
    expect(await source.find('three')).toEqual([]);
    expect(asked.length).toBe(3);
  });

  it('is fetched once for a kid that the first answer does not have', async () => {
    expect(await sourceOf().find('two')).toEqual([]);
    expect(asked.length).toBe(1);
  });

  it('is fetched once for all who ask at the same time', async () => {
    const source = sourceOf();
    await Promise.all(['one', 'one', 'two'].map((kid) => source.find(kid)));
    expect(asked.length).toBe(1);
  });

  it('is not used when it is old and the issuer cannot be reached', async () => {
    const source = sourceOf();
    await source.find('one');
    now += 300_000;
    answer = () => Promise.reject(new Error('out of reach'));
    await expect(source.find('one')).rejects.toMatchObject(UNAVAILABLE);
  });

  it('is not asked for again within five seconds of a failure', async () => {
    const source = sourceOf();
    answer = () => new Response('', { status: 503 });
    await expect(source.find('one')).rejects.toMatchObject(UNAVAILABLE);
    answer = () => new Response(keySetOf('one'));
    now += 4_999;
    await expect(source.find('one')).rejects.toMatchObject(UNAVAILABLE);
    expect(asked.length).toBe(1);
    now += 1;
    expect(await source.find('one')).toEqual([{ kid: 'one' }]);
  });

  it.each([
    ['a status that is no 200', () => new Response(keySetOf('one'), { status: 203 })],
    ['HTML', () => new Response('<html></html>')],
    ['no body', () => new Response(null)],
    ['no key set', () => new Response('{"keys":{}}')],
    ['a member twice', () => new Response('{"keys":[],"keys":[{"kid":"one"}]}')],
    ['no keys', () => new Response('{"keys":[]}')],
    ['over 64 KiB', () => new Response(`${keySetOf('one')}${' '.repeat(65_536)}`)],
    [
      'a redirect that was followed',
      () => Object.defineProperty(new Response(keySetOf('one')), 'redirected', { value: true }),
    ],
  ])('is not taken from %s', async (_what, answers) => {
    answer = answers;
    await expect(sourceOf().find('one')).rejects.toMatchObject(UNAVAILABLE);
  });

  it('is not waited for without end, even where the signal is not heeded', async () => {
    answer = () => new Response(new ReadableStream());
    await expect(sourceOf({ timeoutMs: 20 }).find('one')).rejects.toMatchObject({
      ...UNAVAILABLE,
      cause: { name: 'ExchangeError', message: 'no whole answer within 20 ms' },
    });
  });
});
