import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createPlainServer, type IncomingMessage, type Server } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import { BoundedFetch } from '../../../src/outside/bounded-fetch.js';
import { EgressProxy, type EgressProxyOptions } from '../../../src/outside/egress-proxy.js';
import { FetchError } from '../../../src/outside/fetch-error.js';
import { Outages } from '../../../src/outside/outages.js';
import { ResilientFetch } from '../../../src/outside/resilient-fetch.js';
import { LabProxy } from '../../lab/proxy.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { KeptLog } from '../../unit/log/recorded.js';
import { labLookup } from '../lab-lookup.js';

/** No resolver has this name (RFC 6761, 6.4). */
const HOST = 'far.invalid';
const AUTHORITY = new TlsAuthority();
const INTERCEPTOR = new TlsAuthority('Contoso Inspection');
const PASSWORD = 's3cret:with colon';

let folder = '';
let passwordFile = '';
let proxy: LabProxy;
let server: Server;
let received: IncomingMessage[] = [];
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-proxy-'));
  passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${PASSWORD}\n`);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  received = [];
  proxy = await LabProxy.start();
  server = await listening(createServer(AUTHORITY.issueForLoopback([HOST]), answer));
});

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(opened.splice(0).map((each) => each.close()));
  await proxy.close();
  await ended(server);
});

function answer(request: IncomingMessage, response: { end(text: string): void }): void {
  received.push(request);
  response.end('of use');
}

async function listening(open: Server): Promise<Server> {
  open.listen(0, '127.0.0.1');
  await once(open, 'listening');
  return open;
}

async function ended(open: Server): Promise<void> {
  open.closeAllConnections();
  open.close();
  await once(open, 'close');
}

const portOf = (open: Server) => (open.address() as AddressInfo).port;
const originOf = (host: string) => `https://${host}:${portOf(server)}`;

interface Opened {
  readonly egress?: Partial<EgressProxyOptions>;
  readonly origin?: string;
  readonly attemptTimeoutMs?: number;
}

/** A fetch through the proxy, and what its observer has heard. */
function open({ egress = {}, origin = originOf(HOST), attemptTimeoutMs = 20_000 }: Opened = {}) {
  const through = new EgressProxy({ url: `http://${proxy.host}`, passwordFile: null, noProxy: [], ...egress });
  const log = new KeptLog();
  const outages = new Outages(SYSTEM_CLOCK, log);
  const connect = { ca: AUTHORITY.pem, lookup: labLookup(() => false), proxy: through };
  const fetch = new BoundedFetch({ origins: [origin], attemptTimeoutMs, keepAlive: false, observer: outages, connect });
  opened.push(fetch);
  const signal = new AbortController().signal;
  const request = { origin, path: '/a', maximumBytes: 1000, signal };
  const get = async () => Buffer.from((await fetch.get(request)).body).toString();
  return { get, fetch, request, log, outages };
}

async function failure(outcome: Promise<unknown>): Promise<FetchError> {
  const error: unknown = await outcome.catch((caught: unknown) => caught);
  if (!(error instanceof FetchError)) throw new Error('expected a FetchError', { cause: error });
  return error;
}

describe('an outgoing proxy', () => {
  it('gets the name of the far end, which is not resolved here, and TLS goes to the far end', async () => {
    expect(await open().get()).toBe('of use');
    expect(proxy.targets).toEqual([`${HOST}:${portOf(server)}`]);
    expect(proxy.plain).toEqual([]);
    expect(received[0]?.headers.host).toBe(`${HOST}:${portOf(server)}`);
  });

  it('gets Basic credentials, which the far end does not get', async () => {
    await open({ egress: { url: `http://o%40perator@${proxy.host}`, passwordFile } }).get();
    const basic = `Basic ${Buffer.from(`o@perator:${PASSWORD}`).toString('base64')}`;
    expect(proxy.asked[0]?.headers['proxy-authorization']).toBe(basic);
    expect(received[0]?.rawHeaders.join(' ')).not.toMatch(/basic|authorization/i);
  });

  it('gets no credentials where none are configured', async () => {
    await open().get();
    expect(proxy.asked[0]?.headers['proxy-authorization']).toBeUndefined();
  });

  it('gets the password that is in the file at the time', async () => {
    const file = join(folder, 'rotated');
    await writeFile(file, 'old');
    const { get } = open({ egress: { url: `http://user@${proxy.host}`, passwordFile: file } });
    await get();
    await writeFile(file, 'new');
    await get();
    const sent = proxy.asked.map(({ headers }) => headers['proxy-authorization']?.slice('Basic '.length) ?? '');
    expect(sent.map((text) => Buffer.from(text, 'base64').toString())).toEqual(['user:old', 'user:new']);
  });

  it('is not asked where the password cannot be read', async () => {
    const egress = { url: `http://user@${proxy.host}`, passwordFile: join(folder, 'absent') };
    const error = await failure(open({ egress }).get());
    expect(error).toMatchObject({
      fault: 'proxy_unreachable',
      message: 'not reached: the password of the proxy cannot be read',
    });
    expect(proxy.targets).toEqual([]);
  });

  it('is connected by TLS where its URL is https', async () => {
    const overTls = await LabProxy.start(AUTHORITY.issueForLoopback());
    opened.push(overTls);
    const trusting = { url: `https://${overTls.host}`, ca: AUTHORITY.pem };
    expect(await open({ egress: trusting }).get()).toBe('of use');
    const error = await failure(open({ egress: { ...trusting, ca: INTERCEPTOR.pem } }).get());
    expect(error).toMatchObject({ fault: 'proxy_unreachable' });
    expect(overTls.targets).toHaveLength(1);
  });

  it('carries plain HTTP by CONNECT too', async () => {
    const plain = await listening(createPlainServer(answer));
    try {
      expect(await open({ origin: `http://${HOST}:${portOf(plain)}` }).get()).toBe('of use');
      expect(proxy.targets).toEqual([`${HOST}:${portOf(plain)}`]);
      expect(proxy.plain).toEqual([]);
    } finally {
      await ended(plain);
    }
  });

  it('is not asked for hosts of this machine, nor for those of noProxy', async () => {
    expect(await open({ origin: originOf('127.0.0.1') }).get()).toBe('of use');
    expect(proxy.targets).toEqual([]);
    // Without the proxy the name is resolved here, which fails.
    const { get } = open({ egress: { noProxy: ['.invalid'] } });
    expect(await failure(get())).toMatchObject({ fault: 'network', cause: { message: 'ENOTFOUND' } });
    expect(proxy.targets).toEqual([]);
  });

  it('gets the address of a far end of IPv6 in brackets', async () => {
    proxy.conduct = { status: 502 };
    await failure(open({ origin: 'https://[2001:db8::1]' }).get());
    expect(proxy.targets).toEqual(['[2001:db8::1]:443']);
  });

  it.each([407, 401])('that wants other credentials (%d) is proxy_refused, in error, log and count', async (status) => {
    proxy.conduct = { status };
    const { get, log, outages } = open();
    const error = await failure(get());
    expect(error).toMatchObject({
      fault: 'proxy_refused',
      status: null,
      message: `not reached: the proxy refuses the service (proxy_refused, status ${status})`,
      transient: false,
      unhealthy: false,
    });
    expect(log.lines).toMatchObject([
      { message: 'origin does not answer', fields: { fault: 'proxy_refused', cause: error.message } },
    ]);
    expect(outages.fetches).toMatchObject([{ outcome: 'proxy_refused', count: 1 }]);
    expect(received).toEqual([]);
  });

  it.each([403, 404, 429, 502, 503])('that opens no tunnel (%d) is no answer of the far end', async (status) => {
    proxy.conduct = { status };
    const error = await failure(open().get());
    expect(error).toMatchObject({
      fault: 'network',
      status: null,
      message: `not reached: the proxy opened no tunnel (status ${status})`,
    });
  });

  it('that speaks in the place of the far end is not listened to', async () => {
    proxy.conduct = 'talk';
    expect(await failure(open().get())).toMatchObject({ fault: 'network' });
    expect(received).toEqual([]);
  });

  it('that hangs up is unreachable, and one that waits for the far end is not', async () => {
    proxy.conduct = 'hang-up';
    expect(await failure(open().get())).toMatchObject({ fault: 'proxy_unreachable', transient: true });
    proxy.conduct = 'hang';
    const connecting = through({}).connect({ hostname: HOST, port: 443, isTls: true }, {}, 200);
    expect(await failure(connecting)).toMatchObject({ fault: 'timeout', ofProxy: false });
  });

  it('that takes too long to let TLS through is not waited for', async () => {
    const accepted: Socket[] = [];
    const silent = createSocketServer((socket) => void accepted.push(socket.resume())).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    proxy.port = (silent.address() as AddressInfo).port;
    const connecting = through({}).connect({ hostname: HOST, port: 443, isTls: true }, {}, 200);
    expect(await failure(connecting)).toMatchObject({ fault: 'timeout' });
    for (const socket of accepted) socket.destroy();
    silent.close();
    await once(silent, 'close');
  });

  it('that is dead is left alone after some failures, and asked again later', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const breaker = { failuresToOpen: 2, openMs: 60_000 };
    const { get } = open({ egress: { breaker } });
    proxy.conduct = 'hang-up';
    for (const fault of ['proxy_unreachable', 'proxy_unreachable', 'open']) {
      expect(await failure(get())).toMatchObject({ fault });
    }
    expect(proxy.targets).toHaveLength(2);
    proxy.conduct = 'tunnel';
    vi.setSystemTime(Date.now() + breaker.openMs - 1);
    expect(await failure(get())).toMatchObject({ fault: 'open' });
    vi.setSystemTime(Date.now() + 1);
    expect(await get()).toBe('of use');
  });

  it('that is dead does not open the breakers of those behind it', async () => {
    const { fetch, request } = open({ egress: { breaker: { failuresToOpen: 100, openMs: 60_000 } } });
    const resilient = new ResilientFetch(fetch);
    proxy.conduct = { status: 407 };
    for (let count = 0; count < 8; count++) await failure(resilient.get(request));
    proxy.conduct = 'tunnel';
    expect((await resilient.get(request)).status).toBe(200);
  });

  it('that cannot reach one far end is asked for others', async () => {
    const { get } = open({ egress: { breaker: { failuresToOpen: 2, openMs: 60_000 } } });
    proxy.conduct = { status: 502 };
    for (let count = 0; count < 4; count++) expect(await failure(get())).toMatchObject({ fault: 'network' });
    proxy.conduct = 'tunnel';
    expect(await get()).toBe('of use');
  });

  it('that intercepts TLS is found, and the issuer of its certificate is in the log', async () => {
    const intercepting = await listening(createServer(INTERCEPTOR.issueForLoopback([HOST]), answer));
    try {
      proxy.port = portOf(intercepting);
      const { get, log } = open();
      const error = await failure(get());
      expect(error).toMatchObject({
        fault: 'network',
        message: 'not reached: its certificate is not trusted, and the proxy may intercept TLS',
      });
      expect(log.lines).toMatchObject([
        { fields: { cause: expect.stringMatching(/^the certificate is issued by "Contoso Inspection": /) } },
      ]);
      expect(received).toEqual([]);
    } finally {
      await ended(intercepting);
    }
  });

  it('that leads to a far end of another name is found', async () => {
    const other = await listening(createServer(AUTHORITY.issueForLoopback(['other.invalid']), answer));
    try {
      proxy.port = portOf(other);
      const error = await failure(open().get());
      expect(error).toMatchObject({ fault: 'network', cause: { message: expect.stringContaining(HOST) } });
      expect(received).toEqual([]);
    } finally {
      await ended(other);
    }
  });

  it('that leads to something other than TLS gives no connection', async () => {
    const plain = await listening(createPlainServer(answer));
    try {
      proxy.port = portOf(plain);
      const error = await failure(open().get());
      expect(error).toMatchObject({ fault: 'network', message: 'not reached: no TLS through the proxy' });
    } finally {
      await ended(plain);
    }
  });
});

function through(changes: Partial<EgressProxyOptions>): EgressProxy {
  return new EgressProxy({ url: `http://${proxy.host}`, passwordFile: null, noProxy: [], ...changes });
}
