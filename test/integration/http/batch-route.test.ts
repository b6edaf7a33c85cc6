import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { FormatError, RefusedError } from '../../../src/model/errors.js';
import { call, post } from './exchange.js';
import { ALLOW, DENY, type FakeService, fakeServices, oneCaller, VERIFY_BODY } from './fake-service.js';

const start = fakeServices();

const GOOD = JSON.parse(VERIFY_BODY);

function ask({ url }: FakeService, requests: readonly unknown[], { query = '', headers = {} } = {}) {
  return post(url, `/verify:batch${query}`, JSON.stringify({ requests }), headers);
}

const outcomes = (body: { readonly results: readonly { readonly status: number; readonly body: object }[] }) =>
  body.results.map(
    ({ status, body: { decision, code } }: { status: number; body: { decision?: string; code?: string } }) => [
      status,
      decision ?? code,
    ],
  );

describe('POST /verify:batch', () => {
  it('answers each request as /verify does, in their order', async () => {
    const service = await start();
    const decisions = [ALLOW, DENY, ALLOW];
    service.verifyEvidence.answer = async () => decisions[service.verifyEvidence.asked.length - 1] ?? DENY;
    const { status, body } = await ask(service, [GOOD, GOOD, GOOD]);
    expect(status).toBe(200);
    expect(outcomes(body)).toEqual([
      [200, 'allow'],
      [200, 'deny'],
      [200, 'allow'],
    ]);
    service.verifyEvidence.answer = async () => ALLOW;
    const single = await post(service.url, '/verify', VERIFY_BODY);
    expect(body.results[0].body).toEqual(single.body);
  });

  it('says what is wrong of each, and no bad one spoils another', async () => {
    const service = await start();
    const { nonce, ...withoutNonce } = GOOD;
    const requests = [GOOD, { ...GOOD, nonse: nonce }, null, { evidence: {} }, withoutNonce];
    const { status, body } = await ask(service, requests);
    expect(status).toBe(200);
    expect(outcomes(body)).toEqual([
      [200, 'allow'],
      [400, 'unknown_property'],
      [400, 'schema'],
      [400, 'schema'],
      [200, 'allow'],
    ]);
    expect(body.results[1].body.pointer).toBe('/nonse');
  });

  it.each([
    ['what is malformed', new FormatError('snp_format', 'x', { pointer: '/evidence/report' }), [400, 'snp_format']],
    ['a policy of somebody else', new RefusedError('forbidden', 'x'), [403, 'forbidden']],
    ['a fault of the service', new Error('x'), [500, 'internal_error']],
  ])('answers %s in its place', async (_title, error, expected) => {
    const service = await start();
    service.verifyEvidence.answer = async () => {
      if (service.verifyEvidence.asked.length === 2) throw error;
      return ALLOW;
    };
    const { body } = await ask(service, [GOOD, GOOD, GOOD]);
    expect(outcomes(body)).toEqual([[200, 'allow'], expected, [200, 'allow']]);
    const faults = service.lines.records.filter(({ msg }) => msg === 'request failed');
    expect(faults.map(({ level, index }) => [level, index])).toEqual(expected[0] === 500 ? [['error', 1]] : []);
  });

  it.each(['application/jsonl', 'application/json;q=0.5, application/jsonl', 'application/x-ndjson'])(
    'sends each answer as a line once it is there, for %s',
    async (accept) => {
      const service = await start();
      let release = () => {};
      service.verifyEvidence.answer = async () => {
        if (service.verifyEvidence.asked.length === 1) await new Promise<void>((resolve) => (release = resolve));
        return ALLOW;
      };
      const answering = ask(service, [GOOD, GOOD, { evidence: 1 }], { headers: { accept } });
      const others = () => service.lines.records.filter(({ msg }) => msg === 'batch item');
      await vi.waitFor(() => expect(others()).toHaveLength(2));
      release();
      const { status, body, contentType } = await answering;
      expect([status, contentType]).toEqual([200, 'application/jsonl']);
      const lines = String(body)
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines.map(({ index }) => index).at(-1)).toBe(0);
      const byIndex = lines.toSorted((a, b) => a.index - b.index);
      expect(byIndex.map(({ status: each }) => each)).toEqual([200, 200, 400]);
    },
  );

  it('explains each decision where that is asked for', async () => {
    const service = await start();
    const { body } = await ask(service, [GOOD], { query: '?explain=tree&checks=all' });
    expect(body.results[0].body).toMatchObject({ explanation: { text: 'allow' } });
    expect(body.results[0].body.checks).toHaveLength(ALLOW.checks.length);
  });

  it.each([
    ['?enforce=true', 'schema', 'query parameter enforce has no meaning for a batch: each item has its own status'],
    ['?nothing=1', 'unknown_property', 'unknown query parameter "nothing"; known: checks, explain'],
  ])('refuses the query %s, and judges nothing', async (query, code, detail) => {
    const service = await start();
    const { status, body } = await ask(service, [GOOD], { query });
    expect([status, body.code, body.detail]).toEqual([400, code, detail]);
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  it.each(['text/html', 'application/eat+jwt', 'application/problem+json', 'text/*, application/eat+jwt'])(
    'refuses a client that takes only %s, and judges nothing',
    async (accept) => {
      const service = await start();
      const { status, body } = await ask(service, [GOOD], { headers: { accept } });
      expect([status, body.code, body.detail]).toEqual([
        406,
        'not_acceptable',
        'a batch is answered as application/json or application/jsonl',
      ]);
      expect(service.verifyEvidence.asked).toHaveLength(0);
    },
  );

  it.each(['*/*', 'application/*;q=0.1', 'text/html, application/json', 'Application/JSON', ''])(
    'answers as JSON a client that takes %j',
    async (accept) => {
      const { status, headers } = await ask(await start(), [GOOD], { headers: { accept } });
      expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    },
  );

  it.each([
    ['no requests', '{}', 'schema'],
    ['257 requests', JSON.stringify({ requests: Array(257).fill(null) }), 'schema'],
    ['another text', 'requests', 'schema'],
  ])('refuses %s as a whole', async (_title, text, code) => {
    const service = await start();
    const { status, body } = await post(service.url, '/verify:batch', text);
    expect([status, body.code]).toEqual([400, code]);
  });

  it('refuses a batch that is over its limit, and a request in it that is over that of one by itself', async () => {
    const service = await start({ settings: { batchBytes: 20_000, bodyBytes: 5_000 } });
    const long = { ...GOOD, policy: 'x'.repeat(6_000) };
    const { body } = await ask(service, [long, GOOD]);
    expect(outcomes(body)).toEqual([
      [413, 'body_too_large'],
      [200, 'allow'],
    ]);
    const refused = await ask(service, Array(20).fill(GOOD));
    expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
      413,
      'body_too_large',
      'the body is over 20000 bytes (limits.batchBytes)',
    ]);
  });

  it('takes a request of exactly the limit of one by itself, and none that is longer', async () => {
    const text = JSON.stringify(GOOD);
    const service = await start({ settings: { bodyBytes: text.length } });
    const { body } = await post(service.url, '/verify:batch', `{"requests":[${text},${text.replace('{', '{ ')}]}`);
    expect(outcomes(body)).toEqual([
      [200, 'allow'],
      [413, 'body_too_large'],
    ]);
  });

  it.each([
    ['text/plain', {}],
    ['application/json\tx', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
  ])('refuses a batch that is no plain JSON: %s %j', async (contentType, headers) => {
    const service = await start();
    const { status, body } = await ask(service, [GOOD], { headers: { 'content-type': contentType, ...headers } });
    expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  it('passes on the text of each request, which is kept with the evidence', async () => {
    const service = await start();
    const texts = [JSON.stringify(GOOD), JSON.stringify(GOOD, null, 1)];
    await post(service.url, '/verify:batch', `{"requests": [ ${texts.join(' , ')} ]}`);
    const asked = service.verifyEvidence.asked.map(({ request }) =>
      Buffer.from(request.body ?? [])
        .toString()
        .trim(),
    );
    expect(asked).toEqual(texts);
  });

  it('shows policies in shadow to those alone who may name them', async () => {
    const key = 'a key';
    const service = await start({ callers: oneCaller(key, ['verify'], { policies: new Set(['payments']) }) });
    const result = { version: 1, sha256: 'ab'.repeat(32), outcome: 'allow', matched: [], unmatched: [] } as const;
    const shadow = ['payments', 'payroll'].map((id) => ({
      ...result,
      id,
      reasons: [],
      collateral: 'standard' as const,
      expectedFrom: null,
    }));
    service.verifyEvidence.answer = async () => ({ ...ALLOW, shadow });
    const { body } = await ask(service, [GOOD], { headers: { 'x-api-key': key } });
    expect(body.results[0].body.shadow.map(({ id }: { id: string }) => id)).toEqual(['payments']);
  });

  it('counts each decision', async () => {
    const service = await start();
    service.verifyEvidence.answer = async () => (service.verifyEvidence.asked.length === 1 ? DENY : ALLOW);
    await ask(service, [GOOD, GOOD, GOOD, null]);
    const counted = (await call(service.url, '/metrics')).body
      .split('\n')
      .filter((line: string) => line.startsWith('veritee_decisions_total{'));
    expect(counted.toSorted()).toEqual([
      'veritee_decisions_total{outcome="allow",reason="none",evidence_type="snp"} 2',
      'veritee_decisions_total{outcome="deny",reason="snp_signature",evidence_type="snp"} 1',
    ]);
  });

  it('lets others go first between its requests', async () => {
    const service = await start();
    let round = 0;
    let isOver = false;
    const count = () => {
      round += 1;
      if (!isOver) setImmediate(count);
    };
    const rounds: number[] = [];
    service.verifyEvidence.answer = async () => {
      rounds.push(round);
      return ALLOW;
    };
    count();
    await ask(service, Array(12).fill(GOOD));
    isOver = true;
    expect(new Set(rounds).size).toBe(12);
  });

  it('counts each request by the rate of its caller', async () => {
    const service = await start({ settings: { rates: { perPrincipal: 3 } } });
    const { body } = await ask(service, [GOOD, GOOD, GOOD, GOOD]);
    expect(outcomes(body)).toEqual([
      [200, 'allow'],
      [200, 'allow'],
      [429, 'rate_limited'],
      [429, 'rate_limited'],
    ]);
  });

  it('judges four at once at most, and takes a slot for each', async () => {
    const service = await start({ slots: { running: 3, waiting: 0 } });
    let [open, most] = [0, 0];
    service.verifyEvidence.answer = async () => {
      open += 1;
      most = Math.max(most, open);
      // Longer than a busy machine takes from one request of the batch to the next.
      await new Promise((resolve) => setTimeout(resolve, 100));
      open -= 1;
      return ALLOW;
    };
    const few = await ask(service, Array(8).fill(GOOD));
    expect(most).toBe(3);
    expect(outcomes(few.body)).toContainEqual([503, 'overloaded']);
    const wide = await start();
    wide.verifyEvidence.answer = service.verifyEvidence.answer;
    await ask(wide, Array(12).fill(GOOD));
    expect(most).toBe(4);
  });

  it('takes two batches of a caller at once, and no third before one has ended', async () => {
    const service = await start({ callers: oneCaller('a key', ['verify']) });
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    service.verifyEvidence.answer = async () => {
      await released;
      return ALLOW;
    };
    const headers = { 'x-api-key': 'a key' };
    const held = [1, 2].map(() => ask(service, [GOOD], { headers }));
    while (service.verifyEvidence.asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const third = await ask(service, [GOOD], { headers });
    expect([third.status, third.body.code]).toEqual([503, 'overloaded']);
    release();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await ask(service, [GOOD], { headers })).status).toBe(200);
  });

  it('keeps no place for batches whose client went before their answer had its turn on the connection', async () => {
    const service = await start();
    let release = () => {};
    service.verifyEvidence.answer = async () => {
      if (service.verifyEvidence.asked.length === 1) await new Promise<void>((resolve) => (release = resolve));
      return ALLOW;
    };
    const sent = (path: string, body: string) =>
      `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const batch = sent('/verify:batch', JSON.stringify({ requests: [GOOD] }));
    const client = connect(Number(new URL(service.url).port), '127.0.0.1');
    client.write(sent('/verify', VERIFY_BODY) + batch + batch);
    while (service.verifyEvidence.asked.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await ask(service, [GOOD])).status).toBe(503);
    client.destroy();
    // While what they wait behind is still being judged.
    await expect.poll(async () => (await ask(service, [GOOD])).status, { timeout: 10_000 }).toBe(200);
    release();
  });

  it('writes a record for each request, and one for the batch', async () => {
    const service = await start();
    await ask(service, [GOOD, { ...GOOD, nonse: 1 }], { headers: { 'x-request-id': 'job-1' } });
    const records = service.lines.records.toSorted((a, b) => Number(a['index'] ?? 9) - Number(b['index'] ?? 9));
    expect(records).toMatchObject([
      {
        msg: 'batch item',
        requestId: 'job-1',
        index: 0,
        decision: 'allow',
        decisionId: ALLOW.decisionId,
        audience: null,
      },
      { msg: 'batch item', requestId: 'job-1', index: 1, code: 'unknown_property', pointer: '/nonse' },
      { msg: 'request', requestId: 'job-1', route: '/verify:batch', status: 200 },
    ]);
  });
});
