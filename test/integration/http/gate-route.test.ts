import { METHODS } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Call, call, exchange } from './exchange.js';
import {
  type FakeService,
  fakeServices,
  KNOWN_DECISION,
  KNOWN_GATE,
  KNOWN_RECEIPT,
  oneCaller,
} from './fake-service.js';

const start = fakeServices();
let service: FakeService;

beforeEach(async () => {
  service = await start({ callers: oneCaller('a key', ['verify']) });
});

const RECEIPT = { 'x-veritee-receipt': KNOWN_RECEIPT };
const TARGET = `/authorize/${KNOWN_GATE}/page`;

/** Headers of every answer of the service. */
const CONSTANT = [
  'cache-control',
  'connection',
  'content-security-policy',
  'cross-origin-resource-policy',
  'date',
  'x-content-type-options',
  'x-frame-options',
  'x-request-id',
];
const WITH_LENGTH = [...CONSTANT, 'content-length'].sort();
const OF_A_PASS = ['x-veritee-decision-id', 'x-veritee-expires'];

const ask = (target = TARGET, options: Call = {}) => call(service.url, target, options);

/** The answer to the bytes of a request, as status, names of headers, and body. */
async function askInBytes(head: readonly string[], body = '', { port } = service) {
  const received = await exchange(port, `${head.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`);
  const [top = '', rest = ''] = received.split('\r\n\r\n', 2);
  const [line = '', ...headers] = top.split('\r\n');
  const names = headers.map((header) => header.split(':', 1)[0]?.toLowerCase() ?? '').sort();
  return { status: Number(line.split(' ')[1]), names, body: rest };
}

const bytesOf = (method: string, target = TARGET) => [
  `${method} ${target} HTTP/1.1`,
  'Host: app.example',
  `X-Veritee-Receipt: ${KNOWN_RECEIPT}`,
];

const logged = () => service.lines.records.filter(({ msg }) => msg === 'request');

describe('a gate', () => {
  it('opens for a receipt, with the decision and its end, and no body', async () => {
    const { status, body, headers } = await ask(TARGET, { headers: RECEIPT });
    expect([status, body, headers['content-length']]).toEqual([200, '', '0']);
    expect(headers).toMatchObject({
      'x-veritee-decision-id': KNOWN_DECISION,
      'x-veritee-expires': '2026-01-15T12:05:00.000Z',
      'cache-control': 'no-store',
    });
    expect(service.gates.asked).toEqual([
      { gate: KNOWN_GATE, path: '/page', method: 'GET', receipt: KNOWN_RECEIPT, scheme: 'header', proof: null },
    ]);
  });

  it('GAT-02 is 403 for HEAD, and the gate is not asked', async () => {
    const { status, body, names } = await askInBytes(bytesOf('HEAD'));
    expect([status, body, names]).toEqual([403, '', CONSTANT]);
    expect(service.gates.asked).toEqual([]);
  });

  it.each(METHODS.filter((method) => method !== 'CONNECT' && method !== 'HEAD'))(
    'GAT-02 is asked with %s as with GET',
    async (method) => {
      const open = await askInBytes(bytesOf(method));
      const closed = await askInBytes(bytesOf(method).slice(0, 2));
      expect([open.status, open.body, open.names]).toEqual([200, '', [...WITH_LENGTH, ...OF_A_PASS].sort()]);
      expect([closed.status, closed.body, closed.names]).toEqual([403, '', WITH_LENGTH]);
      expect(service.gates.asked.map((asked) => asked.method)).toEqual([method]);
    },
  );

  it.each<[string, string, Call]>([
    ['no receipt', TARGET, {}],
    ['another receipt', TARGET, { headers: { 'x-veritee-receipt': 'b' } }],
    ['a caller that may verify, and no receipt', TARGET, { headers: { 'x-api-key': 'a key' } }],
    ['the key of a caller for a receipt', TARGET, { headers: { authorization: 'Bearer akey' } }],
    ['two receipts', TARGET, { headers: { ...RECEIPT, authorization: `Bearer ${KNOWN_RECEIPT}` } }],
    ['a gate that is not there', '/authorize/other/page', { headers: RECEIPT }],
    ['no gate', '/authorize', { headers: RECEIPT }],
    ['no name of a gate', '/authorize/', { headers: RECEIPT }],
  ])('GAT-02 is 403 and nothing else with %s', async (_what, target, options) => {
    const { status, body, headers } = await ask(target, options);
    const names = Object.keys(headers).sort();
    expect([status, body, names]).toEqual([403, '', WITH_LENGTH]);
  });

  it.each<[string, readonly string[]]>([
    ['two receipts in headers of one name', [...bytesOf('GET'), `X-Veritee-Receipt: ${KNOWN_RECEIPT}`]],
    ['two of Authorization', [...bytesOf('GET').slice(0, 2), 'Authorization: Bearer a', 'Authorization: Bearer a']],
    ['a path with dots', bytesOf('GET', `/authorize/${KNOWN_GATE}/../${KNOWN_GATE}`)],
    ['dots that lead elsewhere', bytesOf('GET', '/authorize/../livez')],
    ['an encoded slash', bytesOf('GET', `/authorize/${KNOWN_GATE}/a%2fb`)],
    ['a path that cannot be decoded', bytesOf('GET', `/authorize/${KNOWN_GATE}/%zz`)],
    ['two slashes', bytesOf('GET', `/authorize/${KNOWN_GATE}//page`)],
    ['two slashes in front', bytesOf('GET', `//authorize/${KNOWN_GATE}/page`)],
    ['a target in absolute form', bytesOf('GET', `http://app.example${TARGET}`)],
    ['an encoded letter', bytesOf('GET', `/%61uthorize`)],
    ['HTTP/1.0', bytesOf('GET').map((line) => line.replace('HTTP/1.1', 'HTTP/1.0'))],
    ['no Host', bytesOf('GET').filter((line) => !line.startsWith('Host'))],
    ['101 headers', [...bytesOf('GET'), ...Array.from({ length: 100 }, (_, index) => `X-H${index}: a`)]],
  ])('GAT-02 is 403 and nothing else for %s', async (_what, head) => {
    const { status, body } = await askInBytes(head);
    expect([status, body]).toEqual([403, '']);
    expect(service.gates.asked).toEqual([]);
  });

  it.each([
    ['rate_limited', { settings: { rates: { gatesPerAddress: 1 } } }],
    ['overloaded', { settings: { eventLoopDelayMs: 0.0001 } }],
  ])('GAT-01 is 403 and nothing else where it is %s', async (code, options) => {
    const busy = await start(options);
    // The delay is measured once a second.
    for (let tries = 0; tries < 500; tries++) {
      const { status, body } = await call(busy.url, TARGET, { headers: RECEIPT });
      expect([status, body]).toEqual([status === 200 ? 200 : 403, '']);
      if (status === 403) break;
      await new Promise((resolve) => setTimeout(resolve, code === 'overloaded' ? 20 : 0));
    }
    expect(busy.lines.records).toContainEqual(expect.objectContaining({ msg: 'request', status: 403, code }));
  });

  it('GAT-01 is 403 and nothing else where something breaks, and the log says what', async () => {
    service.gates.fault = new Error('a fault');
    const { status, body } = await ask(TARGET, { headers: RECEIPT });
    expect([status, body]).toEqual([403, '']);
    expect(service.lines.records).toContainEqual(expect.objectContaining({ level: 'error', msg: 'request failed' }));
    expect(logged()).toMatchObject([{ status: 403, gate: KNOWN_GATE, code: 'internal_error', decisionId: null }]);
  });

  it('is counted apart from other public routes', async () => {
    const few = await start({ settings: { rates: { perAddress: 1, gatesPerAddress: 2 } } });
    const statuses = [];
    for (let asked = 0; asked < 3; asked++) {
      statuses.push((await call(few.url, TARGET, { headers: RECEIPT })).status);
    }
    expect(statuses).toEqual([200, 200, 403]);
    expect((await call(few.url, '/openapi.json')).status).toBe(200);
  });

  it('is asked under every host name, also where only those of loopback are served', async () => {
    const open = await start();
    const headers = { ...RECEIPT, host: 'app.example' };
    expect((await call(open.url, TARGET, { headers })).status).toBe(200);
    expect((await call(open.url, '/livez', { headers })).status).toBe(403);
  });

  it('writes why it stays closed into the log alone, and no name that a client made up', async () => {
    await ask(TARGET, { headers: RECEIPT });
    await ask(TARGET);
    await ask('/authorize/secret/page', { headers: RECEIPT });
    await askInBytes(bytesOf('GET', '/authorize/secret/%2e'));
    const common = { route: '/authorize', principal: null };
    expect(logged()).toMatchObject([
      { ...common, status: 200, gate: KNOWN_GATE, code: null, decisionId: KNOWN_DECISION },
      { ...common, status: 403, gate: KNOWN_GATE, code: 'receipt_missing', decisionId: null },
      { ...common, status: 403, gate: null, code: 'gate_unknown', decisionId: null },
      { ...common, status: 403, gate: null, code: 'gate_path', decisionId: null },
    ]);
    expect(service.lines.text).not.toMatch(/secret|a\.known\.receipt/);
    const figures = await service.metrics.text();
    expect(figures).toContain(`veritee_gate_answers_total{gate="${KNOWN_GATE}",outcome="allow"} 1`);
    expect(figures).toContain(`veritee_gate_answers_total{gate="${KNOWN_GATE}",outcome="receipt_missing"} 1`);
    expect(figures).toContain('veritee_gate_answers_total{gate="none",outcome="gate_unknown"} 1');
    expect(figures).toContain('veritee_gate_answers_total{gate="none",outcome="gate_path"} 1');
  });
});

describe('the body of a request at a gate', () => {
  const open: { destroy(): void }[] = [];

  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });

  /** Sends requests over one connection, each once the one before it was answered; gives their statuses. */
  async function overOneConnection(requests: readonly (readonly string[])[]): Promise<readonly number[]> {
    const socket = connect(service.port, '127.0.0.1');
    open.push(socket);
    const statuses: number[] = [];
    for (const parts of requests) {
      const answered = new Promise<string>((resolve, reject) => {
        socket.once('data', (data) => resolve(data.toString('latin1')));
        socket.once('close', () => reject(new Error('the connection ended')));
      });
      for (const part of parts) socket.write(part);
      statuses.push(Number(/^HTTP\/1\.1 (\d{3})/.exec(await answered)?.[1]));
    }
    return statuses;
  }

  const head = (...lines: readonly string[]) => `${[...bytesOf('POST'), ...lines].join('\r\n')}\r\n\r\n`;
  const BODY = 'x'.repeat(100_000);

  it.each([
    ['of any type', 'Content-Type: text/plain'],
    ['of no type', 'X-Nothing: a'],
    ['of a type that is none', 'Content-Type: ;;;'],
    ['that is said to be JSON', 'Content-Type: application/json'],
    ['that is said to be compressed', 'Content-Encoding: gzip'],
  ])('%s is not read, and the connection goes on', async (_what, line) => {
    const whole = [head(`Content-Length: ${BODY.length}`, line), BODY];
    const chunked = [head('Transfer-Encoding: chunked', line), `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`];
    const empty = [head('Content-Length: 0', line)];
    expect(await overOneConnection([whole, chunked, empty, whole])).toEqual([200, 200, 200, 200]);
  });

  it('is not waited for', async () => {
    expect(await overOneConnection([[head('Content-Length: 1000')]])).toEqual([200]);
  });

  it('ends the connection where it is longer than anything that would be dropped', async () => {
    const small = await start({ settings: { bodyBytes: 1024 } });
    const received = await exchange(small.port, head('Content-Length: 100000000'), 'x'.repeat(5_000));
    expect(received).toMatch(/^HTTP\/1\.1 200 /);
  });
});
