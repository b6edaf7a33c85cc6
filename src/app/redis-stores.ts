import { type RedisStoreConfiguration, redisAddress } from '../config/redis-store.js';
import { ConfigurationError } from '../core/errors.js';
import type { KeyPath } from '../core/places.js';
import type { Clock, Log } from '../core/ports.js';
import type { RedisChallengeStore } from '../stores/redis/redis-challenge-store.js';
import type { RedisLogStore } from '../stores/redis/redis-log-store.js';
import type { RedisResetStore } from '../stores/redis/redis-reset-store.js';
import type { RedisSettings } from '../stores/redis/redis-settings.js';

interface StoreWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly storeTimeoutMs?: number | undefined;
}

export interface ChallengeWorld extends StoreWorld {
  /** The MAC key of challenges. */
  readonly key: Uint8Array;
}

/**
 * Opens the challenge store that replicas share.
 * @throws {ConfigurationError} where the server does not answer, or must not be used
 */
export async function openSharedChallenges(
  store: RedisStoreConfiguration,
  { storeTimeoutMs: commandTimeoutMs, ...world }: ChallengeWorld,
): Promise<RedisChallengeStore> {
  const opened = await usable(['challenges', 'store'], async () => {
    const { RedisChallengeStore } = await import('../stores/redis/redis-challenge-store.js');
    return RedisChallengeStore.open({ settings: settingsOf(store), commandTimeoutMs, ...world });
  });
  world.log.info(
    { store: 'redis', mode: store.mode },
    'challenges are kept in a shared store: a restart or failover of it voids those that are outstanding',
  );
  return opened;
}

/**
 * Opens the decision log that replicas share. It has a connection of its own: an append keeps it until the disk is synced, and a
 * challenge must not wait for that.
 * @throws {ConfigurationError} where the server does not answer, or must not be used
 */
export async function openSharedDecisions(
  store: RedisStoreConfiguration,
  { storeTimeoutMs: commandTimeoutMs, ...world }: StoreWorld,
): Promise<RedisLogStore> {
  const { mode, replicas } = store;
  const opened = await usable(['decisions', 'store'], async () => {
    const { RedisLogStore } = await import('../stores/redis/redis-log-store.js');
    return RedisLogStore.open({ settings: settingsOf(store), replicas, commandTimeoutMs, ...world });
  });
  world.log.info({ store: 'redis', mode, replicas }, 'decisions are stored in a shared store');
  return opened;
}

/**
 * Opens the reset counts that replicas share: in the store of their challenges, since all who use that have the same key.
 * @param startLimitMs how long a server that does not answer is waited for
 * @throws {ConfigurationError} where the server does not answer, or must not be used
 */
export async function openSharedResets(
  store: RedisStoreConfiguration,
  { storeTimeoutMs: commandTimeoutMs, ...world }: ChallengeWorld,
  startLimitMs?: number,
): Promise<RedisResetStore> {
  const opened = await usable(['challenges', 'store'], async () => {
    const { RedisResetStore } = await import('../stores/redis/redis-reset-store.js');
    return RedisResetStore.open({ settings: settingsOf(store), commandTimeoutMs, startLimitMs, ...world });
  });
  world.log.info({ store: 'redis', mode: store.mode }, 'reset counts of vTPMs are shared with other replicas');
  return opened;
}

async function usable<T>(path: KeyPath, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    const what = `cannot be used: ${cause instanceof Error ? cause.message : cause}`;
    throw new ConfigurationError([{ path, what }], { cause });
  }
}

function settingsOf(store: RedisStoreConfiguration): RedisSettings {
  const { mode, master, ca, passwordFile } = store;
  return { mode, master, ca, passwordFile, ...redisAddress(store) };
}
