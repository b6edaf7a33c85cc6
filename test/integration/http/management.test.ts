import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LocalCaller } from '../../../src/callers/local-caller.js';
import type { CallerDirectory } from '../../../src/core/caller-directory.js';
import type { CredentialClock } from '../../../src/core/clock-doubt.js';
import { RefusedError } from '../../../src/core/errors.js';
import { createManagementApplication, type ManagementSettings, startManagement } from '../../../src/http/management.js';
import { createLog } from '../../../src/telemetry/log.js';
import { TlsAuthority } from '../../lab/tls-authority.js';
import { call, exchange } from './exchange.js';
import { FakeClock, FakeLiveness, FakeReadiness, LogLines, oneCaller, startFakeService } from './fake-service.js';
import { occasion } from './occasion.js';
import { TlsClient } from './tls-client.js';

const KEY = 'k'.repeat(43);
const AS_CALLER = { 'x-api-key': KEY };
const CLOCK = { code: 'clock', reason: 'the clock has jumped by 90 seconds' } as const;
const authority = new TlsAuthority();

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

interface Started {
  readonly callers?: (clock: CredentialClock) => CallerDirectory;
  readonly settings?: Partial<ManagementSettings>;
  readonly text?: () => Promise<string>;
}

const NO_CALLERS = () => new LocalCaller({ historical: false, insecure: false });

async function start({ callers = NO_CALLERS, settings = {}, text = async () => 'figure 1\n' }: Started = {}) {
  const [liveness, readiness, lines] = [new FakeLiveness(), new FakeReadiness(), new LogLines()];
  const directory = callers(new FakeClock());
  const dependencies = {
    liveness,
    readiness,
    metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', text },
    callers: () => directory,
    log: createLog('debug', lines),
    settings: { tls: null, metrics: 'callers', ...settings } as const,
  };
  const management = await startManagement(dependencies, { host: '127.0.0.1', port: 0 });
  open.push(management);
  return { ...management, liveness, readiness, lines, port: Number(new URL(management.url).port) };
}

describe('the management listener', () => {
  it('serves probes and metrics, and nothing else', async () => {
    const { url } = await start();
    expect((await call(url, '/livez')).body).toEqual({ live: true });
    expect((await call(url, '/readyz')).body).toEqual({ ready: true, problems: [] });
    const metrics = await call(url, '/metrics');
    expect([metrics.status, metrics.body]).toEqual([200, 'figure 1\n']);
    for (const path of ['/openapi.json', '/docs', '/.well-known/jwks.json', '/policies', '/decisions']) {
      const { status, body } = await call(url, path);
      expect([path, status, body.detail]).toEqual([
        path,
        404,
        'nothing is at this path; there are /livez, /readyz and /metrics',
      ]);
    }
    const posted = await call(url, '/metrics', { method: 'POST' });
    expect([posted.status, posted.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it('has the routes that are listed here, each with who may use it', async () => {
    const listed = async (metrics: 'callers' | 'open') => {
      const routes: string[] = [];
      const application = createManagementApplication({
        liveness: new FakeLiveness(),
        readiness: new FakeReadiness(),
        metrics: { contentType: 'text/plain', text: async () => '' },
        callers: () => NO_CALLERS(),
        log: createLog('fatal', new LogLines()),
        settings: { tls: null, metrics },
      });
      application.addHook(
        'onRoute',
        ({ method, url, config }) => void routes.push(`${method} ${url} ${config?.access}`),
      );
      await application.ready();
      await application.close();
      return routes;
    };
    const probes = ['GET /livez public', 'HEAD /livez public', 'GET /readyz public', 'HEAD /readyz public'];
    expect(await listed('callers')).toEqual([...probes, 'GET /metrics metrics', 'HEAD /metrics metrics']);
    expect(await listed('open')).toEqual([...probes, 'GET /metrics public', 'HEAD /metrics public']);
  });

  it('with metrics: callers shows them to callers with the role alone', async () => {
    const statuses = async (roles: Parameters<typeof oneCaller>[1]) => {
      const { url } = await start({ callers: oneCaller(KEY, roles) });
      const status = async (headers: object) => (await call(url, '/metrics', { headers: { ...headers } })).status;
      return [await status({}), await status(AS_CALLER)];
    };
    expect(await statuses(['metrics'])).toEqual([401, 200]);
    expect(await statuses(['verify', 'audit:read'])).toEqual([401, 403]);
  });

  it('with metrics: open shows them to everybody who connects, and reasons still to the role alone', async () => {
    const { url, readiness } = await start({ callers: oneCaller(KEY, ['metrics']), settings: { metrics: 'open' } });
    readiness.problems = [CLOCK];
    expect((await call(url, '/metrics')).status).toBe(200);
    expect((await call(url, '/readyz')).body).toEqual({ ready: false, problems: [{ code: 'clock' }] });
    expect((await call(url, '/readyz', { headers: AS_CALLER })).body.problems).toEqual([CLOCK]);
  });

  it('without callers serves loopback Host names alone', async () => {
    const { url } = await start();
    for (const path of ['/livez', '/metrics']) {
      const { status, body } = await call(url, path, { headers: { host: 'attacker.example' } });
      expect([path, status, body.code]).toEqual([path, 403, 'forbidden']);
    }
  });

  it('throttles failed authentications of an address, and never its probes', async () => {
    const { url } = await start({
      callers: oneCaller(KEY, ['metrics']),
      settings: { rates: { failuresPerAddress: 1, perAddress: 1 } },
    });
    const wrong = { headers: { 'x-api-key': 'wrong' } };
    expect((await call(url, '/metrics', wrong)).status).toBe(401);
    expect((await call(url, '/metrics', wrong)).status).toBe(429);
    expect((await call(url, '/metrics', { headers: AS_CALLER })).status).toBe(200);
    for (let times = 0; times < 3; times++) {
      expect([(await call(url, '/livez', wrong)).status, (await call(url, '/readyz', wrong)).status]).toEqual([
        200, 200,
      ]);
    }
  });

  it('bounds headers and connections, and answers as problem documents, with the headers of every answer', async () => {
    const { url, port } = await start({ settings: { connections: { connections: 1 } } });
    const head = (...lines: readonly string[]) => ['GET /livez HTTP/1.1', ...lines, '', ''].join('\r\n');
    expect(await exchange(port, head('Host: localhost', `X-Long: ${'x'.repeat(65_536)}`))).toMatch(/^HTTP\/1\.1 431 /);
    expect(await exchange(port, 'GET /livez SMTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    const answer = await call(url, '/nothing');
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    const first = connect(port, '127.0.0.1');
    first.write(head('Host: localhost'));
    await once(first, 'data');
    const second = connect(port, '127.0.0.1');
    second.on('error', () => undefined);
    await once(second, 'close');
    first.destroy();
  });

  it('ends a connection whose headers do not come', async () => {
    const { port } = await start({ settings: { connections: { headersMs: 50, checkMs: 10 } } });
    expect(await exchange(port, 'GET /livez HTTP/1.1\r\n')).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('fails where figures cannot be read, and says so in the log alone', async () => {
    const { url, lines } = await start({ text: () => Promise.reject(new Error('secret')) });
    const { status, body } = await call(url, '/metrics');
    expect([status, body.code]).toEqual([500, 'internal_error']);
    expect(JSON.stringify(body) + lines.text).not.toContain('secret');
    expect(lines.text).toContain('"msg":"request failed"');
    expect((await call(url, '/livez')).status).toBe(200);
  });

  it('is there while the other listener of the process has no connection and no time left', async () => {
    const service = await startFakeService({ settings: { connections: { connections: 1 }, eventLoopDelayMs: 0.0001 } });
    open.push(service);
    const { url } = await start();
    const taken = connect(service.port, '127.0.0.1');
    await once(taken, 'connect');
    const refused = connect(service.port, '127.0.0.1');
    refused.on('error', () => undefined);
    await once(refused, 'close');
    expect([(await call(url, '/livez')).status, (await call(url, '/readyz')).status]).toEqual([200, 200]);
    expect((await call(url, '/metrics')).status).toBe(200);
    taken.destroy();
  });

  it('serves TLS without asking for a certificate, and takes other material for new connections', async () => {
    const management = await start({ settings: { tls: authority.issueForLoopback() } });
    expect(management.url).toMatch(/^https:/);
    const before = await TlsClient.connect(management.port, { ca: authority.pem });
    expect(await before.ask()).toBe(200);
    management.exchangeTls(authority.issueForLoopback());
    const after = await TlsClient.connect(management.port, { ca: authority.pem });
    expect([await before.ask(), await after.ask()]).toEqual([200, 200]);
    expect(after.serverFingerprint).not.toBe(before.serverFingerprint);
    for (const client of [before, after]) client.close();
  });

  it('takes no TLS material where it has none', async () => {
    const { exchangeTls } = await start();
    expect(() => exchangeTls(authority.issueForLoopback())).toThrow('the server does not speak TLS');
  });

  it('ends idle connections when it closes, and leaves the port', async () => {
    const management = await start();
    const idle = connect(management.port, '127.0.0.1');
    idle.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(idle, 'data');
    const ended = once(idle, 'close');
    await management.close();
    await ended;
    await expect(call(management.url, '/livez')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('closes although figures are never told', async () => {
    const asked = occasion();
    const text = () => {
      asked.happen();
      return new Promise<string>(() => {});
    };
    const management = await start({ text });
    const waiting = exchange(management.port, 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n').catch(() => '');
    await asked.happened;
    await management.close();
    expect(await waiting).toBe('');
  });

  it('does not start where its port is taken', async () => {
    const { port } = await start();
    const dependencies = {
      liveness: new FakeLiveness(),
      readiness: new FakeReadiness(),
      metrics: { contentType: 'text/plain', text: async () => '' },
      callers: NO_CALLERS,
      log: createLog('fatal', new LogLines()),
      settings: { tls: null, metrics: 'callers' } as const,
    };
    await expect(startManagement(dependencies, { host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});

describe('the reason why a probe fails', () => {
  const failing = async (callers?: (clock: CredentialClock) => CallerDirectory) => {
    const management = await start(callers === undefined ? {} : { callers });
    management.readiness.problems = [CLOCK];
    management.liveness.problems = [CLOCK];
    return async (headers: Readonly<Record<string, string>> = {}) => {
      const [live, ready] = [
        await call(management.url, '/livez', { headers }),
        await call(management.url, '/readyz', { headers }),
      ];
      expect([live.status, ready.status]).toEqual([503, 503]);
      expect(live.body.problems).toEqual(ready.body.problems);
      return ready.body.problems;
    };
  };

  it('is told to callers with the role metrics; others see the code', async () => {
    expect(await (await failing(oneCaller(KEY, ['metrics'])))(AS_CALLER)).toEqual([CLOCK]);
    const verifying = await failing(oneCaller(KEY, ['verify']));
    for (const headers of [AS_CALLER, { 'x-api-key': 'wrong' }, { authorization: 'Bearer wrong' }, {}]) {
      expect(await verifying(headers)).toEqual([{ code: 'clock' }]);
    }
  });

  it('is told to everybody on this machine where no callers are configured', async () => {
    expect(await (await failing())()).toEqual([CLOCK]);
  });

  it('is not told while it is not known who asks', async () => {
    const unknown: CallerDirectory = {
      asksForCredentials: true,
      serves: () => true,
      identify: () => Promise.reject(new RefusedError('caller_keys_unavailable', 'no keys', { retryAfterSeconds: 1 })),
    };
    expect(await (await failing(() => unknown))(AS_CALLER)).toEqual([{ code: 'clock' }]);
  });
});

describe('the other listener', () => {
  it('serves no probes and no metrics where they have a listener of their own', async () => {
    const service = await startFakeService({ settings: { hasManagement: true } });
    open.push(service);
    for (const path of ['/livez', '/readyz', '/metrics']) {
      const { status, body } = await call(service.url, path);
      expect([path, status, body.detail]).toEqual([
        path,
        404,
        'nothing is at this path; GET /docs lists all paths, and /livez, /readyz and /metrics have a listener of their own',
      ]);
    }
    expect((await call(service.url, '/openapi.json')).status).toBe(200);
  });
});
