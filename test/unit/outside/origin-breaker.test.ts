import { describe, expect, it, vi } from 'vitest';
import { FetchError } from '../../../src/outside/fetch-error.js';
import { OriginBreaker } from '../../../src/outside/origin-breaker.js';

const CLOSED_FOR_LONG = { failuresToOpen: 5, openMs: 600_000 };
const LEFT = new FetchError('aborted', 'left');

/** The state of a breaker after five requests to an origin, each of which was aborted or failed. */
async function answerAfter(breaker: OriginBreaker, error: Error): Promise<unknown> {
  for (let call = 0; call < 5; call += 1) await breaker.run(() => Promise.reject(error)).catch(() => {});
  const outcome = await breaker.run(async () => 'answer');
  return outcome instanceof FetchError ? outcome.fault : outcome;
}

describe('OriginBreaker', () => {
  it('is not opened by those who leave before the origin had time to answer', async () => {
    expect(await answerAfter(new OriginBreaker({ ...CLOSED_FOR_LONG, fairMs: 600_000 }), LEFT)).toBe('answer');
  });

  it('is not kept closed by them either', async () => {
    const breaker = new OriginBreaker({ ...CLOSED_FOR_LONG, fairMs: 600_000 });
    const failed = new FetchError('network', 'reset');
    for (const error of [failed, failed, LEFT, failed, LEFT, failed, LEFT, failed]) {
      expect(await breaker.run(() => Promise.reject(error))).toBe(error);
    }
    expect(await breaker.run(async () => 'answer')).toMatchObject({ fault: 'open' });
  });

  it('stays open where the one that tries whether the origin is back leaves', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const breaker = new OriginBreaker({ ...CLOSED_FOR_LONG, fairMs: 600_000 });
      expect(await answerAfter(breaker, new FetchError('network', 'reset'))).toBe('open');
      vi.setSystemTime(Date.now() + CLOSED_FOR_LONG.openMs);
      expect(await breaker.run(() => Promise.reject(LEFT))).toBe(LEFT);
      expect(await breaker.run(async () => 'answer')).toMatchObject({ fault: 'open' });
      vi.setSystemTime(Date.now() + CLOSED_FOR_LONG.openMs);
      expect(await breaker.run(async () => 'answer')).toBe('answer');
    } finally {
      vi.useRealTimers();
    }
  });

  it('is opened by those who leave after it had', async () => {
    expect(await answerAfter(new OriginBreaker({ ...CLOSED_FOR_LONG, fairMs: 0 }), LEFT)).toBe('open');
  });

  it.each(['network', 'timeout', 'content_type'] as const)('is opened by %s, however soon', async (fault) => {
    const breaker = new OriginBreaker({ ...CLOSED_FOR_LONG, fairMs: 600_000 });
    expect(await answerAfter(breaker, new FetchError(fault, fault))).toBe('open');
  });

  it('lets through what is no fault of a fetch, and does not count it', async () => {
    const breaker = new OriginBreaker({ ...CLOSED_FOR_LONG, fairMs: 0 });
    await expect(breaker.run(() => Promise.reject(new TypeError('a fault')))).rejects.toThrow(TypeError);
    expect(await answerAfter(breaker, new TypeError('a fault'))).toBe('answer');
  });
});
