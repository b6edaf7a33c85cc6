import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { base64Url, challenge, LabService, lenientPolicy, NONCE } from '../integration/service/lab-service.js';
import { isLacking } from '../requirements.js';
import { clientKey, makeProof } from '../unit/receipts/gates/proofs.js';
import { labProcess } from './lab-process.js';
import { Nginx } from './nginx.js';
import { ServiceProcess } from './service-process.js';

const AUDIENCE = 'https://app.example';
const POLICY = 'app';
const NGINX = {
  what: 'nginx with auth_request',
  command: ['sh', '-c', 'nginx -V 2>&1 | grep -q auth_request'],
} as const;

interface Reached {
  readonly url: string | undefined;
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe.skipIf(isLacking('the gate of nginx', [NGINX]))('nginx with deploy/gates/nginx', () => {
  let lab: LabService;
  let service: ServiceProcess;
  let application: number;
  let reached: Reached[];
  const proxies: Nginx[] = [];

  const proxyOf = async (veritee: number, change?: (conf: string) => string) => {
    const nginx = await Nginx.start({ veritee, application }, change);
    proxies.push(nginx);
    return nginx;
  };

  const gates = { web: { audience: AUDIENCE, policy: POLICY } };
  const start = async (keys: object = {}) =>
    ServiceProcess.start(await labProcess(lab, { gates, ...keys }, { ca: lab.kds.authorityPem }), { cwd: lab.root });

  beforeAll(async () => {
    lab = await LabService.create();
    for (const id of [POLICY, 'other']) await lab.writePolicy(lenientPolicy(id, { freshness: 'required' }));
    service = await start();
    application = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const { url, method, headers } = request;
        reached.push({ url, method, headers, body });
        response.end('the application');
      });
    });
  });

  beforeEach(() => {
    reached = [];
  });

  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((nginx) => nginx.close()));
  });

  afterAll(async () => {
    await service.close();
    await lab.close();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** The receipt of a decision about the VM of the lab, for a challenge. A deny is about evidence for another nonce. */
  async function receiptOf(decision: 'allow' | 'deny', members: object = {}, of = service): Promise<string> {
    const issued = await challenge(of);
    const asked = { audience: AUDIENCE, policy: POLICY, nonce: base64Url(issued), ...members };
    const { body } = await lab.verify(of, { nonce: decision === 'allow' ? issued : NONCE, members: asked });
    expect(body).toMatchObject({ decision, receipt: expect.any(String) });
    return body.receipt;
  }

  const atGates = (of: ServiceProcess) => of.logged('request').filter(({ route }) => route === '/authorize');

  /** The status that the client got, and why, as the log of the service has it a moment later. */
  async function refusalOf(ask: () => Promise<{ readonly status: number }>, of = service) {
    const before = atGates(of).length;
    const { status } = await ask();
    for (let tries = 0; tries < 1_000 && atGates(of).length === before; tries++) await sleep(10);
    return [status, atGates(of).at(before)?.['code']];
  }

  const receiptHeader = (receipt: string) => ({ 'x-veritee-receipt': receipt });

  it('lets through who has a receipt, and tells the application which decision it was, whatever the client says', async () => {
    const receipt = await receiptOf('allow');
    const nginx = await proxyOf(service.port);
    const forged = { 'x-veritee-decision-id': 'forged', 'x-veritee-expires': 'forged', authorization: 'Bearer app' };
    const headers = { ...receiptHeader(receipt), ...forged, cookie: 'c'.repeat(5_000) };
    const answer = await nginx.ask('/orders/1?q=a%2Fb', headers, { method: 'POST', body: 'x'.repeat(10_000) });
    expect(answer).toEqual({ status: 200, body: 'the application' });
    const [got] = reached;
    expect(got).toMatchObject({ url: '/orders/1?q=a%2Fb', method: 'POST', body: 'x'.repeat(10_000) });
    const { jti, exp = 0 } = decodeJwt(receipt);
    expect(got?.headers).toMatchObject({
      'x-veritee-decision-id': jti,
      'x-veritee-expires': new Date(exp * 1000).toISOString(),
      authorization: 'Bearer app',
    });
    expect(got?.headers).not.toHaveProperty('x-veritee-receipt');
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
      expect([method, (await nginx.ask('/', headers, { method })).status]).toEqual([method, 200]);
    }
    expect(reached).toHaveLength(8);
  });

  it('keeps its connections to the service open, whatever clients send', async () => {
    const nginx = await proxyOf(service.port);
    const headers = receiptHeader(await receiptOf('allow'));
    const before = service.openFiles;
    for (let asked = 0; asked < 20; asked++) {
      expect((await nginx.ask('/', headers, { method: 'POST', body: 'x'.repeat(50_000) })).status).toBe(200);
    }
    expect(service.openFiles - before).toBeLessThan(5);
  });

  it.each<[string, () => Promise<Record<string, string | readonly string[]>>, string]>([
    ['no receipt', async () => ({}), 'receipt_missing'],
    ['the receipt of a deny', async () => receiptHeader(await receiptOf('deny')), 'receipt_audience'],
    [
      'a receipt for another audience',
      async () => receiptHeader(await receiptOf('allow', { audience: 'https://other.example' })),
      'receipt_audience',
    ],
    [
      'a receipt under another policy',
      async () => receiptHeader(await receiptOf('allow', { policy: 'other' })),
      'receipt_policy',
    ],
    ['a receipt that was altered', async () => receiptHeader(alteredOf(await receiptOf('allow'))), 'receipt_signature'],
    [
      'two receipts',
      async () => {
        const receipt = await receiptOf('allow');
        return { 'x-veritee-receipt': [receipt, receipt] };
      },
      'receipt_form',
    ],
    [
      'a receipt in Authorization, which is the application’s',
      async () => ({ authorization: `Bearer ${await receiptOf('allow')}` }),
      'receipt_missing',
    ],
  ])('GAT-02 lets nobody through with %s', async (_what, headers, code) => {
    const nginx = await proxyOf(service.port);
    const sent = await headers();
    expect(await refusalOf(() => nginx.ask('/', sent))).toEqual([403, code]);
    expect(reached).toEqual([]);
  });

  it('GAT-03 lets nobody through with a receipt for a nonce of the caller’s own', async () => {
    const nginx = await proxyOf(service.port);
    const { body } = await lab.verify(service, { members: { audience: AUDIENCE, policy: POLICY } });
    expect(body).toMatchObject({ decision: 'allow', freshness: { nonce: 'own' } });
    const sent = receiptHeader(body.receipt);
    expect(await refusalOf(() => nginx.ask('/', sent))).toEqual([403, 'receipt_own_nonce']);
    expect(reached).toEqual([]);
  });

  it.each(['/a/../b', '//a', '/a%2fb', '/a/%2e%2e/b', '/..;/a'])(
    'GAT-02 lets nobody through to %s, which the application may read in another way',
    async (path) => {
      const nginx = await proxyOf(service.port);
      const headers = receiptHeader(await receiptOf('allow'));
      expect(await refusalOf(() => nginx.ask(path, headers))).toEqual([403, 'gate_path']);
      expect(reached).toEqual([]);
    },
  );

  it('GAT-02 lets nobody through where nginx asks with HTTP/1.0', async () => {
    const nginx = await proxyOf(service.port, (conf) => conf.replace('proxy_http_version 1.1;', ''));
    const headers = receiptHeader(await receiptOf('allow'));
    expect(await refusalOf(() => nginx.ask('/', headers))).toEqual([403, 'gate_protocol']);
    expect(reached).toEqual([]);
  });

  it('keeps the location of the gate from clients', async () => {
    const nginx = await proxyOf(service.port);
    expect((await nginx.ask('/.veritee-gate', receiptHeader(await receiptOf('allow')))).status).toBe(404);
    expect(reached).toEqual([]);
  });

  it('GAT-01 lets nobody through once the receipt has ended', async () => {
    const brief = await start({ receipts: { lifetimeSeconds: 2 }, decisions: { log: 'off' } });
    try {
      const receipt = await receiptOf('allow', {}, brief);
      const nginx = await proxyOf(brief.port);
      const { exp = 0 } = decodeJwt(receipt);
      await sleep(Math.max(exp * 1000 - Date.now(), 0) + 1);
      const refusal = await refusalOf(() => nginx.ask('/', receiptHeader(receipt)), brief);
      expect([refusal, reached]).toEqual([[403, 'receipt_time'], []]);
    } finally {
      await brief.close();
    }
  });

  it('GAT-01 lets nobody through while the service hangs, and after it has gone', async () => {
    const doomed = await start({ decisions: { log: 'off' } });
    try {
      const headers = receiptHeader(await receiptOf('allow', {}, doomed));
      const nginx = await proxyOf(doomed.port);
      expect((await nginx.ask('/', headers)).status).toBe(200);
      doomed.signal('SIGSTOP');
      expect((await nginx.ask('/', headers)).status).toBe(500);
      doomed.signal('SIGCONT');
      await doomed.close();
      expect((await nginx.ask('/', headers)).status).toBe(500);
      expect(reached).toHaveLength(1);
    } finally {
      await doomed.close();
    }
  });

  const UUID = '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11';

  it.each<[string, RequestListener, number]>([
    ['500', (_, response) => response.writeHead(500).end(), 500],
    ['503', (_, response) => response.writeHead(503).end(), 500],
    ['404', (_, response) => response.writeHead(404).end(), 500],
    ['a redirect to where 200 is', (_, response) => response.writeHead(302, { location: '/' }).end(), 500],
    ['no HTTP', (request) => request.socket.end('allow'), 500],
    ['nothing', (request) => request.socket.destroy(), 500],
    ['200 and a page', (_, response) => response.end('<html>welcome</html>'), 502],
    ['200 and no body', (_, response) => response.end(), 502],
    ['200 and an answer of /verify', (_, response) => response.end('{"decision":"allow"}'), 502],
    ['204', (_, response) => response.writeHead(204).end(), 502],
    [
      '200 and a decision that is none',
      (_, response) => response.setHeader('X-Veritee-Decision-Id', 'allow').end(),
      502,
    ],
    ['200 and two decisions', (_, response) => response.setHeader('X-Veritee-Decision-Id', [UUID, UUID]).end(), 502],
    ['403 and a decision', (_, response) => response.writeHead(403, { 'X-Veritee-Decision-Id': UUID }).end(), 403],
  ])(
    'GAT-01 lets nobody through where something else answers in the place of the service: %s',
    async (_what, listener, status) => {
      const nginx = await proxyOf(await serve(listener));
      const headers = { ...receiptHeader(await receiptOf('allow')), 'x-veritee-decision-id': UUID };
      expect([(await nginx.ask('/', headers)).status, reached]).toEqual([status, []]);
    },
  );
});

describe.skipIf(isLacking('the gate of nginx', [NGINX]))('nginx in front of a gate whose policy binds a key', () => {
  const KEY = clientKey();
  const ORIGIN = 'https://app.example';
  let lab: LabService;

  beforeAll(async () => {
    lab = await LabService.create();
    await lab.writePolicy(lenientPolicy('bound', { freshness: 'required', binding: 'required' }));
  });

  afterAll(() => lab.close());

  it('GAT-02 passes on the method and path that a proof is for, and takes each proof once', async () => {
    const gates = { web: { audience: AUDIENCE, policy: 'bound', url: ORIGIN } };
    const service = await lab.start({ gates });
    const reached: string[] = [];
    const application = await serve((request, response) => {
      reached.push(`${request.method} ${request.url} ${request.headers['dpop']}`);
      response.end();
    });
    const nginx = await Nginx.start({ veritee: Number(new URL(service.url).port), application });
    try {
      const members = { audience: AUDIENCE, policy: 'bound' };
      const { body } = await lab.verify(service, { nonce: await challenge(service), jwk: KEY.jwk, members });
      const { receipt } = body;
      // Proofs from before the start of the process are refused, and seconds are whole.
      await sleep(1_000);
      const proof = (htm: string, path: string) =>
        makeProof(KEY, { htm, htu: ORIGIN + path, iat: Math.floor(Date.now() / 1000), receipt });
      const ask = async (method: string, path: string, dpop?: string) => {
        const headers = { 'x-veritee-receipt': receipt, ...(dpop === undefined ? {} : { dpop }) };
        return (await nginx.ask(path, headers, { method })).status;
      };
      const used = await proof('POST', '/orders/1');
      expect(await ask('POST', '/orders/1?q=1', used)).toBe(200);
      expect(await ask('POST', '/orders/1?q=1', used)).toBe(403);
      expect(await ask('DELETE', '/orders/1', await proof('POST', '/orders/1'))).toBe(403);
      expect(await ask('POST', '/orders/2', await proof('POST', '/orders/1'))).toBe(403);
      expect(await ask('GET', '/')).toBe(403);
      expect(await ask('GET', '/', await proof('GET', '/'))).toBe(200);
      expect(reached).toEqual(['POST /orders/1?q=1 undefined', 'GET / undefined']);
    } finally {
      await nginx.close();
      for (const server of servers.splice(0)) server.close();
    }
  });
});

/** A receipt with another bit in its signature. */
function alteredOf(receipt: string): string {
  const [header, payload, signature = ''] = receipt.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  bytes.writeUInt8(bytes.readUInt8(10) ^ 1, 10);
  return `${header}.${payload}.${bytes.toString('base64url')}`;
}
