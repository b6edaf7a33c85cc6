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

/** Bytes of the key fingerprint that are stored. The file stores integers, which are exact up to this size. */
const KEPT_BYTES = 6;
const EPOCHS = 2 ** 48 - 1;
const CAPACITY = 100_000;

export interface SqliteChallengeOptions {
  /** The MAC key of challenges. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  /** How long a challenge lasts. */
  readonly lifetimeMs: number;
  /** Outstanding challenges that a tenant may have. */
  readonly capacity?: number | undefined;
}

/**
 * Stores challenges in the file of a store. Each use is on the disk before it counts. The file belongs to one key at a time: another
 * service with another key may have taken it over, which each step detects.
 *
 * Only challenges of this process are valid: the file may be a restored copy from before a use.
 */
export class SqliteChallengeStore implements ChallengeStore {
  readonly #store: SqliteStore;
  readonly #user: ChallengeUser;
  readonly #clock: Clock;
  readonly #counts: KeptCounts;
  readonly #expired: ExpiredRecords;
  readonly #lostUntil: Date;
  /**
   * Monotonic time at which a challenge of this process expires: the wall clock may be set back.
   * In the order of creation, which is also the order of expiry.
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
   * @throws {ConfigurationError} if the file has unexpired challenges of another key
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
    // Does not read the file, for which other calls wait.
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

  /** Does nothing: the caller of `open` closes the file. */
  async close(): Promise<void> {
    this.#counted.clear();
  }

  #purge(): void {
    const now = this.#clock.now().getTime();
    const monotonic = this.#clock.monotonicMs();
    for (const [id, { countedMs, expiresMs }] of this.#counted) {
      // As long as its record exists, the challenge must not count as unexpired.
      if (countedMs > monotonic || expiresMs >= now) break;
      this.#counted.delete(id);
    }
    this.#expired.dropIfDue();
  }
}

function otherKey(): StoreUnavailableError {
  return new StoreUnavailableError('the file is of a service with another challenges.key now');
}
