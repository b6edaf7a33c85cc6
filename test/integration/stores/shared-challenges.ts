import { expect, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import type { ChallengePeriod, ChallengeScope, ConsumedScope, ConsumeResult } from '../../../src/core/challenge.js';
import type { Clock } from '../../../src/core/ports.js';
import { RedisChallengeStore } from '../../../src/stores/redis/redis-challenge-store.js';
import type { RedisSettings } from '../../../src/stores/redis/redis-settings.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { until } from '../../unit/stores/challenge-store-behaviour.js';

/** How long tests wait for what has to happen: machines that run them may be busy. */
export const PATIENT = { timeout: 20_000, interval: 20 };

export const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
export const OTHER_KEY = Uint8Array.from(KEY, (byte) => byte ^ 0xff);

export const ANYTHING: ChallengeScope = { tenant: 'a', audience: null, policy: null, evidenceType: null };
export const ASKED: ConsumedScope = { tenant: 'a', audience: 'https://gate', policies: ['p'], evidenceType: 'snp' };

export interface Replica {
  readonly key?: Uint8Array;
  readonly clock?: Clock;
  readonly log?: RecordingLog;
  readonly capacity?: number;
  readonly commandTimeoutMs?: number;
  /** Left out, a server is not waited for. */
  readonly startLimitMs?: number;
  readonly settings?: Partial<RedisSettings>;
}

export function settingsFor(...ports: readonly number[]): RedisSettings {
  const nodes = ports.map((port) => ({ host: '127.0.0.1', port }));
  const apart = { master: null, tls: false, ca: null, user: null, password: null, passwordFile: null, database: 0 };
  return { mode: 'single', nodes, ...apart };
}

/** Stores of replicas of the service. Unless a test is about time, a busy machine has much of it. */
export class Replicas {
  readonly #open: RedisChallengeStore[] = [];

  async start(port: number, replica: Replica = {}): Promise<RedisChallengeStore> {
    const { settings, ...others } = replica;
    const store = await RedisChallengeStore.open({
      settings: { ...settingsFor(port), ...settings },
      key: KEY,
      clock: SYSTEM_CLOCK,
      log: new RecordingLog(),
      commandTimeoutMs: 10_000,
      startLimitMs: 0,
      ...others,
    });
    this.#open.push(store);
    return store;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((store) => store.close()));
  }
}

export function inSeconds(seconds: number): ChallengePeriod {
  return until(new Date(Date.now() + seconds * 1000));
}

/** Waits until the store takes a challenge and lets it be used. */
export async function isBack(store: RedisChallengeStore): Promise<void> {
  await vi.waitFor(async () => {
    const id = crypto.randomUUID();
    await store.put(id, ANYTHING, inSeconds(300));
    expect(await stateOf(store.consume(id, ASKED))).toBe('consumed');
  }, PATIENT);
}

export async function stateOf(consumed: Promise<ConsumeResult>): Promise<ConsumeResult['state']> {
  return (await consumed).state;
}
