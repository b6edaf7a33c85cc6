import type { ChallengeScope, ChallengeStore, ConsumedScope, ConsumeResult } from '../../model/challenge.js';
import { RefusedError } from '../../model/errors.js';
import type { Clock } from '../../model/ports.js';
import type { SqliteStore } from './sqlite-store.js';

/** Challenges in the file of a store. Each use is on the disk before it counts. */
export class SqliteChallengeStore implements ChallengeStore {
  readonly #store: SqliteStore;
  readonly #clock: Clock;
  /**
   * Monotonic time at which the lifetime of a challenge of this process has been counted: the wall clock may be set back.
   * In the order in which they were made, which is that in which they end.
   */
  readonly #counted = new Map<string, { readonly countedMs: number; readonly expiresMs: number }>();
  #purgedSecond = 0;

  constructor(store: SqliteStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  get isReachable(): boolean {
    return this.#store.isReachable;
  }

  async put(id: string, scope: ChallengeScope, expiresAt: Date): Promise<void> {
    this.#purge();
    const expiresMs = expiresAt.getTime();
    const hasRoom = await this.#store.ask('putChallenge', id, scope, expiresMs);
    if (!hasRoom) throw new RefusedError('overloaded', 'no further challenge can be kept', { retryAfterSeconds: 1 });
    const countedMs = this.#clock.monotonicMs() + expiresMs - this.#clock.now().getTime();
    this.#counted.set(id, { countedMs, expiresMs });
  }

  async consume(id: string, scope: ConsumedScope): Promise<ConsumeResult> {
    const counted = this.#counted.get(id);
    if (counted !== undefined && this.#clock.monotonicMs() >= counted.countedMs) return { state: 'expired' };
    return this.#store.ask('consumeChallenge', id, scope);
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
    const monotonic = this.#clock.monotonicMs();
    for (const [id, { countedMs, expiresMs }] of this.#counted) {
      // As long as its record is there, it must not seem unexpired.
      if (countedMs > monotonic || expiresMs >= now) break;
      this.#counted.delete(id);
    }
    // Where it fails, the put that comes with it fails too, and says so.
    this.#store.ask('dropExpired', now).catch(() => undefined);
  }
}
