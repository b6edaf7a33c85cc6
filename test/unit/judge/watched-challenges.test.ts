import { describe, expect, it } from 'vitest';
import { RefusedError, VoidChallengeError } from '../../../src/core/errors.js';
import { WatchedChallengeStore } from '../../../src/judge/watched-challenges.js';
import { until } from '../stores/challenge-store-behaviour.js';
import { FakeChallengeStore, FakeLog, never } from './fakes.js';

const SCOPE = { tenant: 'a', audience: null, policy: null, evidenceType: null };
const ASKED = { tenant: 'a', audience: null, policies: [], evidenceType: 'snp' };
const BEGUN = { level: 'error', fields: { why: 'disk full' }, message: expect.stringContaining('fails') };
const OVER = { level: 'info', fields: {}, message: 'the store of challenges works again' };

function watched(timeoutMs = 1_000) {
  const faults = { put: null as Error | null, consume: null as Error | null };
  const log = new FakeLog();
  const store = new FakeChallengeStore(
    async () => {
      if (faults.consume !== null) throw faults.consume;
      return { state: 'consumed', issuedAt: new Date(0) };
    },
    async () => {
      if (faults.put !== null) throw faults.put;
    },
  );
  const watch = new WatchedChallengeStore(store, log, timeoutMs);
  const put = () => watch.put('id', SCOPE, until(new Date())).catch((error: Error) => error.message);
  const consume = () => watch.consume('id', ASKED).catch((error: Error) => error.message);
  return { store, watch, faults, log, put, consume };
}

describe('a store of challenges that is watched', () => {
  it('tells of an outage once, with its cause, also where nobody gets a challenge', async () => {
    const { watch, faults, log, put } = watched();
    await put();
    expect([watch.isAvailable, log.lines]).toEqual([true, []]);
    faults.put = new Error('disk full');
    expect([await put(), await put()]).toEqual(['disk full', 'disk full']);
    expect([watch.isAvailable, log.lines]).toEqual([false, [BEGUN]]);
    faults.put = null;
    await put();
    expect([watch.isAvailable, log.lines]).toEqual([true, [BEGUN, OVER]]);
  });

  it('is not available while it uses up challenges and keeps none', async () => {
    const { watch, faults, log, put, consume } = watched();
    faults.put = new Error('disk full');
    await put();
    await consume();
    expect([watch.isAvailable, log.lines]).toEqual([false, [BEGUN]]);
  });

  it('is available again once it keeps one, or uses one up where that failed', async () => {
    for (const again of ['put', 'consume'] as const) {
      const { watch, faults, log, consume, ...rest } = watched();
      faults.consume = new Error('disk full');
      await consume();
      expect(watch.isAvailable).toBe(false);
      faults.consume = null;
      await { ...rest, consume }[again]();
      expect([watch.isAvailable, log.lines]).toEqual([true, [BEGUN, OVER]]);
    }
  });

  it('answers where it refuses, or the challenge is of a server of before', async () => {
    const { watch, faults, log, put, consume } = watched();
    faults.put = new RefusedError('overloaded', 'full', { retryAfterSeconds: 1 });
    faults.consume = new VoidChallengeError('void');
    expect([await put(), await consume()]).toEqual(['full', 'void']);
    expect([watch.isAvailable, log.lines]).toEqual([true, []]);
  });

  it('is not available while it is out of reach, also where nobody asks, and the log is told of what fails alone', async () => {
    const { store, watch, faults, log, put } = watched();
    store.isReachable = false;
    expect([watch.isAvailable, watch.isReachable, log.lines]).toEqual([false, false, []]);
    faults.put = new Error('disk full');
    await put();
    store.isReachable = true;
    expect([watch.isAvailable, watch.isReachable, log.lines]).toEqual([false, true, [BEGUN]]);
    faults.put = null;
    await put();
    expect([watch.isAvailable, log.lines]).toEqual([true, [BEGUN, OVER]]);
  });

  it('fails where it does not answer in time', async () => {
    const log = new FakeLog();
    const watch = new WatchedChallengeStore(new FakeChallengeStore(never), log, 5);
    await expect(watch.consume('id', ASKED)).rejects.toThrow('no answer within 5 ms');
    expect([watch.isAvailable, log.lines.length]).toEqual([false, 1]);
  });
});

describe('what nobody waits for any longer', () => {
  it('STO-07 is given up in the store, too, and what is answered in time is not', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const hanging = {
      isReachable: true,
      put: async (_id: string, _scope: unknown, _period: unknown, givenUp?: AbortSignal) => {
        signals.push(givenUp);
      },
      consume: (_id: string, _asked: unknown, givenUp?: AbortSignal) => {
        signals.push(givenUp);
        return never<never>();
      },
      close: async () => {},
    };
    const watch = new WatchedChallengeStore(hanging, new FakeLog(), 5);
    await watch.put('id', SCOPE, until(new Date()));
    await expect(watch.consume('id', ASKED)).rejects.toThrow('no answer within 5 ms');
    expect(signals.map((signal) => signal?.aborted)).toEqual([false, true]);
  });
});

describe('readiness of a store of challenges', () => {
  function checked() {
    const all = watched();
    let monotonic = 5_000;
    const clock = { now: () => new Date('2026-06-01T12:00:00.700Z'), monotonicMs: () => monotonic };
    const check = all.watch.check(clock);
    const code = async () => (await check())?.code ?? null;
    const advance = (milliseconds: number) => {
      monotonic += milliseconds;
    };
    return { ...all, code, advance };
  }

  it('fails while the store is out of reach, without trying it', async () => {
    const { store, code } = checked();
    expect(await code()).toBeNull();
    store.isReachable = false;
    expect([await code(), store.puts]).toEqual(['nonce_store', []]);
    store.isReachable = true;
    expect([await code(), store.puts]).toEqual([null, []]);
  });

  it('comes back by itself where the store works again: it is tried, once a second', async () => {
    const { store, faults, log, put, code, advance } = checked();
    faults.put = new Error('disk full');
    await put();
    expect([await code(), await code(), store.puts.length]).toEqual(['nonce_store', 'nonce_store', 2]);
    faults.put = null;
    advance(999);
    expect([await code(), store.puts.length]).toEqual(['nonce_store', 2]);
    advance(1);
    expect([await code(), store.puts.length]).toEqual([null, 3]);
    expect(log.lines).toEqual([BEGUN, OVER]);
  });

  it('tries with a record that no challenge has, for two seconds', async () => {
    const { store, faults, put, code, advance } = checked();
    faults.put = new Error('disk full');
    await put();
    await code();
    advance(1_000);
    await code();
    const [, first, second] = store.puts;
    expect(first).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      scope: { tenant: 'default', audience: null, policy: null, evidenceType: null },
      period: { issuedAt: new Date('2026-06-01T12:00:00Z'), expiresAt: new Date('2026-06-01T12:00:02Z') },
    });
    expect(second?.id).not.toBe(first?.id);
  });
});
