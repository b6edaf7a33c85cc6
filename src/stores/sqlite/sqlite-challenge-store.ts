import type {
  ChallengePeriod,
  ChallengeScope,
  ChallengeStore,
  ConsumedScope,
  ConsumeResult,
} from '../../core/challenge.js';
import { StoreUnavailableError } from '../../core/decision-log.js';
import { ConfigurationError, RefusedError } from '../../core/errors.js';
import type { Clock } from '../../core/ports.js';
import { keyFingerprint } from '../key-fingerprint.js';
import { DROPPED_AT_ONCE } from './challenges.js';
import type { SqliteStore } from './sqlite-store.js';

/** Of the fingerprint of the key. The file has room for whole numbers, and more bits are not exact. */
const KEPT_BYTES = 6;

/**
 * Challenges in the file of a store. Each use is on the disk before it counts. The file is of one key at a time: another service
 * with another key may have taken it over, which each step finds out.
 */
export class SqliteChallengeStore implements ChallengeStore {
  readonly #store: SqliteStore;
  readonly #fingerprint: number;
  readonly #clock: Clock;
  /**
   * Monotonic time at which the lifetime of a challenge of this process has been counted: the wall clock may be set back.
   * In the order in which they were made, which is that in which they end.
   */
  readonly #counted = new Map<string, { readonly countedMs: number; readonly expiresMs: number }>();
  /** Tenants that had as many as they may, this second. */
  readonly #full = new Set<string>();
  #purgedSecond = 0;

  private constructor(store: SqliteStore, fingerprint: number, clock: Clock) {
    this.#store = store;
    this.#fingerprint = fingerprint;
    this.#clock = clock;
  }

  /**
   * @param key the MAC key of challenges
   * @throws {ConfigurationError} where the file has challenges of another key that have not expired
   * @throws {StoreUnavailableError}
   */
  static async open(store: SqliteStore, key: Uint8Array, clock: Clock): Promise<SqliteChallengeStore> {
    const fingerprint = keyFingerprint(key).readUIntBE(0, KEPT_BYTES);
    const until = await store.ask('admitChallengeKey', fingerprint, clock.now().getTime());
    if (until === null) return new SqliteChallengeStore(store, fingerprint, clock);
    const what = `the file of decisions.store has challenges of another key until ${new Date(until).toISOString()}: name that key, or start after then`;
    throw new ConfigurationError([{ path: ['challenges', 'key'], what }]);
  }

  get isReachable(): boolean {
    return this.#store.isReachable;
  }

  async put(id: string, scope: ChallengeScope, period: ChallengePeriod, givenUp?: AbortSignal): Promise<void> {
    this.#purge();
    // Without asking the file, which others wait for.
    if (this.#full.has(scope.tenant)) throw full();
    const put = await this.#store.askFor(givenUp, 'putChallenge', this.#fingerprint, id, scope, period);
    if (put === 'foreign') throw otherKey();
    if (put === 'full') {
      this.#full.add(scope.tenant);
      throw full();
    }
    const expiresMs = period.expiresAt.getTime();
    const countedMs = this.#clock.monotonicMs() + expiresMs - this.#clock.now().getTime();
    this.#counted.set(id, { countedMs, expiresMs });
  }

  async consume(id: string, scope: ConsumedScope, givenUp?: AbortSignal): Promise<ConsumeResult> {
    const counted = this.#counted.get(id);
    if (counted !== undefined && this.#clock.monotonicMs() >= counted.countedMs) return { state: 'expired' };
    const result = await this.#store.askFor(givenUp, 'consumeChallenge', this.#fingerprint, id, scope);
    if (result === null) throw otherKey();
    return result;
  }

  /** The file is closed by whoever opened it. */
  async close(): Promise<void> {
    this.#counted.clear();
  }

  /** Runs when a challenge is put, once a second, so that no timer is needed. */
  #purge(): void {
    const now = this.#clock.now().getTime();
    const second = Math.floor(now / 1000);
    if (second === this.#purgedSecond) return;
    this.#purgedSecond = second;
    this.#full.clear();
    const monotonic = this.#clock.monotonicMs();
    for (const [id, { countedMs, expiresMs }] of this.#counted) {
      // As long as its record is there, it must not seem unexpired.
      if (countedMs > monotonic || expiresMs >= now) break;
      this.#counted.delete(id);
    }
    // Where it fails, the put that comes with it fails too, and says so.
    this.#dropExpired(now).catch(() => undefined);
  }

  /** Others have their turn in between. */
  async #dropExpired(now: number): Promise<void> {
    while ((await this.#store.ask('dropExpired', now)) === DROPPED_AT_ONCE);
  }
}

function full(): RefusedError {
  return new RefusedError('overloaded', 'no further challenge can be kept', { retryAfterSeconds: 1 });
}

function otherKey(): StoreUnavailableError {
  return new StoreUnavailableError('the file is of a service with another challenges.key now');
}
