import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BoundedAnswer } from '../../../src/outside/bounded-agent.js';
import type { Fetch, FetchRequest } from '../../../src/outside/bounded-fetch.js';
import { FetchError } from '../../../src/outside/fetch-error.js';
import { DEFAULT_RESILIENCE, ResilientFetch, RetryBudget } from '../../../src/outside/resilient-fetch.js';

const BODY = Uint8Array.of(1, 2, 3);
const QUICK = { ...DEFAULT_RESILIENCE, pauseMs: 1, longestPauseMs: 5 };
const STEADY = { ...QUICK, failuresToOpen: Number.POSITIVE_INFINITY };

/** A server that answers as the list says, then always as its last entry. */
class FakeFetch implements Fetch {
  readonly asked: FetchRequest[] = [];
  readonly #answers: (Uint8Array | FetchError | 'hang')[];

  constructor(...answers: (Uint8Array | FetchError | 'hang')[]) {
    this.#answers = answers;
  }

  async get(request: FetchRequest): Promise<BoundedAnswer> {
    this.asked.push(request);
    const answer = this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0];
    if (answer === 'hang' || answer === undefined) return await hang(request.signal);
    if (answer instanceof FetchError) throw answer;
    return { status: 200, headers: {}, body: answer };
  }

  async close(): Promise<void> {}
}

function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new FetchError('aborted', 'over')), { once: true });
  });
}

const status = (code: number, retryAfterMs?: number) =>
  new FetchError('status', `status ${code}`, {
    status: code,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });

async function ask(fetch: Fetch, signal = new AbortController().signal, origin = 'https://kds.example') {
  return (await fetch.get({ origin, path: '/a', maximumBytes: 10, signal })).body;
}

const faultOf = (outcome: Promise<unknown>) =>
  outcome.then(
    () => 'none',
    (error: unknown) => (error instanceof FetchError ? error.fault : `not a FetchError: ${error}`),
  );

describe('ResilientFetch: retry', () => {
  it('tries again after a passing fault', async () => {
    const server = new FakeFetch(status(503), new FetchError('network', 'reset'), BODY);
    expect(await ask(new ResilientFetch(server, QUICK))).toEqual(BODY);
    expect(server.asked).toHaveLength(3);
  });

  it('makes at most two retries', async () => {
    const server = new FakeFetch(status(500));
    expect(await faultOf(ask(new ResilientFetch(server, QUICK)))).toBe('status');
    expect(server.asked).toHaveLength(3);
  });

  it.each([404, 400, 403, 410])('never repeats what was answered with %i', async (code) => {
    const server = new FakeFetch(status(code), BODY);
    expect(await faultOf(ask(new ResilientFetch(server, QUICK)))).toBe('status');
    expect(server.asked).toHaveLength(1);
  });

  it.each(['redirect', 'content_type', 'too_large'] as const)('never repeats after %s', async (fault) => {
    const server = new FakeFetch(new FetchError(fault, fault), BODY);
    expect(await faultOf(ask(new ResilientFetch(server, QUICK)))).toBe(fault);
    expect(server.asked).toHaveLength(1);
  });

  it('waits as long as Retry-After says where that is short', async () => {
    const server = new FakeFetch(status(429, 3), BODY);
    expect(await ask(new ResilientFetch(server, QUICK))).toEqual(BODY);
    expect(server.asked).toHaveLength(2);
  });

  it.each([status(429, 6), status(503, 6), status(429)])('does not retry what wants a longer rest', async (error) => {
    const server = new FakeFetch(error, BODY);
    expect(await faultOf(ask(new ResilientFetch(server, QUICK)))).toBe('status');
    expect(server.asked).toHaveLength(1);
  });

  it('pauses for a random part of the time that it may pause, none of it included', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    try {
      const server = new FakeFetch(status(503), status(503), BODY);
      const hour = 3_600_000;
      expect(await ask(new ResilientFetch(server, { ...QUICK, pauseMs: hour, longestPauseMs: hour }))).toEqual(BODY);
      expect(random).toHaveBeenCalledTimes(2);
    } finally {
      random.mockRestore();
    }
  });

  it('ends a pause with the caller', async () => {
    const server = new FakeFetch(status(503, 60_000), BODY);
    const deadline = new AbortController();
    const fetch = new ResilientFetch(server, { ...QUICK, longestPauseMs: 120_000 });
    const outcome = faultOf(ask(fetch, deadline.signal));
    setTimeout(() => deadline.abort(), 5);
    expect(await outcome).toBe('aborted');
    expect(server.asked).toHaveLength(1);
  });

  it('makes at most 1 100 requests for 1 000 calls against a server that answers 503', async () => {
    const server = new FakeFetch(status(503));
    const fetch = new ResilientFetch(server, { ...STEADY, pauseMs: 0 });
    for (let call = 0; call < 1_000; call += 1) expect(await faultOf(ask(fetch))).toBe('status');
    expect(server.asked.length).toBeLessThanOrEqual(1_100);
    expect(server.asked.length).toBeGreaterThan(1_050);
  });
});

describe('ResilientFetch: breaker', () => {
  const CLOSED_FOR_LONG = { ...QUICK, pauseMs: 0, openMs: 600_000, fairMs: 0 };

  it('opens at five failures in a row and then asks nobody', async () => {
    const server = new FakeFetch(status(500));
    const fetch = new ResilientFetch(server, CLOSED_FOR_LONG);
    expect(await faultOf(ask(fetch))).toBe('status');
    expect(await faultOf(ask(fetch))).toBe('open');
    expect(server.asked).toHaveLength(5);
    expect(await faultOf(ask(fetch))).toBe('open');
    expect(server.asked).toHaveLength(5);
  });

  it('is one for each origin', async () => {
    const server = new FakeFetch(status(500));
    const fetch = new ResilientFetch(server, CLOSED_FOR_LONG);
    for (let call = 0; call < 3; call += 1) await faultOf(ask(fetch));
    expect(await faultOf(ask(fetch, undefined, 'https://other.example'))).not.toBe('open');
  });

  it('takes a 404 as a sign of health', async () => {
    const server = new FakeFetch(...Array.from({ length: 4 }, () => status(500)), status(404), status(500), BODY);
    const fetch = new ResilientFetch(server, CLOSED_FOR_LONG);
    expect(await faultOf(ask(fetch))).toBe('status');
    expect(await faultOf(ask(fetch))).toBe('status');
    expect(await ask(fetch)).toEqual(BODY);
  });

  it('counts a request that its deadline ended', async () => {
    const server = new FakeFetch('hang');
    const fetch = new ResilientFetch(server, CLOSED_FOR_LONG);
    for (let call = 0; call < 5; call += 1) {
      const deadline = new AbortController();
      const outcome = faultOf(ask(fetch, deadline.signal));
      await new Promise(setImmediate);
      deadline.abort();
      expect(await outcome).toBe('aborted');
    }
    expect(await faultOf(ask(fetch))).toBe('open');
    expect(server.asked).toHaveLength(5);
  });

  describe('after its time', () => {
    beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }));
    afterEach(() => vi.useRealTimers());

    it('closes when the one request that tries whether the origin is back succeeds', async () => {
      const server = new FakeFetch(...Array.from({ length: 5 }, () => status(500)), BODY);
      const fetch = new ResilientFetch(server, CLOSED_FOR_LONG);
      await faultOf(ask(fetch));
      await faultOf(ask(fetch));
      vi.setSystemTime(Date.now() + CLOSED_FOR_LONG.openMs);
      expect(await Promise.all([ask(fetch), ask(fetch)])).toEqual([BODY, BODY]);
    });

    it('stays open when that one request fails', async () => {
      const server = new FakeFetch(status(500));
      const fetch = new ResilientFetch(server, CLOSED_FOR_LONG);
      await faultOf(ask(fetch));
      await faultOf(ask(fetch));
      vi.setSystemTime(Date.now() + CLOSED_FOR_LONG.openMs);
      const outcomes = await Promise.all([faultOf(ask(fetch)), faultOf(ask(fetch)), faultOf(ask(fetch))]);
      expect(outcomes).toEqual(['open', 'open', 'open']);
      expect(server.asked).toHaveLength(6);
    });
  });
});

describe('ResilientFetch: bulkhead', () => {
  it('holds up what is over its size and refuses what is over its queue', async () => {
    const server = new FakeFetch('hang');
    const deadline = new AbortController();
    const fetch = new ResilientFetch(server, { ...STEADY, concurrent: 2, queued: 1 });
    const outcomes = Array.from({ length: 4 }, () => faultOf(ask(fetch, deadline.signal)));
    expect(await outcomes[3]).toBe('busy');
    expect(server.asked).toHaveLength(2);
    deadline.abort();
    expect(await Promise.all(outcomes.slice(0, 3))).toEqual(['aborted', 'aborted', 'no_time']);
    expect(server.asked).toHaveLength(2);
  });

  it('sends nothing for a caller whose time is over', async () => {
    const server = new FakeFetch(BODY);
    expect(await faultOf(ask(new ResilientFetch(server, QUICK), AbortSignal.abort()))).toBe('no_time');
    expect(server.asked).toHaveLength(0);
  });
});

describe('RetryBudget', () => {
  it('allows at most 100 retries for 1 000 calls that all want to retry', () => {
    const budget = new RetryBudget();
    let retries = 0;
    for (let call = 0; call < 1_000; call += 1) {
      budget.earn();
      while (budget.spend()) retries += 1;
    }
    expect(retries).toBeLessThanOrEqual(100);
    expect(retries).toBeGreaterThanOrEqual(95);
  });

  it('lets a service that seldom asks retry', () => {
    const budget = new RetryBudget();
    budget.earn();
    expect(budget.spend()).toBe(true);
  });

  it('does not save up more than its reserve in quiet times', () => {
    const budget = new RetryBudget();
    for (let call = 0; call < 10_000; call += 1) budget.earn();
    let retries = 0;
    while (budget.spend()) retries += 1;
    expect(retries).toBe(10);
  });
});
