import { randomBytes } from 'node:crypto';
import type {
  ChallengePeriod,
  ChallengeScope,
  ChallengeStore,
  ConsumedScope,
  ConsumeResult,
} from '../core/challenge.js';
import { messageOf, RefusedError, VoidChallengeError } from '../core/errors.js';
import type { Clock, Log } from '../core/ports.js';
import { CHALLENGE_STORE_TIMEOUT_MS, challengeId, withinTime } from './challenges.js';
import type { ReadinessCheck } from './health.js';

/** How often a store that failed is tried while the service is asked whether it is ready. */
const TRIAL_PAUSE_MS = 1_000;

/** How long the record of a trial is kept, from a whole second on. Nobody has the challenge that it would be of. */
const TRIAL_LIFETIME_MS = 2_000;

const TRIAL_SCOPE: ChallengeScope = { tenant: 'default', audience: null, policy: null, evidenceType: null };

/**
 * A store of challenges, and whether it does what it is asked. An outage is in the log once when it begins, with its cause, and
 * once when it ends: where no challenge can be issued, nothing else may be asked of the service that would say why.
 */
export class WatchedChallengeStore implements ChallengeStore {
  readonly #store: ChallengeStore;
  readonly #log: Log;
  readonly #timeoutMs: number;
  /** Operations that failed when they were last asked for. A server without memory consumes, and keeps nothing new. */
  readonly #failing = new Set<'put' | 'consume'>();
  /** Monotonic time before which a store that failed is not tried again. */
  #triedUntil = Number.NEGATIVE_INFINITY;

  /** @param timeoutMs as long as requests wait for it */
  constructor(store: ChallengeStore, log: Log, timeoutMs: number = CHALLENGE_STORE_TIMEOUT_MS) {
    this.#store = store;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
  }

  get isReachable(): boolean {
    return this.#store.isReachable;
  }

  /** Whether it did what it was last asked, and can be asked now: also where nobody asks, an outage is an outage. */
  get isAvailable(): boolean {
    return this.isReachable && this.#works;
  }

  get #works(): boolean {
    return this.#failing.size === 0;
  }

  async put(id: string, scope: ChallengeScope, period: ChallengePeriod): Promise<void> {
    await this.#watch('put', (givenUp) => this.#store.put(id, scope, period, givenUp));
  }

  async consume(id: string, scope: ConsumedScope): Promise<ConsumeResult> {
    return this.#watch('consume', (givenUp) => this.#store.consume(id, scope, givenUp));
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  /**
   * For readiness. A store that failed is tried first, at most once a second: a replica that is not ready gets no request, and
   * so would never find out that the store works again.
   */
  check(clock: Clock): ReadinessCheck {
    return async () => {
      if (this.isReachable && !this.#works) await this.#try(clock);
      return this.isAvailable
        ? null
        : { code: 'nonce_store', reason: 'the store of challenges fails or is out of reach' };
    };
  }

  async #try(clock: Clock): Promise<void> {
    if (clock.monotonicMs() < this.#triedUntil) return;
    this.#triedUntil = clock.monotonicMs() + TRIAL_PAUSE_MS;
    const issuedMs = Math.floor(clock.now().getTime() / 1000) * 1000;
    const period = { issuedAt: new Date(issuedMs), expiresAt: new Date(issuedMs + TRIAL_LIFETIME_MS) };
    // Its result is noted already.
    await this.put(challengeId(randomBytes(32)), TRIAL_SCOPE, period).catch(() => undefined);
  }

  async #watch<T>(operation: 'put' | 'consume', work: (givenUp: AbortSignal) => Promise<T>): Promise<T> {
    const time = new AbortController();
    try {
      const result = await withinTime(work(time.signal), this.#timeoutMs);
      this.#did(operation);
      return result;
    } catch (error) {
      // Otherwise a slow store does abandoned operations before those that are waited for.
      time.abort();
      // The store has answered: it is full, or the challenge is of another server.
      if (error instanceof RefusedError || error instanceof VoidChallengeError) this.#did(operation);
      else this.#failed(operation, error);
      throw error;
    }
  }

  #failed(operation: 'put' | 'consume', error: unknown): void {
    const worked = this.#works;
    this.#failing.add(operation);
    if (!worked) return;
    const why = messageOf(error);
    this.#log.error({ why }, 'the store of challenges fails: none is issued or used up');
  }

  /** A store that keeps a challenge can mark one as used, too. */
  #did(operation: 'put' | 'consume'): void {
    if (this.#works) return;
    this.#failing.delete('consume');
    if (operation === 'put') this.#failing.delete('put');
    if (this.#works) this.#log.info({}, 'the store of challenges works again');
  }
}
