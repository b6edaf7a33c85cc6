import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { RefusedError } from '../../../src/core/errors.js';
import { call, post } from './exchange.js';
import { DENY, type FakeService, fakeServices, oneCaller, VERIFY_BODY } from './fake-service.js';
import { KeptTraces } from './kept-traces.js';

const start = fakeServices();

/** Until something holds; a busy machine has much time. */
const eventually = <T>(check: () => T) => vi.waitFor(check, 20_000);

async function traced(options: Parameters<typeof start>[0] = {}) {
  const traces = new KeptTraces();
  return { traces, service: await start({ ...options, tracer: traces }) };
}

/** The span of the one request, once it has ended. */
const whole = (traces: KeptTraces) =>
  eventually(() => {
    const [span] = traces.spans;
    if (span?.ended !== true) throw new Error('the request has not ended');
    return span;
  });

const requestRecord = ({ lines }: FakeService) =>
  eventually(() => {
    const record = lines.records.find(({ msg }) => msg === 'request');
    if (record === undefined) throw new Error('nothing is logged');
    return record;
  });

describe('a request that is traced', () => {
  it('says what was asked and decided, and what took its time', async () => {
    const { traces, service } = await traced();
    service.verifyEvidence.answer = async () => DENY;
    await post(service.url, '/verify?checks=all', VERIFY_BODY, { 'x-request-id': 'job-17' });
    const { name, attributes, failed } = await whole(traces);
    expect([name, failed]).toEqual(['POST /verify', null]);
    expect(attributes).toEqual({
      'veritee.request_id': 'job-17',
      'http.request.method': 'POST',
      'http.route': '/verify',
      'http.response.status_code': 200,
      'veritee.decision': 'deny',
      'veritee.decision_id': DENY.decisionId,
      'veritee.reasons': DENY.reasons,
      'veritee.policies': DENY.policies.map(({ id }) => id),
      'veritee.evidence_type': DENY.evidence.type,
    });
    expect(traces.names).toEqual(['POST /verify', 'identify caller', 'read body']);
    await eventually(() => expect(traces.spans.every(({ ended }) => ended)).toBe(true));
  });

  it('has its trace in its line of the log, and others have none', async () => {
    const { traces, service } = await traced();
    await post(service.url, '/verify', VERIFY_BODY);
    expect((await requestRecord(service))['traceId']).toBe('0af7651916cd43dd8448eb211c80319c');

    const other = await traced();
    other.traces.sampled = false;
    await post(other.service.url, '/verify', VERIFY_BODY);
    expect(await requestRecord(other.service)).not.toHaveProperty('traceId');
    expect([traces.spans.length > 0, other.traces.spans.map(({ name }) => name)]).toEqual([true, ['identify caller']]);
  });

  it('is named by its route, whatever its path is', async () => {
    const { traces, service } = await traced();
    await call(service.url, '/policies/secret-42');
    await call(service.url, '/secret-42?token=secret-42');
    await eventually(() => expect(traces.spans.every(({ ended }) => ended)).toBe(true));
    expect(traces.names.filter((name) => name.startsWith('GET'))).toEqual(['GET /policies/:id', 'GET']);
    expect(JSON.stringify(traces.spans)).not.toContain('secret-42');
    const unknown = traces.spans.find(({ name }) => name === 'GET');
    expect(unknown?.attributes).toMatchObject({ 'http.response.status_code': 404, 'error.type': 'not_found' });
    expect(unknown?.attributes).not.toHaveProperty('http.route');
  });

  it('passes on the traceparent of the request, and none where there is none', async () => {
    const { traces, service } = await traced();
    await call(service.url, '/policies', { headers: { traceparent: '00-a-b-01' } });
    await call(service.url, '/policies');
    expect(traces.parents).toEqual(['00-a-b-01', undefined]);
  });

  it('that is refused says by which code, and is no fault of the service', async () => {
    const key = 'k'.repeat(43);
    const { traces, service } = await traced({ callers: oneCaller(key, ['verify']) });
    await post(service.url, '/verify', VERIFY_BODY);
    const { attributes, failed } = await whole(traces);
    expect(attributes).toMatchObject({ 'http.response.status_code': 401, 'error.type': 'unauthorized' });
    expect(failed).toBeNull();
    expect(traces.names).toEqual(['POST /verify', 'identify caller']);
  });

  it.each([
    ['a fault', new Error('secret-42'), 500, 'internal_error'],
    ['load', new RefusedError('overloaded', 'secret-42'), 503, 'overloaded'],
  ])('that comes to nothing by %s has failed, with its code alone', async (_title, error, status, code) => {
    const { traces, service } = await traced();
    service.verifyEvidence.answer = () => Promise.reject(error);
    await post(service.url, '/verify', VERIFY_BODY);
    const { attributes, failed } = await whole(traces);
    expect([attributes['http.response.status_code'], failed]).toEqual([status, code]);
    expect(JSON.stringify(traces.spans)).not.toContain('secret-42');
  });

  it('ends also where its client has gone', async () => {
    const { traces, service } = await traced();
    const socket = connect(service.port, '127.0.0.1');
    service.verifyEvidence.answer = async () => {
      socket.destroy();
      await once(socket, 'close');
      return new Promise(() => {});
    };
    const head = `POST /verify HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
    socket.write(`${head}content-length: ${Buffer.byteLength(VERIFY_BODY)}\r\n\r\n${VERIFY_BODY}`);
    const { attributes, failed } = await whole(traces);
    expect(failed).toBe('client_gone');
    expect(attributes).not.toHaveProperty('http.response.status_code');
  });
});

it.each(['/livez', '/readyz', '/metrics'])('GET %s is not traced', async (path) => {
  const { traces, service } = await traced();
  await call(service.url, path);
  expect(traces.names.filter((name) => name !== 'identify caller')).toEqual([]);
  expect(traces.parents).toEqual([]);
});
