import type { LookupFunction } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BoundedAgentOptions } from '../../../src/outside/bounded-agent.js';
import { BoundedFetch } from '../../../src/outside/bounded-fetch.js';
import { FetchError } from '../../../src/outside/fetch-error.js';
import type { OriginObserver } from '../../../src/outside/outages.js';
import { LabKds } from '../../lab/kds.js';

const CRL_PATH = '/vcek/v1/Milan/crl';
const BODY = Buffer.from('a CRL, or so');
const MAXIMUM_BYTES = 100_000;

let kds: LabKds;
const opened: BoundedFetch[] = [];

beforeEach(async () => {
  kds = await LabKds.start();
  kds.serveCrl('Milan', 'vcek', BODY);
});

afterEach(async () => {
  for (const fetch of opened.splice(0)) await fetch.close();
  await kds.close();
});

function open(options: Partial<BoundedAgentOptions> = {}): BoundedFetch {
  const connect = { ca: kds.authorityPem };
  const fetch = new BoundedFetch({ origins: [kds.origin], attemptTimeoutMs: 20_000, connect, ...options });
  opened.push(fetch);
  return fetch;
}

interface Asked {
  readonly origin?: string;
  readonly maximumBytes?: number;
  readonly signal?: AbortSignal;
}

async function get(fetch: BoundedFetch, asked: Asked = {}): Promise<Uint8Array> {
  const signal = asked.signal ?? new AbortController().signal;
  const request = { origin: kds.origin, path: CRL_PATH, maximumBytes: MAXIMUM_BYTES, ...asked, signal };
  return (await fetch.get(request)).body;
}

async function failure(outcome: Promise<unknown>): Promise<FetchError> {
  const error: unknown = await outcome.catch((caught: unknown) => caught);
  if (!(error instanceof FetchError)) throw new Error('expected a FetchError', { cause: error });
  return error;
}

describe('BoundedFetch', () => {
  it('gives the body of an answer', async () => {
    expect(Buffer.from(await get(open()))).toEqual(BODY);
  });

  it('lets an observer stand around each attempt, also around one that fails', async () => {
    const seen: unknown[] = [];
    const observer: OriginObserver = {
      register: () => {},
      answered: () => void seen.push('answered'),
      refused: () => void seen.push('refused'),
      failed: () => void seen.push('failed'),
      around: async (origin, attempt) => {
        seen.push(origin);
        const answer = await attempt();
        seen.push(answer.status);
        return answer;
      },
    };
    const fetch = open({ observer });
    expect(Buffer.from(await get(fetch))).toEqual(BODY);
    kds.fail(/crl/, { status: 500 });
    expect(await failure(get(fetch))).toMatchObject({ fault: 'status', status: 500 });
    expect(seen).toEqual([kds.origin, 200, 'answered', kds.origin, 'failed']);
  });

  it('REQ-14 contacts no origin that is not configured', async () => {
    const fetch = open({ origins: ['https://kds.example'] });
    expect(await failure(get(fetch))).toMatchObject({ fault: 'not_allowed' });
    expect(kds.count()).toBe(0);
  });

  it('REQ-14 follows no redirect', async () => {
    kds.fail(/crl/, 'redirect');
    expect(await failure(get(open()))).toMatchObject({ fault: 'redirect', status: 302 });
    expect(kds.count()).toBe(1);
  });

  it('trusts no server whose certificate it has no root for', async () => {
    await kds.connect('tls');
    expect(await failure(get(open()))).toMatchObject({ fault: 'network' });
    await kds.heal();
    expect(await failure(get(open({ connect: {} })))).toMatchObject({ fault: 'network' });
    expect(kds.count()).toBe(0);
  });

  it('says that nobody listens', async () => {
    await kds.connect('refused');
    expect(await failure(get(open()))).toMatchObject({ fault: 'network', transient: true, unhealthy: true });
  });

  it('says that a name does not resolve', async () => {
    const unknownName: LookupFunction = (name, _options, done) => done(new Error(`ENOTFOUND ${name}`), '', 4);
    const connect = { ca: kds.authorityPem, lookup: unknownName };
    expect(await failure(get(open({ connect })))).toMatchObject({
      fault: 'network',
      cause: { message: 'ENOTFOUND localhost' },
    });
  });

  it.each([
    [{ status: 404 }, { notFound: true, transient: false, unhealthy: false }],
    [{ status: 403 }, { notFound: false, transient: false, unhealthy: false }],
    [{ status: 429 }, { throttled: true, transient: true, unhealthy: false, retryAfterMs: null }],
    [{ status: 500 }, { throttled: false, transient: true, unhealthy: true }],
    [
      { status: 503, retryAfter: '7' },
      { throttled: true, transient: true, unhealthy: true, retryAfterMs: 7_000 },
    ],
  ])('says what %j means', async (fault, expected) => {
    kds.fail(/crl/, fault);
    expect(await failure(get(open()))).toMatchObject({ fault: 'status', status: fault.status, ...expected });
  });

  it('reads Retry-After as a date against the clock of the server', async () => {
    kds.fail(/crl/, { status: 429, retryAfter: new Date(Date.now() + 120_000).toUTCString() });
    const { retryAfterMs } = await failure(get(open()));
    expect(retryAfterMs).toBeGreaterThan(100_000);
    expect(retryAfterMs).toBeLessThanOrEqual(121_000);
  });

  it.each(['soon', '-1', '', '99999999999', 'Xxx, 99 Xxx 2026 99:99:99 GMT'])(
    'takes Retry-After %j as none',
    async (retryAfter) => {
      kds.fail(/crl/, { status: 429, retryAfter });
      expect((await failure(get(open()))).retryAfterMs).toBeNull();
    },
  );

  it('refuses a page where a list is due', async () => {
    kds.fail(/crl/, 'content_type');
    expect(await failure(get(open()))).toMatchObject({ fault: 'content_type', transient: false });
  });

  it('stops reading at the limit, whatever the server goes on sending', async () => {
    kds.fail(/crl/, 'oversize');
    expect(await failure(get(open()))).toMatchObject({ fault: 'too_large' });
    await connectionsToEnd();
  });

  it('refuses a body that is announced as over the limit, and takes one of just that size', async () => {
    expect(await failure(get(open(), { maximumBytes: BODY.length - 1 }))).toMatchObject({ fault: 'too_large' });
    expect(await get(open(), { maximumBytes: BODY.length })).toHaveLength(BODY.length);
  });

  it.each(['half_open', 'drip'] as const)('ends a %s answer with the caller, and closes its socket', async (fault) => {
    kds.fail(/crl/, fault);
    const deadline = new AbortController();
    const outcome = failure(get(open(), { signal: deadline.signal }));
    await until(() => kds.count() === 1);
    deadline.abort();
    expect(await outcome).toMatchObject({ fault: 'aborted' });
    await connectionsToEnd();
  });

  it('does not wait for a handshake longer than the caller', async () => {
    await kds.connect('half_open');
    const deadline = new AbortController();
    const outcome = failure(get(open(), { signal: deadline.signal }));
    await until(() => kds.openConnections === 1);
    deadline.abort();
    expect(await outcome).toMatchObject({ fault: 'aborted' });
  });

  it.each(['half_open', 'drip'] as const)('ends a %s answer at the limit of an attempt', async (fault) => {
    kds.fail(/crl/, fault);
    expect(await failure(get(open({ attemptTimeoutMs: 100 })))).toMatchObject({ fault: 'timeout', transient: true });
    await connectionsToEnd();
  });

  it('ends what is under way when it is closed', async () => {
    kds.fail(/crl/, 'half_open');
    const fetch = open();
    const outcome = failure(get(fetch));
    await until(() => kds.count() === 1);
    await fetch.close();
    expect(await outcome).toMatchObject({ fault: 'network' });
    await connectionsToEnd();
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

const connectionsToEnd = () => until(() => kds.openConnections === 0);
