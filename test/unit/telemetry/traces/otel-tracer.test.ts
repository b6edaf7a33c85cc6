import { setTimeout as sleep } from 'node:timers/promises';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { beforeEach, describe, expect, it } from 'vitest';
import { FormatError, RefusedError } from '../../../../src/core/errors.js';
import type { RequestSpan } from '../../../../src/core/traces.js';
import { FetchError } from '../../../../src/outside/fetch-error.js';
import { MOST_ITEMS, MOST_SPANS, OpenTelemetryTracer } from '../../../../src/telemetry/traces/otel-tracer.js';

const recorded = new InMemorySpanExporter();

beforeEach(() => recorded.reset());

function tracerWith({ trustParent = false, sample = 1 } = {}): OpenTelemetryTracer {
  const provider = new BasicTracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sample) }),
    spanProcessors: [new SimpleSpanProcessor(recorded)],
  });
  return new OpenTelemetryTracer(provider.getTracer('test'), { trustParent });
}

/** Begins a request that is one of the sample. */
function begin(tracer: OpenTelemetryTracer, traceparent?: string): RequestSpan {
  const request = tracer.request('POST /verify', traceparent);
  if (request === null) throw new Error('the request is not sampled');
  return request;
}

/** Each span as the names from the request down to it. */
function paths(): readonly string[] {
  const spans = recorded.getFinishedSpans();
  const pathOf = (id: string): string => {
    const span = spans.find((each) => each.spanContext().spanId === id);
    if (span === undefined) return '?';
    const { parentSpanContext: parent, name } = span;
    return parent === undefined ? name : `${pathOf(parent.spanId)} > ${name}`;
  };
  return spans.map((span) => pathOf(span.spanContext().spanId)).toSorted();
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SAMPLED = `00-${TRACE}-${PARENT}-01`;
const NOT_SAMPLED = `00-${TRACE}-${PARENT}-00`;

describe('steps of a request', () => {
  it('stand under the step in which they are made, also after a wait and beside others', async () => {
    const tracer = tracerWith();
    const request = begin(tracer);
    await request.within(async () => {
      const fetching = tracer.span('fetch endorsements', async () => {
        await sleep(1);
        await Promise.all([1, 2].map(() => tracer.span('outgoing exchange', async () => sleep(1))));
      });
      await tracer.span('verify tokens', async () => {});
      await fetching;
    });
    request.begin('read body')();
    request.end();
    expect(paths()).toEqual([
      'POST /verify',
      'POST /verify > fetch endorsements',
      'POST /verify > fetch endorsements > outgoing exchange',
      'POST /verify > fetch endorsements > outgoing exchange',
      'POST /verify > read body',
      'POST /verify > verify tokens',
    ]);
  });

  it('of two requests at a time stand each in its own trace', async () => {
    const tracer = tracerWith();
    const requests = [begin(tracer), begin(tracer)];
    await Promise.all(requests.map((request) => request.within(() => tracer.span('appraise', async () => sleep(1)))));
    const traces = recorded.getFinishedSpans().map((span) => span.spanContext().traceId);
    expect(traces.toSorted()).toEqual(requests.map(({ traceId }) => traceId).toSorted());
  });

  it('are done and not recorded where no request is traced', async () => {
    const tracer = tracerWith({ sample: 0 });
    expect(tracer.request('POST /verify', undefined)).toBeNull();
    const answer = await tracer.span('appraise', async (span) => {
      span.set({ 'http.response.status_code': 200 });
      span.fail('deadline');
      return 42;
    });
    expect(answer).toBe(42);
    expect(recorded.getFinishedSpans()).toEqual([]);
  });

  it('begin no span once the request has ended, since what goes on may go on for ever', async () => {
    const tracer = tracerWith();
    const request = begin(tracer);
    await request.within(async () => {
      request.end();
      expect(await tracer.span('outgoing exchange', async () => 42)).toBe(42);
    });
    expect(paths()).toEqual(['POST /verify']);
  });

  it('are recorded up to a number, and done beyond it', async () => {
    const tracer = tracerWith();
    const request = begin(tracer);
    let done = 0;
    await request.within(async () => {
      for (let step = 0; step < MOST_SPANS + 10; step += 1) await tracer.span('outgoing exchange', async () => done++);
    });
    request.end();
    expect(done).toBe(MOST_SPANS + 10);
    expect(recorded.getFinishedSpans()).toHaveLength(MOST_SPANS);
  });

  it('have lists of a bounded length', async () => {
    const tracer = tracerWith();
    const request = begin(tracer);
    request.set({ 'veritee.reasons': Array.from({ length: MOST_ITEMS + 1 }, (_, index) => `reason_${index}`) });
    request.end();
    const [span] = recorded.getFinishedSpans();
    expect(span?.attributes['veritee.reasons']).toHaveLength(MOST_ITEMS);
  });

  it.each<[name: string, error: unknown, type: string]>([
    ['malformed', new FormatError('schema', 'secret-42'), 'schema'],
    ['refused', new RefusedError('overloaded', 'secret-42'), 'overloaded'],
    ['out of reach', new FetchError('timeout', 'secret-42'), 'timeout'],
    ['of others', Object.assign(new Error('secret-42'), { name: 'secret-42', code: 'secret-42' }), '_OTHER'],
    ['not even an error', 'secret-42', '_OTHER'],
  ])('that fail with an error that is %s say its code, and throw it on', async (_name, error, type) => {
    const tracer = tracerWith();
    const request = begin(tracer);
    const failing = request.within(() => tracer.span('appraise', () => Promise.reject(error)));
    await expect(failing).rejects.toBe(error);
    const [span] = recorded.getFinishedSpans();
    expect(span).toMatchObject({ attributes: { 'error.type': type }, status: { code: 2 }, events: [] });
    expect(span?.status.message).toBeUndefined();
  });

  it('throw at once what is thrown at once, so that nothing is begun after it', () => {
    const tracer = tracerWith();
    const malformed = new FormatError('token_format', 'not a token');
    const work = () => {
      throw malformed;
    };
    expect(() => begin(tracer).within(() => tracer.span('verify tokens', work))).toThrow(malformed);
    expect(recorded.getFinishedSpans()).toMatchObject([{ attributes: { 'error.type': 'token_format' } }]);
  });
});

describe('traceparent', () => {
  it('is not followed by default: neither its id nor its flag counts', () => {
    expect(begin(tracerWith(), SAMPLED).traceId).not.toBe(TRACE);
    expect(begin(tracerWith(), NOT_SAMPLED).traceId).not.toBe(TRACE);
    expect(tracerWith({ sample: 0 }).request('POST /verify', SAMPLED)).toBeNull();
  });

  it('is followed where it is trusted, and says whether the request is sampled', () => {
    const never = tracerWith({ trustParent: true, sample: 0 });
    const request = begin(never, SAMPLED);
    request.end();
    expect(request.traceId).toBe(TRACE);
    expect(recorded.getFinishedSpans()).toMatchObject([{ parentSpanContext: { spanId: PARENT, isRemote: true } }]);
    expect(tracerWith({ trustParent: true }).request('POST /verify', NOT_SAMPLED)).toBeNull();
  });

  it.each([
    ['nothing', undefined],
    ['a word', 'yes'],
    ['two parents', `${SAMPLED}, ${SAMPLED}`],
    ['an id of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['more than version 00 has', `${SAMPLED}-00`],
    ['capitals', SAMPLED.toUpperCase()],
  ])('that is %s is none, also where it is trusted', (_title, traceparent) => {
    const tracer = tracerWith({ trustParent: true });
    expect(begin(tracer, traceparent).traceId).not.toBe(TRACE);
    expect(tracerWith({ trustParent: true, sample: 0 }).request('POST /verify', traceparent)).toBeNull();
  });
});
