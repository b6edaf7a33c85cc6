import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RefusedError, VoidChallengeError } from '../../../src/core/errors.js';
import { ChallengeCodec } from '../../../src/judge/challenge-codec.js';
import { CALLER, challengesWith, FakeChallengeStore, FakeLog, never } from './fakes.js';

const ANYTHING = { audience: null, policy: null, evidenceType: null };
const ASKED = { tenant: 'a', audience: null, policies: [], evidenceType: 'snp' };
const LIVE = { at: new Date('2026-06-01T12:00:00Z'), consume: true };
const BEGUN = { level: 'error', fields: { why: 'disk full' }, message: expect.stringContaining('fails') };
const OVER = { level: 'info', fields: {}, message: 'the store of challenges works again' };

const codec = new ChallengeCodec(randomBytes(32), randomBytes);
const nonce = codec.make(new Date('2026-06-01T12:05:00Z'));

function faulty() {
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
  let monotonic = 5_000;
  const now = () => new Date('2026-06-01T12:00:00.700Z');
  const clock = { now, highest: now, monotonicMs: () => monotonic, doubt: () => null };
  const challenges = challengesWith({ codec, store, clock, log });
  const put = () =>
    challenges.issue(ANYTHING, CALLER).then(
      () => null,
      (error: Error) => error.message,
    );
  const consume = () => challenges.standing(nonce, ASKED, LIVE);
  /** Without the line of each request that could not use one up. */
  const told = () => log.lines.filter(({ level }) => level !== 'warn');
  const advance = (milliseconds: number) => {
    monotonic += milliseconds;
  };
  const code = async () => (await challenges.check())?.code ?? null;
  return { store, challenges, faults, told, put, consume, advance, code };
}

describe('an outage of the store of challenges', () => {
  it('tells of an outage once, with its cause, also where nobody gets a challenge', async () => {
    const { challenges, faults, told, put } = faulty();
    await put();
    expect([challenges.isAvailable, told()]).toEqual([true, []]);
    faults.put = new Error('disk full');
    expect([await put(), await put()]).toEqual(['the challenge store fails', 'the challenge store fails']);
    expect([challenges.isAvailable, told()]).toEqual([false, [BEGUN]]);
    faults.put = null;
    await put();
    expect([challenges.isAvailable, told()]).toEqual([true, [BEGUN, OVER]]);
  });

  it('is not available while it uses up challenges and keeps none', async () => {
    const { challenges, faults, told, put, consume } = faulty();
    faults.put = new Error('disk full');
    await put();
    await consume();
    expect([challenges.isAvailable, told()]).toEqual([false, [BEGUN]]);
  });

  it('is available again once it keeps one, or uses one up where that failed', async () => {
    for (const again of ['put', 'consume'] as const) {
      const { challenges, faults, told, consume, ...rest } = faulty();
      faults.consume = new Error('disk full');
      await consume();
      expect(challenges.isAvailable).toBe(false);
      faults.consume = null;
      await { ...rest, consume }[again]();
      expect([challenges.isAvailable, told()]).toEqual([true, [BEGUN, OVER]]);
    }
  });

  it('answers where it refuses, or the challenge is of a server of before', async () => {
    const { challenges, faults, told, put, consume } = faulty();
    faults.put = new RefusedError('overloaded', 'full', { retryAfterSeconds: 1 });
    faults.consume = new VoidChallengeError('void');
    expect(await put()).toBe('full');
    expect(await consume()).toEqual({ origin: 'challenge', state: 'store_unavailable' });
    expect([challenges.isAvailable, told()]).toEqual([true, []]);
  });

  it('is not available while it is out of reach, also where nobody asks, and the log is told of what fails alone', async () => {
    const { store, challenges, faults, told, put } = faulty();
    store.isReachable = false;
    expect([challenges.isAvailable, told()]).toEqual([false, []]);
    faults.put = new Error('disk full');
    await put();
    store.isReachable = true;
    expect([challenges.isAvailable, told()]).toEqual([false, [BEGUN]]);
    faults.put = null;
    await put();
    expect([challenges.isAvailable, told()]).toEqual([true, [BEGUN, OVER]]);
  });

  it('is one that does not answer in time', async () => {
    const log = new FakeLog();
    const challenges = challengesWith({ codec, store: new FakeChallengeStore(never), log, timeoutMs: 5 });
    await challenges.standing(nonce, ASKED, LIVE);
    expect(challenges.isAvailable).toBe(false);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: 'error', fields: { why: 'no answer within 5 ms' } }),
    );
  });
});

describe('an operation that nobody waits for any longer', () => {
  it('STO-07 is given up in the store, too, and one that is answered in time is not', async () => {
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
    const challenges = challengesWith({ codec, store: hanging, timeoutMs: 5 });
    await challenges.issue(ANYTHING, CALLER);
    await challenges.standing(nonce, ASKED, LIVE);
    expect(signals.map((signal) => signal?.aborted)).toEqual([false, true]);
  });
});

describe('readiness of a store of challenges', () => {
  it('fails while the store is out of reach, without trying it', async () => {
    const { store, code } = faulty();
    expect(await code()).toBeNull();
    store.isReachable = false;
    expect([await code(), store.puts]).toEqual(['nonce_store', []]);
    store.isReachable = true;
    expect([await code(), store.puts]).toEqual([null, []]);
  });

  it('comes back by itself where the store works again: it is tried, once a second', async () => {
    const { store, faults, told, put, code, advance } = faulty();
    faults.put = new Error('disk full');
    await put();
    expect([await code(), await code(), store.puts.length]).toEqual(['nonce_store', 'nonce_store', 2]);
    faults.put = null;
    advance(999);
    expect([await code(), store.puts.length]).toEqual(['nonce_store', 2]);
    advance(1);
    expect([await code(), store.puts.length]).toEqual([null, 3]);
    expect(told()).toEqual([BEGUN, OVER]);
  });

  it('tries with a record that no challenge has, for two seconds', async () => {
    const { store, faults, put, code, advance } = faulty();
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
