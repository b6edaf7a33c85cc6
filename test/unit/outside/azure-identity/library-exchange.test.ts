import { describe, expect, it } from 'vitest';
import {
  type LibraryRequest,
  libraryResponse,
  sendForLibrary,
} from '../../../../src/outside/azure-identity/library-exchange.js';
import type { BoundedQuestion, Exchange } from '../../../../src/outside/bounded-exchange.js';

const ANSWER = {
  status: 200,
  headers: { 'content-type': 'application/json', 'set-cookie': ['a', 'b'] },
  body: Buffer.from('{}'),
};
const BOUNDS = { maximumBytes: 7, signal: new AbortController().signal, check: () => undefined };

/** A request as a library makes it. */
function requestOf(members: object): LibraryRequest {
  const headers = new Map([
    ['Accept', 'application/json'],
    ['Accept-Encoding', 'gzip'],
    ['Host', 'elsewhere.example'],
    ['Content-Length', '1'],
    ['Connection', 'close'],
  ]);
  return {
    url: 'https://a.example/keys?api-version=1',
    method: 'GET',
    headers,
    ...members,
  } as unknown as LibraryRequest;
}

async function sent(members: object): Promise<BoundedQuestion> {
  const asked: BoundedQuestion[] = [];
  const exchange: Exchange = {
    async send(question) {
      asked.push(question);
      return ANSWER;
    },
    close: async () => {},
  };
  await sendForLibrary(exchange, requestOf(members), BOUNDS);
  return asked[0] ?? expect.fail('nothing was sent');
}

describe('sendForLibrary', () => {
  it.each([
    [{}, { method: 'GET', body: null }],
    [
      { method: 'POST', body: 'a=b' },
      { method: 'POST', body: 'a=b' },
    ],
    [
      { method: 'POST', body: null },
      { method: 'POST', body: null },
    ],
  ])('sends what is asked, without headers of the connection, in our bounds: %j', async (members, expected) => {
    expect(await sent(members)).toEqual({
      origin: 'https://a.example',
      path: '/keys?api-version=1',
      headers: { Accept: 'application/json' },
      ...BOUNDS,
      ...expected,
    });
  });

  it.each([
    [{ method: 'PUT' }, 'an unexpected method'],
    [{ method: 'POST', body: Buffer.from('a') }, 'a body that is not text'],
  ])('sends nothing else', async (members, message) => {
    await expect(sent(members)).rejects.toMatchObject({ fault: 'not_allowed', message });
  });
});

describe('libraryResponse', () => {
  it('is the answer, with the first value of each header under whatever letters', () => {
    const { status, bodyAsText, headers } = libraryResponse(requestOf({}), ANSWER);
    expect([status, bodyAsText]).toEqual([200, '{}']);
    expect([headers.get('Content-Type'), headers.has('SET-COOKIE'), headers.has('x')]).toEqual([
      'application/json',
      true,
      false,
    ]);
    headers.set('X', 1);
    headers.delete('content-type');
    expect([headers.toJSON(), [...headers]]).toEqual([
      { 'set-cookie': 'a', x: '1' },
      [
        ['set-cookie', 'a'],
        ['x', '1'],
      ],
    ]);
  });
});
