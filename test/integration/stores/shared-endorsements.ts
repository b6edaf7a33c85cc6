import { SYSTEM_CLOCK } from '../../../src/composition/system.js';
import { EntrySeal, type EntrySubject } from '../../../src/endorsements/replicas/sealed-entries.js';
import { SharedFetches } from '../../../src/endorsements/replicas/shared-fetches.js';
import type { Clock } from '../../../src/model/ports.js';
import { RedisEndorsementStore, type SharingLimits } from '../../../src/stores/redis/redis-endorsement-store.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { KEY, settingsFor } from './shared-challenges.js';

interface Sharing {
  readonly key?: Uint8Array;
  readonly clock?: Clock;
  readonly log?: RecordingLog;
  readonly limits?: Partial<SharingLimits>;
  readonly commandTimeoutMs?: number;
  readonly user?: { readonly user: string; readonly password: string };
}

/** What replicas of the service share of their endorsements. Unless a test is about time, a busy machine has much of it. */
export class SharingReplicas {
  readonly #open: RedisEndorsementStore[] = [];

  async store(port: number, sharing: Sharing = {}): Promise<RedisEndorsementStore> {
    const { limits, commandTimeoutMs = 10_000, log = new RecordingLog(), user } = sharing;
    const store = await RedisEndorsementStore.open({
      settings: { ...settingsFor(port), ...user },
      clock: SYSTEM_CLOCK,
      log,
      commandTimeoutMs,
      startLimitMs: 0,
      limits,
    });
    this.#open.push(store);
    return store;
  }

  async fetches(port: number, sharing: Sharing = {}): Promise<SharedFetches> {
    const { key = KEY, clock = SYSTEM_CLOCK, log = new RecordingLog() } = sharing;
    return new SharedFetches(await this.store(port, sharing), new EntrySeal(key), clock, log);
  }

  /** Puts an entry into the store, as somebody would who has the key. */
  async insert(
    port: number,
    what: EntrySubject,
    entry: { readonly bytes: Uint8Array | null; readonly fetchedAt: Date },
  ): Promise<void> {
    const seal = new EntrySeal(KEY);
    const store = await this.store(port);
    const answer = await store.ask({ id: seal.id(what), unwanted: 'any', leaseMs: 20_000 });
    if (answer.state !== 'lead') throw new Error('no lease');
    const lifetimeMs = 24 * 60 * 60_000;
    await store.end(answer.lease, { entry: { bytes: seal.seal(what, entry), lifetimeMs }, throttled: null });
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((store) => store.close()));
  }
}
