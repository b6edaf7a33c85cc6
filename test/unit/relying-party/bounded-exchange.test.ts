import { describe, expect, it } from 'vitest';
import { boundedExchange } from '../../../src/relying-party/bounded-exchange.js';

const URL_ASKED = new URL('https://veritee.example/verify');

/** An exchange whose answer comes in pieces of these lengths. */
function exchangeOf(pieces: readonly number[], maximumBytes: number) {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const length of pieces) controller.enqueue(new Uint8Array(length).fill(1));
      controller.close();
    },
  });
  return boundedExchange(URL_ASKED, {
    fetch: async () => new Response(body),
    timeoutMs: 60_000,
    maximumBytes,
    headers: {},
  });
}

describe('boundedExchange', () => {
  it.each([[[8]], [[3, 5]], [[8, 0]]])(
    'takes an answer of exactly the maximum, in pieces of %j bytes',
    async (pieces) => {
      const { status, bytes } = await exchangeOf(pieces, 8);
      expect([status, [...bytes]]).toEqual([200, Array(8).fill(1)]);
    },
  );

  it.each([[[9]], [[3, 6]], [[8, 1]]])('refuses an answer of one byte more, in pieces of %j bytes', async (pieces) => {
    await expect(exchangeOf(pieces, 8)).rejects.toThrow('the answer has over 8 bytes');
  });

  it('takes an answer without a body where none may be', async () => {
    const options = { fetch: async () => new Response(null), timeoutMs: 60_000, maximumBytes: 0, headers: {} };
    expect(await boundedExchange(URL_ASKED, options)).toEqual({ status: 200, bytes: new Uint8Array() });
  });
});
