import { describe, expect, it } from 'vitest';
import { keyFingerprint } from '../../../../src/stores/key-fingerprint.js';
import { DROP_EXPIRED } from '../../../../src/stores/postgres/challenge-statements.js';
import { PostgresChallengeStore } from '../../../../src/stores/postgres/postgres-challenge-store.js';
import type { Session } from '../../../../src/stores/postgres/session.js';
import { until } from '../challenge-store-behaviour.js';

const KEY = new Uint8Array(32);
const ANYTHING = { tenant: 'a', audience: null, policy: null, evidenceType: null };

/** A server that answers at once, except to what drops challenges: each of these waits until it is let go. */
function slowToDrop() {
  const dropping: (() => void)[] = [];
  const session: Session = {
    rows: async <R extends object>() =>
      [{ fingerprint: keyFingerprint(KEY).toString('hex'), same_key: true, changed: 1 }] as unknown as readonly R[],
    run: async (text) => {
      if (text === DROP_EXPIRED) await new Promise<void>((resolve) => dropping.push(resolve));
      return 0;
    },
  };
  const challenges = { use: <T>(_: unknown, work: (session: Session) => Promise<T>) => work(session) };
  return { dropping, server: { isReachable: true, challenges } as never };
}

describe('the drop of expired challenges', () => {
  it('STO-07 has one connection at a time, however long it takes', async () => {
    const { dropping, server } = slowToDrop();
    const time = { ms: 1000 };
    const clock = { now: () => new Date(), monotonicMs: () => time.ms };
    const options = { server, key: KEY, clock: clock as never, lifetimeMs: 300_000, timeoutMs: 100 };
    const store = await PostgresChallengeStore.open(options);
    const putLater = async () => {
      time.ms += 1000;
      await store.put(crypto.randomUUID(), ANYTHING, until(new Date(Date.now() + 300_000)));
    };
    for (const _ of [1, 2, 3]) await putLater();
    expect(dropping).toHaveLength(1);
    dropping[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    await putLater();
    expect(dropping).toHaveLength(2);
  });
});
