import { randomBytes } from 'node:crypto';
import type {
  ChallengePeriod,
  ChallengeScope,
  ChallengeStore,
  ConsumedScope,
  ConsumeResult,
  NonceStanding,
} from '../core/challenge.js';
import { requireReliable } from '../core/clock-doubt.js';
import { messageOf, RefusedError, VoidChallengeError } from '../core/errors.js';
import type { HealthProblem } from '../core/health.js';
import type { Log } from '../core/ports.js';
import type { Caller, ChallengeRequest } from '../core/request.js';
import { requireAudience, requirePolicies, unknownPolicy } from './caller-limits.js';
import { type ChallengeCodec, challengeId } from './challenge-codec.js';
import type { WatchedClock } from './clock-watch.js';
import { type Nonces, type NonceUse, nonceStanding } from './nonces.js';
import { withinTime } from './within-time.js';

/** Timeout of the challenge store. After it, the store counts as unreachable. */
export const CHALLENGE_STORE_TIMEOUT_MS = 100;

/** How often readiness checks try a store that failed. */
const TRIAL_PAUSE_MS = 1_000;

/** Lifetime of the record of a trial, from a whole second on. The record belongs to no issued challenge. */
const TRIAL_LIFETIME_MS = 2_000;

const TRIAL_SCOPE: ChallengeScope = { tenant: 'default', audience: null, policy: null, evidenceType: null };

export interface KnownPolicies {
  has(id: string): boolean;
  keys(): Iterable<string>;
}

export interface ChallengesParts {
  readonly codec: ChallengeCodec;
  readonly store: ChallengeStore;
  readonly policies: (tenant: string) => KnownPolicies;
  readonly clock: WatchedClock;
  readonly lifetimeSeconds: number;
  readonly log: Log;
  /** Timeout of the store; defaults to CHALLENGE_STORE_TIMEOUT_MS. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Issues and consumes challenges. Each can be used once, by its tenant and for its purpose.
 *
 * When an outage of the store begins, the log has an error with the cause. When it ends, the log has a message. The log
 * also has a warning for each challenge that cannot be consumed.
 */
export class Challenges implements Nonces {
  readonly #parts: ChallengesParts;
  readonly #timeoutMs: number;
  /** Operations whose last call failed. A full disk can consume challenges but cannot store new ones. */
  readonly #failing = new Set<'put' | 'consume'>();
  /** Monotonic time until which a store that failed is not tried again. */
  #triedUntil = Number.NEGATIVE_INFINITY;

  constructor(parts: ChallengesParts) {
    this.#parts = parts;
    this.#timeoutMs = parts.timeoutMs ?? CHALLENGE_STORE_TIMEOUT_MS;
  }

  /**
   * Whether the store is reachable, and no operation failed in its last call. An outage counts even without requests.
   */
  get isAvailable(): boolean {
    return this.#parts.store.isReachable && this.#failing.size === 0;
  }

  /**
   * @throws {FormatError} `policy_unknown`
   * @throws {RefusedError} `forbidden`; `clock` while the clock is unreliable; `overloaded` if no further challenge can
   *   be stored, or the store fails
   */
  async issue(request: ChallengeRequest, caller: Caller) {
    this.#requireAllowed(request, caller);
    const { codec, clock, lifetimeSeconds } = this.#parts;
    // With a wrong clock, the challenge would expire at a wrong time.
    requireReliable(clock);
    const second = Math.floor(clock.now().getTime() / 1000);
    const expiresAt = new Date((second + lifetimeSeconds) * 1000);
    const nonce = codec.make(expiresAt);
    const period = { issuedAt: new Date(second * 1000), expiresAt };
    try {
      await this.#put(challengeId(nonce), { ...request, tenant: caller.tenant }, period);
    } catch (cause) {
      if (cause instanceof RefusedError) throw cause;
      // Omits the cause, which may contain addresses. The log has it.
      throw new RefusedError('overloaded', 'the challenge store fails', { retryAfterSeconds: 1, cause });
    }
    return { nonce, expiresAt };
  }

  async standing(nonce: Uint8Array | null, scope: ConsumedScope, { at, consume }: NonceUse): Promise<NonceStanding> {
    const { codec } = this.#parts;
    return nonceStanding(codec, nonce, at, consume ? (id, expiresAt) => this.#consume(id, scope, expiresAt) : null);
  }

  /**
   * For readiness. Tries a store that failed first, at most once a second. A replica that is not ready gets no
   * requests, so without this trial it would not detect that the store works again.
   */
  async check(): Promise<HealthProblem | null> {
    if (this.#parts.store.isReachable && this.#failing.size > 0) await this.#try();
    return this.isAvailable
      ? null
      : { code: 'nonce_store', reason: 'the store of challenges fails or is out of reach' };
  }

  #requireAllowed({ policy, audience }: ChallengeRequest, caller: Caller): void {
    requirePolicies(policy === null ? [] : [policy], caller, '/policy');
    requireAudience(audience, caller);
    const policies = this.#parts.policies(caller.tenant);
    if (policy !== null && !policies.has(policy)) throw unknownPolicy(policy, policies, caller);
  }

  async #consume(id: string, asked: ConsumedScope, expiresAt: Date): Promise<NonceStanding> {
    const { store, log } = this.#parts;
    const origin = 'challenge';
    let result: ConsumeResult;
    try {
      result = await this.#watch('consume', (givenUp) => store.consume(id, asked, givenUp));
    } catch (error) {
      // There is no second store to fall back to: it would not have the used challenges of the first.
      log.warn({ err: error }, 'challenge store fails');
      return { origin, state: 'store_unavailable' };
    }
    const { purpose } = result;
    const compared = { origin, ...(purpose === undefined ? {} : { scopes: { purpose, asked } }) } as const;
    if (result.state === 'consumed') return { ...compared, state: result.state, issuedAt: result.issuedAt };
    // Without a record, the service cannot prove that the challenge is unused.
    if (result.state === 'unknown')
      return { origin, state: expiresAt > result.lostUntil ? 'used' : 'store_unavailable' };
    return { ...compared, state: result.state };
  }

  async #put(id: string, scope: ChallengeScope, period: ChallengePeriod): Promise<void> {
    await this.#watch('put', (givenUp) => this.#parts.store.put(id, scope, period, givenUp));
  }

  async #try(): Promise<void> {
    const { clock } = this.#parts;
    if (clock.monotonicMs() < this.#triedUntil) return;
    this.#triedUntil = clock.monotonicMs() + TRIAL_PAUSE_MS;
    const issuedMs = Math.floor(clock.now().getTime() / 1000) * 1000;
    const period = { issuedAt: new Date(issuedMs), expiresAt: new Date(issuedMs + TRIAL_LIFETIME_MS) };
    // `#put` has already noted its result.
    await this.#put(challengeId(randomBytes(32)), TRIAL_SCOPE, period).catch(() => undefined);
  }

  async #watch<T>(operation: 'put' | 'consume', work: (givenUp: AbortSignal) => Promise<T>): Promise<T> {
    const time = new AbortController();
    try {
      const result = await withinTime(work(time.signal), this.#timeoutMs);
      this.#did(operation);
      return result;
    } catch (error) {
      // Otherwise a slow store would process abandoned operations before current ones.
      time.abort();
      // The store did answer: it is full, or the challenge belongs to another server.
      if (error instanceof RefusedError || error instanceof VoidChallengeError) this.#did(operation);
      else this.#failed(operation, error);
      throw error;
    }
  }

  #failed(operation: 'put' | 'consume', error: unknown): void {
    const worked = this.#failing.size === 0;
    this.#failing.add(operation);
    if (!worked) return;
    const why = messageOf(error);
    this.#parts.log.error({ why }, 'the store of challenges fails: none is issued or used up');
  }

  /** A store that can store a challenge can also mark one as used. */
  #did(operation: 'put' | 'consume'): void {
    if (this.#failing.size === 0) return;
    this.#failing.delete('consume');
    if (operation === 'put') this.#failing.delete('put');
    if (this.#failing.size === 0) this.#parts.log.info({}, 'the store of challenges works again');
  }
}
