import { describe, expect, it } from 'vitest';
import { FetchError } from '../../../src/outside/fetch-error.js';
import { DEFAULT_BREAKER } from '../../../src/outside/origin-breaker.js';
import { EndpointHealth, NotFoundMemory } from '../../../src/outside/throttling.js';
import { ManualClock } from '../endorsements/manual-clock.js';

const status = (code: number, retryAfterMs?: number) =>
  new FetchError('status', `status ${code}`, { status: code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });

/** An endpoint that fails as it is told, and counts its calls. */
class Endpoint {
  readonly clock = new ManualClock(new Date('2026-03-01T12:00:00Z'));
  readonly health: EndpointHealth;
  calls = 0;
  error: Error | null = null;

  constructor(openMs = 60_000) {
    this.health = new EndpointHealth(this.clock, { ...DEFAULT_BREAKER, openMs });
  }

  async ask(): Promise<string> {
    return this.health.run(async () => {
      this.calls += 1;
      if (this.error !== null) throw this.error;
      return 'answer';
    });
  }

  /** The result: the answer, or the fault. */
  async outcome(): Promise<string> {
    return this.ask().catch((error: unknown) => (error instanceof FetchError ? error.fault : String(error)));
  }
}

describe('EndpointHealth', () => {
  it('waits for the longer of two pauses, also where the shorter was asked for later', async () => {
    const endpoint = new Endpoint();
    const answers = [status(429, 60_000), status(429, 1_000)].map((error) =>
      endpoint.health.run(() => Promise.reject(error)).catch((caught: FetchError) => caught.fault),
    );
    expect(await Promise.all(answers)).toEqual(['status', 'status']);
    endpoint.clock.advance(59_000);
    expect([await endpoint.outcome(), endpoint.calls]).toEqual(['waiting', 0]);
    endpoint.clock.advance(1_000);
    expect([await endpoint.outcome(), endpoint.calls]).toEqual(['answer', 1]);
  });

  it('never calls twice', async () => {
    const endpoint = new Endpoint();
    endpoint.error = status(503);
    expect(await endpoint.outcome()).toBe('status');
    expect(endpoint.calls).toBe(1);
  });

  it.each([
    status(500),
    new FetchError('network', 'reset'),
    new FetchError('timeout', 'late'),
    new FetchError('content_type', 'a page'),
    new FetchError('too_large', 'large'),
    new FetchError('redirect', 'elsewhere'),
  ])('leaves an endpoint out after five failures in a row: $fault', async (error) => {
    const endpoint = new Endpoint();
    endpoint.error = error;
    for (let call = 0; call < 5; call += 1) await endpoint.outcome();
    endpoint.error = null;
    expect(await endpoint.outcome()).toBe('open');
    expect(endpoint.calls).toBe(5);
  });

  it('asks again after a while', async () => {
    const endpoint = new Endpoint(1);
    endpoint.error = status(500);
    for (let call = 0; call < 5; call += 1) await endpoint.outcome();
    endpoint.error = null;
    await expect.poll(() => endpoint.outcome(), { timeout: 20_000 }).toBe('answer');
  });

  it.each([400, 401, 403, 404])('takes %i as an answer of an endpoint that works', async (code) => {
    const endpoint = new Endpoint();
    endpoint.error = status(code);
    for (let call = 0; call < 10; call += 1) expect(await endpoint.outcome()).toBe('status');
    expect(endpoint.calls).toBe(10);
  });

  it.each([
    ['429 that names a time', status(429, 2_000), 2_000],
    ['429 that names none', status(429), 10_000],
    ['503 that names a time', status(503, 4_000), 4_000],
    ['429 that names a year', status(429, 365 * 24 * 3_600_000), 3_600_000],
  ])('leaves an endpoint alone after a %s', async (_what, error, restMs) => {
    const endpoint = new Endpoint();
    endpoint.error = error;
    await endpoint.outcome();
    endpoint.error = null;
    endpoint.clock.advance(restMs - 1);
    await expect(endpoint.ask()).rejects.toMatchObject({ fault: 'waiting', retryAfterMs: 1 });
    endpoint.clock.advance(1);
    expect(await endpoint.outcome()).toBe('answer');
    expect(endpoint.calls).toBe(2);
  });

  it('does not pause after a 503 that names no time', async () => {
    const endpoint = new Endpoint();
    endpoint.error = status(503);
    await endpoint.outcome();
    endpoint.error = null;
    expect(await endpoint.outcome()).toBe('answer');
  });

  it('lets a mistake in the code through as it is', async () => {
    const endpoint = new Endpoint();
    endpoint.error = new TypeError('mistake');
    await expect(endpoint.ask()).rejects.toThrow(TypeError);
  });
});

const TEN_MINUTES_MS = 10 * 60_000;
const notFound = () => Promise.reject(new FetchError('status', 'answered with status 404', { status: 404 }));
const found = () => Promise.resolve('found');

function remembering() {
  const clock = new ManualClock(new Date('2026-03-01T12:00:00Z'));
  return { clock, memory: new NotFoundMemory(clock) };
}

it('a key that was not found is asked for again after ten minutes, and not before', async () => {
  const { clock, memory } = remembering();
  await expect(memory.ask('a', true, notFound)).rejects.toThrow('answered with status 404');
  clock.advance(TEN_MINUTES_MS - 1);
  await expect(memory.ask('a', true, found)).rejects.toThrow('before');
  expect(await memory.ask('b', true, found)).toBe('found');
  clock.advance(1);
  expect(await memory.ask('a', true, found)).toBe('found');
});

it('a known key is not asked for, and stays known no longer for that', async () => {
  const { clock, memory } = remembering();
  await expect(memory.ask('a', true, notFound)).rejects.toThrow(FetchError);
  clock.advance(TEN_MINUTES_MS - 1);
  await expect(memory.ask('a', true, notFound)).rejects.toThrow('before');
  clock.advance(1);
  expect(await memory.ask('a', true, found)).toBe('found');
});

it.each([
  ['a 404 that is not to be kept', false, notFound],
  ['another status', true, () => Promise.reject(new FetchError('status', 'answered with status 500', { status: 500 }))],
  ['another error', true, () => Promise.reject(new TypeError('no number'))],
])('%s is not remembered', async (_what, remember, ask) => {
  const { memory } = remembering();
  await expect(memory.ask('a', remember, ask)).rejects.toThrow();
  expect(await memory.ask('a', true, found)).toBe('found');
});
