import { expect, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import type { ChallengePeriod, ChallengeScope, ConsumedScope, ConsumeResult } from '../../../src/core/challenge.js';
import type { Clock } from '../../../src/core/ports.js';
import { PostgresChallengeStore } from '../../../src/stores/postgres/postgres-challenge-store.js';
import { until } from '../../unit/stores/challenge-store-behaviour.js';
import type { LogReplica, PostgresLogs } from './postgres-logs.js';

/** How long tests wait for what has to happen: machines that run them may be busy. */
export const PATIENT = { timeout: 20_000, interval: 20 };

export const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
export const OTHER_KEY = Uint8Array.from(KEY, (byte) => byte ^ 0xff);

export const ANYTHING: ChallengeScope = { tenant: 'a', audience: null, policy: null, evidenceType: null };
export const ASKED: ConsumedScope = { tenant: 'a', audience: 'https://gate', policies: ['p'], evidenceType: 'snp' };

/** As long as challenges of a service last. */
export const LIFETIME_MS = 300_000;

export interface Replica extends LogReplica {
  readonly key?: Uint8Array;
  readonly clock?: Clock;
  readonly capacity?: number;
  readonly timeoutMs?: number;
}

/** A store of challenges of a replica of the service. Unless a test is about time, a busy machine has much of it. */
export async function startChallenges(logs: PostgresLogs, replica: Replica = {}): Promise<PostgresChallengeStore> {
  const { key = KEY, clock = SYSTEM_CLOCK, capacity, timeoutMs = 10_000, ...others } = replica;
  const server = await logs.connect(others);
  return PostgresChallengeStore.open({ server, key, clock, capacity, timeoutMs, lifetimeMs: LIFETIME_MS });
}

/** Makes the tables of challenges empty. */
export async function emptyChallenges(logs: PostgresLogs): Promise<void> {
  await logs.sql('TRUNCATE challenges, challenge_key');
}

export function inSeconds(seconds: number): ChallengePeriod {
  return until(new Date(Date.now() + seconds * 1000));
}

/** Waits until the store takes a challenge and lets it be used. */
export async function isBack(store: PostgresChallengeStore): Promise<void> {
  await vi.waitFor(async () => {
    const id = crypto.randomUUID();
    await store.put(id, ANYTHING, inSeconds(300));
    expect(await stateOf(store.consume(id, ASKED))).toBe('consumed');
  }, PATIENT);
}

export async function stateOf(consumed: Promise<ConsumeResult>): Promise<ConsumeResult['state']> {
  return (await consumed).state;
}
