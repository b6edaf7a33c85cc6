import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import { RedisLogStore } from '../../../src/stores/redis/redis-log-store.js';
import type { RedisSettings } from '../../../src/stores/redis/redis-settings.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { settingsFor } from './shared-challenges.js';

/** What a server needs to keep decisions. */
export const DURABLE = ['appendonly yes', 'appendfsync always'] as const;

export interface LogReplica {
  readonly log?: RecordingLog;
  readonly replicas?: number;
  readonly commandTimeoutMs?: number;
  /** Left out, a server is not waited for. */
  readonly startLimitMs?: number;
  readonly settings?: Partial<RedisSettings>;
}

/** Decision logs of replicas of the service. Unless a test is about time, a busy machine has much of it. */
export class LogReplicas {
  readonly #open: RedisLogStore[] = [];

  async start(port: number, replica: LogReplica = {}): Promise<RedisLogStore> {
    const { settings, ...others } = replica;
    const store = await RedisLogStore.open({
      settings: { ...settingsFor(port), ...settings },
      replicas: 0,
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
