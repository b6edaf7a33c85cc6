import { describe, expect, it } from 'vitest';
import { FetchError } from '../../../../src/outside/fetch-error.js';
import type { OriginObserver } from '../../../../src/outside/outages.js';
import { tracedOrigins } from '../../../../src/telemetry/traces/traced-origins.js';
import { KeptTraces } from '../../../integration/http/kept-traces.js';

const ORIGIN = 'https://kdsintf.amd.com';

function traced() {
  const heard: unknown[] = [];
  const observer: OriginObserver = {
    register: (origin) => void heard.push(['register', origin]),
    answered: (origin) => void heard.push(['answered', origin]),
    refused: (origin) => void heard.push(['refused', origin]),
    failed: (origin, error) => void heard.push(['failed', origin, error]),
  };
  const traces = new KeptTraces();
  const { around, ...others } = tracedOrigins(observer, traces);
  if (around === undefined) throw new Error('attempts are not watched');
  return { heard, traces, around, others };
}

describe('an attempt to reach an origin', () => {
  it.each([
    [ORIGIN, 'kdsintf.amd.com', 443],
    ['https://localhost:8443', 'localhost', 8443],
    ['http://169.254.169.254', '169.254.169.254', 80],
  ])('at %s is a span with its host and port, and the status of the answer', async (origin, address, port) => {
    const { traces, around } = traced();
    const answer = { status: 200, body: 'secret-42' };
    expect(await around(origin, async () => answer)).toBe(answer);
    expect(traces.spans).toEqual([
      {
        name: 'outgoing exchange',
        attributes: { 'server.address': address, 'server.port': port, 'http.response.status_code': 200 },
        failed: null,
        ended: true,
      },
    ]);
  });

  it('that fails has the status of the answer, where there was one', async () => {
    const { traces, around } = traced();
    const refused = new FetchError('status', 'answered with status 403', { status: 403 });
    await expect(around(ORIGIN, () => Promise.reject(refused))).rejects.toBe(refused);
    const late = new FetchError('timeout', 'no answer in time');
    await expect(around(ORIGIN, () => Promise.reject(late))).rejects.toBe(late);
    const statuses = traces.spans.map(({ attributes }) => attributes['http.response.status_code']);
    expect(statuses).toEqual([403, undefined]);
  });
});

it('tells the observer behind it all that it hears', () => {
  const { heard, others } = traced();
  const error = new FetchError('network', 'no connection');
  others.register(ORIGIN);
  others.answered(ORIGIN);
  others.refused(ORIGIN);
  others.failed(ORIGIN, error);
  expect(heard).toEqual([
    ['register', ORIGIN],
    ['answered', ORIGIN],
    ['refused', ORIGIN],
    ['failed', ORIGIN, error],
  ]);
});
