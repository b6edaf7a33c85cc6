import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BoundedAgentOptions } from '../../../src/outside/bounded-agent.js';
import { BoundedExchange, type BoundedQuestion } from '../../../src/outside/bounded-exchange.js';
import { FetchError } from '../../../src/outside/fetch-error.js';
import { LabEntra } from '../../lab/entra.js';

const NEVER = new AbortController().signal;
const DISCOVERY = '/common/discovery/instance';

let server: LabEntra;
const opened: BoundedExchange[] = [];

beforeEach(async () => {
  server = await LabEntra.start();
});

afterEach(async () => {
  for (const exchange of opened.splice(0)) await exchange.close();
  await server.close();
});

function open(options: Partial<BoundedAgentOptions> = {}): BoundedExchange {
  const connect = { ca: server.authorityPem };
  const exchange = new BoundedExchange({ origins: [server.origin], attemptTimeoutMs: 20_000, connect, ...options });
  opened.push(exchange);
  return exchange;
}

function send(exchange: BoundedExchange, question: Partial<BoundedQuestion> = {}) {
  const { origin } = server;
  const defaults = { method: 'GET', origin, path: DISCOVERY, headers: {}, body: null, maximumBytes: 4_096 } as const;
  return exchange.send({ ...defaults, signal: NEVER, check: () => {}, ...question });
}

async function failure(outcome: Promise<unknown>): Promise<FetchError> {
  const error: unknown = await outcome.catch((caught: unknown) => caught);
  if (!(error instanceof FetchError)) throw new Error('expected a FetchError', { cause: error });
  return error;
}

describe('BoundedExchange', () => {
  it('sends method, headers and body, and gives the answer', async () => {
    const answer = await send(open(), { method: 'POST', headers: { 'x-asked': 'yes' }, body: 'a=b' });
    expect(answer.status).toBe(200);
    expect(JSON.parse(Buffer.from(answer.body).toString())).toHaveProperty('metadata');
    expect(server.received[0]).toMatchObject({ method: 'POST', body: 'a=b', headers: { 'x-asked': 'yes' } });
  });

  it('REQ-14 contacts no origin that is not configured', async () => {
    const exchange = open({ origins: ['https://maa.example'] });
    expect(await failure(send(exchange))).toMatchObject({ fault: 'not_allowed' });
    expect(server.requests).toEqual([]);
  });

  it('contacts the origin that the environment names where none is configured', async () => {
    expect(await send(open({ origins: null }))).toMatchObject({ status: 200 });
  });

  it('REQ-14 follows no redirect', async () => {
    server.fail(/./, 'redirect');
    expect(await failure(send(open()))).toMatchObject({ fault: 'redirect', status: 302 });
    expect(server.count()).toBe(1);
  });

  it('trusts no server whose certificate it has no root for', async () => {
    await server.connect('tls');
    expect(await failure(send(open(), { method: 'POST', body: 'secret' }))).toMatchObject({ fault: 'network' });
    expect(server.requests).toEqual([]);
  });

  it.each([400, 401, 403])('gives a refusal that explains itself: %i', async (status) => {
    server.fail(/./, { status, body: { error: 'no' } });
    const answer = await send(open());
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([status, '{"error":"no"}']);
  });

  it.each([404, 409, 413, 500, 502])('reads no body of %i', async (status) => {
    server.fail(/./, { status, body: { error: 'no' } });
    expect(await failure(send(open()))).toMatchObject({ fault: 'status', status, retryAfterMs: null });
  });

  it('says how long a server wants to be left alone', async () => {
    server.fail(/./, { status: 429, retryAfter: '7' });
    expect(await failure(send(open()))).toMatchObject({ status: 429, retryAfterMs: 7_000, throttled: true });
    server.fail(/./, { status: 503, retryAfter: new Date(Date.now() + 120_000).toUTCString() });
    const { retryAfterMs } = await failure(send(open()));
    expect(retryAfterMs).toBeGreaterThan(100_000);
    expect(retryAfterMs).toBeLessThanOrEqual(121_000);
  });

  it.each(['soon', '-1', '', '99999999999', 'Xxx, 99 Xxx 2026 99:99:99 GMT'])(
    'takes Retry-After %j as none',
    async (retryAfter) => {
      server.fail(/./, { status: 429, retryAfter });
      expect((await failure(send(open()))).retryAfterMs).toBeNull();
    },
  );

  it('refuses another kind of content', async () => {
    server.fail(/./, 'content_type');
    expect(await failure(send(open()))).toMatchObject({ fault: 'content_type' });
  });

  it('stops reading at the limit, whatever the server goes on sending', async () => {
    server.fail(/./, 'oversize');
    expect(await failure(send(open()))).toMatchObject({ fault: 'too_large' });
    await connectionsToEnd();
  });

  it('refuses a body that is announced as over the limit, and takes one of just that size', async () => {
    const { body } = await send(open());
    expect(await failure(send(open(), { maximumBytes: body.length - 1 }))).toMatchObject({ fault: 'too_large' });
    expect(await send(open(), { maximumBytes: body.length })).toMatchObject({ status: 200 });
  });

  it('refuses a body that goes on for one byte over the limit, and takes one of just that size, where no size is announced', async () => {
    const chunked = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.write('{"a":');
      response.end('10}');
    });
    await once(chunked.listen(0, '127.0.0.1'), 'listening');
    const { port } = chunked.address() as AddressInfo;
    const origin = `http://127.0.0.1:${port}`;
    try {
      expect(await failure(send(open({ origins: [origin] }), { origin, maximumBytes: 7 }))).toMatchObject({
        fault: 'too_large',
      });
      const { body, headers } = await send(open({ origins: [origin] }), { origin, maximumBytes: 8 });
      expect([Buffer.from(body).toString(), headers['content-length']]).toEqual(['{"a":10}', undefined]);
    } finally {
      chunked.close();
    }
  });

  it.each(['half_open', 'drip'] as const)('ends a %s answer at the limit of an attempt', async (fault) => {
    server.fail(/./, fault);
    expect(await failure(send(open({ attemptTimeoutMs: 100 })))).toMatchObject({ fault: 'timeout' });
    await connectionsToEnd();
  });

  it.each(['half_open', 'drip'] as const)('ends a %s answer with the caller, and closes its socket', async (fault) => {
    server.fail(/./, fault);
    const deadline = new AbortController();
    const outcome = failure(send(open(), { signal: deadline.signal }));
    await expect.poll(() => server.count(), { timeout: 20_000 }).toBe(1);
    deadline.abort();
    expect(await outcome).toMatchObject({ fault: 'aborted' });
    await connectionsToEnd();
  });

  it('sends nothing when no time is left', async () => {
    expect(await failure(send(open(), { signal: AbortSignal.abort() }))).toMatchObject({ fault: 'aborted' });
    expect(server.requests).toEqual([]);
  });

  it('ends what is under way when it is closed', async () => {
    server.fail(/./, 'half_open');
    const exchange = open();
    const outcome = failure(send(exchange));
    await expect.poll(() => server.count(), { timeout: 20_000 }).toBe(1);
    await exchange.close();
    expect(await outcome).toMatchObject({ fault: 'network' });
    await connectionsToEnd();
  });
});

const connectionsToEnd = () => expect.poll(() => server.openConnections, { timeout: 20_000 }).toBe(0);
