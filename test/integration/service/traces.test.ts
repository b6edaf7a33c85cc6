import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { SPAN_ATTRIBUTES } from '../../../src/core/traces.js';
import { type CollectedSpan, LabCollector } from '../../lab/collector.js';
import type { LabConnection, LabFault } from '../../lab/index.js';
import { call, challenge, LabService, lenientPolicy, post, verdictOf } from './lab-service.js';
import { expectWithout, secretsOf } from './secrets.js';

/** The spans that a service with `traces` sends to a collector, and that no request depends on one. */

/** Until something holds; a busy machine has much time. */
const eventually = (check: () => void | Promise<void>) => vi.waitFor(check, 20_000);

const AUDIENCE = 'https://gate.example';
const API_KEY = 'secret-42-of-the-collector';

let lab: LabService;
let collector: LabCollector;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('lenient'));
});

afterAll(() => lab.close());

beforeEach(async () => {
  collector = await LabCollector.start();
});

afterEach(async () => {
  await lab.kds.heal();
  await collector.close();
  await lab.stop();
});

/** Each service has a folder of its own, so that it fetches for itself. */
let started = 0;

function start(traces: object = {}, keys: object = {}, tracePace: object = {}): Promise<RunningService> {
  started += 1;
  const configured = { traces: { endpoint: collector.origin, sample: 1, ...traces } };
  return lab.start({ ...configured, ...keys }, { tracePace: { delayMs: 1, ...tracePace } }, `traced-${started}`);
}

/** The spans of a trace, each as the names from the request down to it, in the order of their names. */
function tree(spans: readonly CollectedSpan[]): readonly string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const pathOf = ({ name, parentSpanId }: CollectedSpan): string => {
    const parent = parentSpanId === null ? undefined : byId.get(parentSpanId);
    return parent === undefined ? name : `${pathOf(parent)} > ${name}`;
  };
  return spans.map(pathOf).toSorted();
}

/** The spans of the only request with this name, once the service has stopped and sent all it had. */
async function spansOf(service: RunningService, name: string): Promise<readonly CollectedSpan[]> {
  await service.close();
  const roots = collector.spans.filter((span) => span.name === name);
  expect(roots).toHaveLength(1);
  return collector.spans.filter(({ traceId }) => traceId === roots[0]?.traceId);
}

const requestLine = (traceId: string | undefined) =>
  lab.output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .find((record) => record.msg === 'request' && record.traceId === traceId);

const attempt = { 'server.address': 'localhost', 'http.response.status_code': 200 };

describe('a verification that is traced', () => {
  it('shows its steps, each under the one that waits for it, and nothing secret', async () => {
    const file = join(lab.root, 'collector-headers');
    await writeFile(file, `authorization: Bearer ${API_KEY}\n`);
    const service = await start({ headersFile: file });
    const nonce = await challenge(service);
    const answer = await lab.verify(service, {
      nonce,
      members: { audience: AUDIENCE },
      headers: { 'x-request-id': 'job-17' },
    });
    expect(answer.body.decision).toBe('allow');

    const spans = await spansOf(service, 'POST /verify');
    expect([...new Set(tree(spans))]).toEqual([
      'POST /verify',
      'POST /verify > appraise',
      'POST /verify > check nonce',
      'POST /verify > fetch endorsements',
      'POST /verify > fetch endorsements > outgoing exchange',
      'POST /verify > identify caller',
      'POST /verify > read body',
      'POST /verify > sign receipt',
      'POST /verify > store decision',
      'POST /verify > verify evidence',
    ]);
    const [root] = spans.filter(({ parentSpanId }) => parentSpanId === null);
    expect(root).toMatchObject({
      name: 'POST /verify',
      kind: 2,
      failed: false,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/verify',
        'http.response.status_code': 200,
        'veritee.request_id': 'job-17',
        'veritee.decision': 'allow',
        'veritee.decision_id': answer.body.decisionId,
        'veritee.policies': ['azure-cvm-baseline'],
        'veritee.reasons': [],
        'veritee.evidence_type': 'az-snp-vtpm',
      },
    });
    const fetched = spans.filter(({ name }) => name === 'outgoing exchange');
    expect(fetched.length).toBeGreaterThanOrEqual(1);
    for (const { kind, failed, attributes } of fetched) {
      expect([kind, failed]).toEqual([3, false]);
      expect(attributes).toEqual({ ...attempt, 'server.port': lab.kds.port });
    }
    const [endorsements] = spans.filter(({ name }) => name === 'fetch endorsements');
    expect(endorsements?.attributes['veritee.endorsements']).toContain('amd-snp');

    expect(requestLine(root?.traceId)).toMatchObject({ requestId: 'job-17', decision: 'allow' });
    expect(collector.received.map(({ headers }) => headers.authorization)).toContain(`Bearer ${API_KEY}`);
    expect(lab.output).not.toContain(API_KEY);
    const bodies = collector.received.map(({ body }) => body).join('\n');
    expectWithout(bodies, [...secretsOf(lab, answer, nonce), API_KEY]);
  });

  it('says why it failed, by codes alone', async () => {
    const service = await start();
    lab.kds.fail(/crl/, { status: 403 });
    const denied = await lab.verify(service, { endorsements: { crls: [] }, members: { policy: 'lenient' } });
    expect(verdictOf(denied)).toEqual(['indeterminate', 'crl_unavailable']);
    const spans = await spansOf(service, 'POST /verify');
    const [exchange] = spans.filter(({ name, failed }) => name === 'outgoing exchange' && failed);
    expect(exchange).toMatchObject({
      attributes: { 'error.type': 'status', 'http.response.status_code': 403 },
    });
    const [root] = spans.filter(({ parentSpanId }) => parentSpanId === null);
    expect(root?.attributes).toMatchObject({
      'veritee.decision': 'indeterminate',
      'veritee.reasons': ['crl_unavailable'],
    });
  });
});

describe('attributes of spans', () => {
  it('are those of the list alone, whatever is asked', async () => {
    const service = await start();
    await lab.verify(service, { members: { policy: 'lenient' } });
    await lab.verify(service, { members: { policy: 'unknown' } });
    await call(service.url, '/policies');
    await call(service.url, '/nothing-here');
    await post(service.url, '/inspect', lab.verifyBody());
    await service.close();
    const sent = new Set(collector.spans.flatMap(({ attributes }) => Object.keys(attributes)));
    expect([...sent].filter((name) => !(SPAN_ATTRIBUTES as readonly string[]).includes(name))).toEqual([]);
    expect(collector.spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['GET /policies', 'GET']));
  });
});

describe('the sample', () => {
  it('of 0 traces nothing, contacts nobody, and leaves the log without a trace', async () => {
    const service = await start({ sample: 0 });
    const before = lab.output.length;
    await call(service.url, '/policies');
    await service.close();
    expect(collector.connectionsMade).toBe(0);
    expect(lab.output.slice(before)).not.toContain('traceId');
  });

  it('of 1 traces each request', async () => {
    const service = await start({ sample: 1 });
    for (let request = 0; request < 5; request += 1) await call(service.url, '/policies');
    await service.close();
    expect(collector.spans.filter(({ name }) => name === 'GET /policies')).toHaveLength(5);
  });
});

describe('traceparent of a request', () => {
  const TRACE = '0af7651916cd43dd8448eb211c80319c';
  const PARENT = 'b7ad6b7169203331';
  const headers = (flag: '00' | '01') => ({
    traceparent: `00-${TRACE}-${PARENT}-${flag}`,
    tracestate: 'vendor=secret-42',
  });

  it('is not followed by default, and nobody can have a request traced by it', async () => {
    const sampled = await start({ sample: 1 });
    await call(sampled.url, '/policies', { headers: headers('00') });
    await sampled.close();
    expect(collector.spans).not.toEqual([]);
    expect(collector.text).not.toContain(TRACE);

    const connections = collector.connectionsMade;
    const unsampled = await start({ sample: 0 });
    await call(unsampled.url, '/policies', { headers: headers('01') });
    await unsampled.close();
    expect(collector.connectionsMade).toBe(connections);
  });

  it('is followed where it is trusted, with its flag and without tracestate', async () => {
    const service = await start({ sample: 0, trustParent: true });
    await call(service.url, '/policies', { headers: headers('01') });
    await call(service.url, '/docs', { headers: headers('00') });
    await call(service.url, '/inspect');
    await service.close();
    const roots = collector.spans.filter(({ kind }) => kind === 2);
    expect(roots).toMatchObject([{ name: 'GET /policies', traceId: TRACE, parentSpanId: PARENT, traceState: null }]);
    expect(collector.text).not.toContain('secret-42');
  });

  it('is sent to nobody', async () => {
    const service = await start({ trustParent: true });
    const asked = lab.kds.received.length;
    await lab.verify(service, { members: { policy: 'lenient' }, headers: headers('01') });
    const fetches = lab.kds.received.slice(asked);
    expect(fetches).not.toEqual([]);
    for (const fetch of fetches) {
      expect(fetch.headers).not.toHaveProperty('traceparent');
      expect(fetch.headers).not.toHaveProperty('tracestate');
    }
  });
});

describe('a collector', () => {
  it.each<[name: string, spoil: { readonly fault?: LabFault; readonly connection?: LabConnection }]>([
    ['answers with 500', { fault: { status: 500 } }],
    ['answers with garbage', { fault: 'garbage' }],
    ['answers a byte a second', { fault: 'drip' }],
    ['hangs', { connection: 'half_open' }],
    ['is gone', { connection: 'refused' }],
  ])('that %s changes no answer, and the service stops', async (_name, { fault, connection }) => {
    if (fault !== undefined) collector.fail(/./, fault);
    if (connection !== undefined) await collector.connect(connection);
    // A request or a stop that waited for the collector would take longer than a test may.
    const service = await start({}, {}, { exportMs: 600_000, flushMs: 50 });
    for (let request = 0; request < 3; request += 1) {
      const answer = await lab.verify(service, { members: { policy: 'lenient' } });
      expect(verdictOf(answer)).toEqual(['allow']);
    }
    expect((await call(service.url, '/readyz')).status).toBe(200);
    await service.close();
  });

  it('is one of the origins whose outages are in the log and in the metrics', async () => {
    const { host } = new URL(collector.origin);
    const figure = async ({ url }: RunningService) => {
      const { body } = await call(url, '/metrics');
      const lines = String(body).split('\n');
      return lines.find((line) => line.startsWith(`veritee_origin_reachable{host="${host}"}`))?.at(-1);
    };
    const service = await start();
    expect(await figure(service)).toBe('1');
    collector.fail(/./, { status: 401 });
    await call(service.url, '/policies');
    await eventually(async () => expect(await figure(service)).toBe('0'));
    const lines = lab.output.split('\n').filter((line) => line.includes('origin does not answer'));
    expect(lines.filter((line) => line.includes(host))).toHaveLength(1);
  });

  it('is sent other headers after a reload', async () => {
    const file = join(lab.root, 'reloaded-headers');
    await writeFile(file, 'x-key: one');
    const service = await start({ headersFile: file });
    await call(service.url, '/policies');
    await eventually(() => expect(collector.received.at(-1)?.headers['x-key']).toBe('one'));
    await writeFile(file, 'x-key: two');
    await service.reload();
    await call(service.url, '/policies');
    await eventually(() => expect(collector.received.at(-1)?.headers['x-key']).toBe('two'));
    const reloaded = lab.output.split('\n').filter((line) => line.includes('"headers of traces"'));
    expect(reloaded).toHaveLength(1);
  });

  it('keeps the service from starting where the file of its headers is wrong', async () => {
    const file = join(lab.root, 'wrong-headers');
    await writeFile(file, 'secret-42');
    await expect(start({ headersFile: file })).rejects.toThrow(
      `traces.headersFile: ${file}: line 1 is not of the form Name: value`,
    );
  });
});

it('without traces in the configuration nothing is traced', async () => {
  const before = lab.output.length;
  const service = await lab.start({}, {}, 'untraced');
  await lab.verify(service, { members: { policy: 'lenient' } });
  await service.close();
  expect(collector.connectionsMade).toBe(0);
  expect(lab.output.slice(before)).not.toContain('traceId');
});
