import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import { EgressProxy } from '../../../src/outside/egress-proxy.js';
import { Outages } from '../../../src/outside/outages.js';
import {
  type CollectorOptions,
  type OpenTracing,
  openTracing,
  type TracePace,
  type TracingOptions,
} from '../../../src/telemetry/traces/open-tracing.js';
import { LabCollector } from '../../lab/collector.js';
import type { LabConnection, LabFault } from '../../lab/index.js';
import { LabProxy } from '../../lab/proxy.js';
import { KeptLog } from '../../unit/log/recorded.js';

/** Spans are sent at once, and nothing ends before a test has ended it. */
const PACE: TracePace = { delayMs: 1, exportMs: 60_000, flushMs: 60_000 };

/** Until something holds; a busy machine has much time. */
const eventually = (check: () => void) => vi.waitFor(check, 20_000);

const SHORT_MS = 400;
const LONG_MS = 600_000;
/** Seconds, twice the time of a batch. The library tries again after a wait that ends within that time, to the millisecond. */
const PAST_LONG = String(LONG_MS / 500);

let folder = '';
let collector: LabCollector;
let log: KeptLog;
let outages: Outages;
const opened: OpenTracing[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-traces-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  collector = await LabCollector.start();
  log = new KeptLog();
  outages = new Outages(SYSTEM_CLOCK, log);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  // Spans that still wait for the collector end with it.
  await collector.close();
  await Promise.all(opened.splice(0).map((tracing) => tracing.close()));
});

async function open(
  options: Partial<TracingOptions> = {},
  { pace, ...world }: Partial<CollectorOptions> = {},
): Promise<OpenTracing> {
  const tracing = await openTracing(
    { endpoint: collector.origin, headersFile: null, sample: 1, trustParent: false, version: '1.2.3', ...options },
    { log, observer: outages, pace: { ...PACE, ...pace }, ...world },
  );
  opened.push(tracing);
  return tracing;
}

/** Ends a request that is traced. */
function trace({ tracer }: OpenTracing, name = 'GET /policies', attributes = {}): void {
  const request = tracer.request(name, undefined);
  request?.set(attributes);
  request?.end();
}

const arrived = (count = 1) => eventually(() => expect(collector.spans.length).toBeGreaterThanOrEqual(count));
const outageLines = () => log.lines.filter(({ message }) => message.startsWith('origin'));
const isReachable = () => outages.states.map((state) => state.isReachable);

async function headersFile(text: string): Promise<string> {
  const file = join(folder, 'headers');
  await writeFile(file, text);
  return file;
}

describe('spans', () => {
  it('are posted as OTLP in JSON, under the name and version of the service', async () => {
    trace(await open());
    await arrived();
    expect(collector.requests).toEqual(['/v1/traces']);
    expect(collector.received[0]?.headers['content-type']).toBe('application/json');
    expect(collector.spans).toMatchObject([{ name: 'GET /policies', kind: 2, parentSpanId: null, traceState: null }]);
    expect(collector.resources).toEqual([{ 'service.name': 'veritee', 'service.version': '1.2.3' }]);
  });

  it('are posted to the path of the endpoint, where it has one', async () => {
    trace(await open({ endpoint: `${collector.origin}/otlp/v1/traces` }));
    await eventually(() => expect(collector.requests).toEqual(['/otlp/v1/traces']));
  });

  it('are posted over TLS to the certificate that is trusted, and to no other', async () => {
    const overTls = await LabCollector.start({}, 'https');
    try {
      const trusting = await open({ endpoint: overTls.origin }, { ca: overTls.authorityPem });
      trace(trusting);
      await eventually(() => expect(overTls.spans).toHaveLength(1));
      trace(await open({ endpoint: overTls.origin }, { ca: collector.authorityPem }));
      await eventually(() => expect(isReachable()).toEqual([false]));
      expect(overTls.spans).toHaveLength(1);
    } finally {
      await overTls.close();
    }
  });

  it('are posted through the proxy, which alone finds the collector', async () => {
    const name = 'collector.invalid';
    const behind = await LabCollector.start({ names: [name] }, 'https');
    const lab = await LabProxy.start();
    try {
      const proxy = new EgressProxy({ url: `http://${lab.host}`, passwordFile: null, noProxy: [] });
      const { port } = new URL(behind.origin);
      const tracing = await open({ endpoint: `https://${name}:${port}` }, { ca: behind.authorityPem, proxy });
      trace(tracing);
      await eventually(() => expect(behind.spans).toHaveLength(1));
      expect(lab.targets).toEqual([`${name}:${port}`]);
      await tracing.close();
    } finally {
      await Promise.all([behind.close(), lab.close()]);
    }
  });

  it('are not posted through a proxy that refuses, and the log says so', async () => {
    const lab = await LabProxy.start();
    try {
      lab.conduct = { status: 407 };
      const proxy = new EgressProxy({ url: `http://${lab.host}`, passwordFile: null, noProxy: [] });
      trace(await open({ endpoint: 'https://collector.invalid' }, { proxy }));
      await eventually(() => expect(outageLines()).toMatchObject([{ fields: { fault: 'proxy_refused' } }]));
    } finally {
      await lab.close();
    }
  });

  it('have texts of at most 128 characters', async () => {
    trace(await open(), 'GET /policies', { 'veritee.request_id': 'x'.repeat(129) });
    await arrived();
    expect(collector.spans[0]?.attributes).toEqual({ 'veritee.request_id': 'x'.repeat(128) });
  });

  it('of none are sent where none is sampled, and nobody is contacted', async () => {
    const tracing = await open({ sample: 0 });
    trace(tracing);
    await tracing.close();
    expect(collector.connectionsMade).toBe(0);
  });

  it('are not what variables of the library say', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-from-environment=secret-42');
    vi.stubEnv('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://127.0.0.1:9/v1/traces');
    vi.stubEnv('OTEL_EXPORTER_OTLP_COMPRESSION', 'gzip');
    vi.stubEnv('OTEL_TRACES_SAMPLER', 'always_off');
    vi.stubEnv('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', '1');
    vi.stubEnv('OTEL_SERVICE_NAME', 'secret-42');
    trace(await open(), 'GET /policies', { 'veritee.item': 1, 'veritee.request_id': 'job-17' });
    await arrived();
    expect(collector.spans).toMatchObject([{ attributes: { 'veritee.item': 1, 'veritee.request_id': 'job-17' } }]);
    expect(collector.text).not.toContain('secret-42');
    expect(collector.received[0]?.headers['content-encoding']).toBeUndefined();
    expect(process.env['OTEL_SERVICE_NAME']).toBe('secret-42');
  });
});

describe('headers of the file', () => {
  it('are sent, and read again on a reload', async () => {
    const file = await headersFile('Authorization: Bearer one\nx-tenant: a\n');
    const tracing = await open({ headersFile: file });
    trace(tracing);
    await arrived();
    await headersFile('Authorization: Bearer two');
    expect(await tracing.reload()).toEqual([{ name: 'headers of traces', isTaken: true }]);
    trace(tracing);
    await arrived(2);
    expect(collector.received.map(({ headers }) => [headers.authorization, headers['x-tenant']])).toEqual([
      ['Bearer one', 'a'],
      ['Bearer two', undefined],
    ]);
  });

  it('stay as they were where the file is wrong, and the log says why without quoting it', async () => {
    const file = await headersFile('Authorization: Bearer one');
    const tracing = await open({ headersFile: file });
    await headersFile('Bearer secret-42');
    expect(await tracing.reload()).toEqual([{ name: 'headers of traces', isTaken: false }]);
    trace(tracing);
    await arrived();
    expect(collector.received[0]?.headers.authorization).toBe('Bearer one');
    expect(log.lines).toEqual([
      {
        level: 'error',
        fields: { problems: [`traces.headersFile: ${file}: line 1 is not of the form Name: value`] },
        message: 'headers of traces not reloaded: the previous ones stay in force',
      },
    ]);
  });

  it('are nothing to reload where there is no file', async () => {
    expect(await (await open()).reload()).toEqual([]);
  });

  it('keep it from opening where they are wrong', async () => {
    const file = await headersFile('Bearer secret-42');
    await expect(open({ headersFile: file })).rejects.toThrow(/line 1 is not of the form Name: value$/);
  });
});

interface Spoil {
  readonly fault?: LabFault;
  readonly connection?: LabConnection;
  /** Whether only the time of a batch ends it. Others end by themselves, and have all the time of a test. */
  readonly slow?: boolean;
}

describe('an outage of the collector', () => {
  it.each<[name: string, spoil: Spoil, object]>([
    ['answers with 500', { fault: { status: 500 } }, { fault: 'status', status: 500 }],
    ['answers with 404', { fault: { status: 404 } }, { fault: 'status', status: 404 }],
    ['answers with 503', { fault: { status: 503, retryAfter: PAST_LONG } }, { fault: 'status', status: null }],
    ['redirects', { fault: 'redirect' }, { fault: 'redirect', status: 302 }],
    ['answers without end', { fault: 'oversize' }, { fault: 'network' }],
    ['never answers', { fault: 'half_open', slow: true }, { fault: 'timeout' }],
    ['answers with a byte a second', { fault: 'drip', slow: true }, { fault: 'timeout' }],
    ['says nothing', { connection: 'half_open', slow: true }, { fault: 'timeout' }],
    ['refuses connections', { connection: 'refused', slow: true }, { fault: 'network' }],
  ])('that %s is in the log once when it begins, and once when it ends', async (_name, spoil, fields) => {
    const tracing = await open({}, { pace: { exportMs: spoil.slow === true ? SHORT_MS : LONG_MS } });
    if (spoil.fault !== undefined) collector.fail(/./, spoil.fault);
    if (spoil.connection !== undefined) await collector.connect(spoil.connection);
    trace(tracing);
    await eventually(() => expect(isReachable()).toEqual([false]));
    const before = outages.states[0]?.failures ?? 0;
    trace(tracing);
    await eventually(() => expect(outages.states[0]?.failures).toBeGreaterThan(before));
    expect(outageLines()).toMatchObject([{ level: 'warn', fields, message: 'origin does not answer' }]);

    await collector.heal();
    trace(tracing, 'GET /docs');
    await eventually(() => expect(isReachable()).toEqual([true]));
    expect(outageLines().map(({ message }) => message)).toEqual(['origin does not answer', 'origin answers again']);
    expect(collector.spans.map(({ name }) => name)).toContain('GET /docs');
  });

  it('that is a redirect leads nowhere', async () => {
    const elsewhere = await LabCollector.start();
    collector.fail(/./, 'redirect');
    trace(await open());
    await eventually(() => expect(isReachable()).toEqual([false]));
    expect([collector.count(), elsewhere.connectionsMade]).toEqual([1, 0]);
    await elsewhere.close();
  });

  it('ends the connection of an answer that takes too long', async () => {
    collector.fail(/./, 'drip');
    trace(await open({}, { pace: { exportMs: SHORT_MS } }));
    await eventually(() => expect(isReachable()).toEqual([false]));
    await eventually(() => expect(collector.openConnections).toBe(0));
  });

  it('is none where the answer to what was taken is garbage', async () => {
    collector.fail(/./, 'garbage');
    const tracing = await open();
    trace(tracing);
    await arrived();
    await tracing.close();
    expect(isReachable()).toEqual([true]);
    expect(log.lines).toEqual([]);
  });

  it('costs the spans that find no place in the queue, and not more memory', async () => {
    const [queue, batch] = [2_048, 256];
    const tracing = await open();
    await collector.connect('half_open');
    for (let span = 0; span < queue + 4 * batch; span += 1) trace(tracing);
    await collector.heal();
    await tracing.close();
    expect(collector.spans.length).toBeLessThanOrEqual(queue + batch);
    expect(collector.spans.length).toBeGreaterThanOrEqual(queue);
  });
});

describe('a stop', () => {
  it('sends what is left', async () => {
    const tracing = await open({}, { pace: { delayMs: LONG_MS } });
    trace(tracing);
    expect(collector.connectionsMade).toBe(0);
    await tracing.close();
    expect(collector.spans).toHaveLength(1);
    expect(collector.openConnections).toBeLessThanOrEqual(1);
    await eventually(() => expect(collector.openConnections).toBe(0));
  });

  // Without its bound each would take longer than a test may.
  it.each<[name: string, spoil: Spoil]>([
    ['hangs', { fault: 'half_open' }],
    ['answers with a byte a second', { fault: 'drip' }],
    ['says nothing', { connection: 'half_open' }],
    ['refuses', { connection: 'refused' }],
  ])('does not wait for a collector that %s', async (_name, { fault, connection }) => {
    const tracing = await open({}, { pace: { exportMs: LONG_MS, flushMs: 50 } });
    if (fault !== undefined) collector.fail(/./, fault);
    if (connection !== undefined) await collector.connect(connection);
    trace(tracing);
    if (fault !== undefined) await eventually(() => expect(collector.count()).toBe(1));
    await tracing.close();
    // A server that reads nothing does not see the end either.
    if (connection === undefined) await eventually(() => expect(collector.openConnections).toBe(0));
  });

  it('ends every connection, however much was left', async () => {
    const tracing = await open({}, { pace: { exportMs: LONG_MS, flushMs: 1_000 } });
    collector.fail(/./, 'half_open');
    for (let span = 0; span < 2_048; span += 1) trace(tracing);
    await tracing.close();
    await eventually(() => expect(collector.openConnections).toBe(0));
  });

  it('is no outage', async () => {
    const tracing = await open({}, { pace: { flushMs: 50 } });
    await collector.connect('half_open');
    trace(tracing);
    await eventually(() => expect(collector.openConnections).toBe(1));
    await tracing.close();
    expect(log.lines).toEqual([]);
  });

  it('ends the retries: nothing is sent after it', async () => {
    const tracing = await open({}, { pace: { flushMs: 50 } });
    collector.fail(/./, { status: 503, retryAfter: '1' });
    trace(tracing);
    await eventually(() => expect(collector.count()).toBe(1));
    await tracing.close();
    // Longer than the pause that the collector asked for.
    await sleep(1_500);
    expect(collector.count()).toBe(1);
  });
});
