import { randomInt } from 'node:crypto';
import type {
  ChallengePeriod,
  ChallengeScope,
  ChallengeStore,
  ConsumedScope,
  ConsumeResult,
} from '../../core/challenge.js';
import { StoreUnavailableError } from '../../core/decision-log.js';
import { ConfigurationError, VoidChallengeError } from '../../core/errors.js';
import type { Clock } from '../../core/ports.js';
import { ExpiredRecords } from '../expired-records.js';
import { KeptCounts } from '../kept-counts.js';
import { keyFingerprint } from '../key-fingerprint.js';
import type { ChallengeUser } from './challenges.js';
import type { SqliteStore } from './sqlite-store.js';

/** Of the fingerprint of the key. The file has room for whole numbers, and more bits are not exact. */
const KEPT_BYTES = 6;
const EPOCHS = 2 ** 48 - 1;
const CAPACITY = 100_000;

export interface SqliteChallengeOptions {
  /** The MAC key of challenges. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  /** How long a challenge lasts. */
  readonly lifetimeMs: number;
  /** Challenges that a tenant may have outstanding. */
  readonly capacity?: number | undefined;
}

/**
 * Challenges in the file of a store. Each use is on the disk before it counts. The file is of one key at a time: another service
 * with another key may have taken it over, which each step finds out.
 *
 * Only challenges of this process are good: the file may have been copied back, from before one was used.
 */
export class SqliteChallengeStore implements ChallengeStore {
  readonly #store: SqliteStore;
  readonly #user: ChallengeUser;
  readonly #clock: Clock;
  readonly #counts: KeptCounts;
  readonly #expired: ExpiredRecords;
  readonly #lostUntil: Date;
  /**
   * Monotonic time at which the lifetime of a challenge of this process has been counted: the wall clock may be set back.
   * In the order in which they were made, which is that in which they end.
   */
  readonly #counted = new Map<string, { readonly countedMs: number; readonly expiresMs: number }>();

  private constructor(store: SqliteStore, user: ChallengeUser, options: SqliteChallengeOptions) {
    this.#store = store;
    this.#user = user;
    this.#clock = options.clock;
    this.#counts = new KeptCounts(options.clock, 'challenge', options.capacity ?? CAPACITY);
    this.#expired = new ExpiredRecords(options.clock, () => store.ask('dropExpired', options.clock.now().getTime()));
    this.#lostUntil = new Date(options.clock.now().getTime() + options.lifetimeMs);
  }

  /**
   * @throws {ConfigurationError} where the file has challenges of another key that have not expired
   * @throws {StoreUnavailableError}
   */
  static async open(store: SqliteStore, options: SqliteChallengeOptions): Promise<SqliteChallengeStore> {
    const fingerprint = keyFingerprint(options.key).readUIntBE(0, KEPT_BYTES);
    const until = await store.ask('admitChallengeKey', fingerprint, options.clock.now().getTime());
    if (until === null) return new SqliteChallengeStore(store, { fingerprint, epoch: randomInt(EPOCHS) }, options);
    const what = `the file of stores.url has challenges of another key until ${new Date(until).toISOString()}: name that key, or start after then`;
    throw new ConfigurationError([{ path: ['challenges', 'key'], what }]);
  }

  get isReachable(): boolean {
    return this.#store.isReachable;
  }

  async put(id: string, scope: ChallengeScope, period: ChallengePeriod, givenUp?: AbortSignal): Promise<void> {
    this.#purge();
    const expiresMs = period.expiresAt.getTime();
    const lifetimeMs = expiresMs - this.#clock.now().getTime();
    // Without asking the file, which others wait for.
    this.#counts.add(scope.tenant, lifetimeMs);
    if (!(await this.#store.askFor(givenUp, 'putChallenge', this.#user, id, scope, period))) throw otherKey();
    this.#counted.set(id, { countedMs: this.#clock.monotonicMs() + lifetimeMs, expiresMs });
  }

  async consume(id: string, scope: ConsumedScope, givenUp?: AbortSignal): Promise<ConsumeResult> {
    const counted = this.#counted.get(id);
    if (counted !== undefined && this.#clock.monotonicMs() >= counted.countedMs) return { state: 'expired' };
    const result = await this.#store.askFor(givenUp, 'consumeChallenge', this.#user, id, scope);
    if (result === 'foreign') throw otherKey();
    if (result === 'void') throw new VoidChallengeError('the challenge is from before the service was started');
    return result === 'unknown' ? { state: result, lostUntil: this.#lostUntil } : result;
  }

  /** The file is closed by whoever opened it. */
  async close(): Promise<void> {
    this.#counted.clear();
  }

  #purge(): void {
    const now = this.#clock.now().getTime();
    const monotonic = this.#clock.monotonicMs();
    for (const [id, { countedMs, expiresMs }] of this.#counted) {
      // As long as its record is there, it must not seem unexpired.
      if (countedMs > monotonic || expiresMs >= now) break;
      this.#counted.delete(id);
    }
    this.#expired.dropIfDue();
  }
}

function otherKey(): StoreUnavailableError {
  return new StoreUnavailableError('the file is of a service with another challenges.key now');
}
