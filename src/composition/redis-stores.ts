import { type RedisStoreConfiguration, redisAddress } from '../config/redis-store.js';
import { ConfigurationError } from '../model/errors.js';
import type { Clock, Log } from '../model/ports.js';
import { RedisChallengeStore } from '../stores/redis/redis-challenge-store.js';
import type { RedisSettings } from '../stores/redis/redis-settings.js';

interface SharedChallenges {
  /** The MAC key of challenges. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
  readonly storeTimeoutMs?: number;
}

/**
 * Opens the challenge store that replicas share.
 * @throws {ConfigurationError} where the server does not answer, or must not be used
 */
export async function openSharedChallenges(
  store: RedisStoreConfiguration,
  { key, clock, log, storeTimeoutMs }: SharedChallenges,
): Promise<RedisChallengeStore> {
  try {
    const opened = await RedisChallengeStore.open({
      settings: settingsOf(store),
      key,
      clock,
      log,
      commandTimeoutMs: storeTimeoutMs,
    });
    log.info(
      { store: 'redis', mode: store.mode },
      'challenges are kept in a shared store: a restart or failover of it voids those that are outstanding',
    );
    return opened;
  } catch (cause) {
    const what = `cannot be used: ${cause instanceof Error ? cause.message : cause}`;
    throw new ConfigurationError([{ path: ['challenges', 'store'], what }], { cause });
  }
}

function settingsOf(store: RedisStoreConfiguration): RedisSettings {
  const { mode, master, ca, passwordFile } = store;
  return { mode, master, ca, passwordFile, ...redisAddress(store) };
}
