import type { Caller } from '../model/caller.js';
import type { ChallengeScope, ChallengeStore } from '../model/challenge.js';
import { RefusedError } from '../model/errors.js';
import type { ChallengeRequest } from '../model/request.js';
import type { ChallengeCodec } from './challenge-codec.js';
import { challengeId } from './challenge-codec.js';
import type { WatchedClock } from './clock-watch.js';
import { CHALLENGE_STORE_TIMEOUT_MS } from './nonce-recogniser.js';
import { unknownPolicy } from './unknown-policy.js';
import type { IssueChallengeUseCase } from './use-cases.js';
import { withinTime } from './within-time.js';

/** Tells which policies there are now. */
export interface KnownPolicies {
  has(id: string): boolean;
  /** Their ids. */
  keys(): Iterable<string>;
}

/** Makes a challenge and keeps its record, so that it can be used once, by the tenant and for what it was made for. */
export class IssueChallenge implements IssueChallengeUseCase {
  readonly #codec: ChallengeCodec;
  readonly #store: ChallengeStore;
  readonly #policies: KnownPolicies;
  readonly #clock: WatchedClock;
  readonly #lifetimeSeconds: number;
  readonly #timeoutMs: number;

  constructor(
    codec: ChallengeCodec,
    store: ChallengeStore,
    policies: KnownPolicies,
    clock: WatchedClock,
    lifetimeSeconds: number,
    timeoutMs: number = CHALLENGE_STORE_TIMEOUT_MS,
  ) {
    this.#codec = codec;
    this.#store = store;
    this.#policies = policies;
    this.#clock = clock;
    this.#lifetimeSeconds = lifetimeSeconds;
    this.#timeoutMs = timeoutMs;
  }

  async execute(
    request: ChallengeRequest,
    caller: Caller,
  ): Promise<{ readonly nonce: Uint8Array; readonly expiresAt: Date }> {
    this.#requireAllowed(request, caller);
    this.#requireReliableClock();
    const second = Math.floor(this.#clock.now().getTime() / 1000);
    const expiresAt = new Date((second + this.#lifetimeSeconds) * 1000);
    const nonce = this.#codec.make(expiresAt);
    await this.#put(challengeId(nonce), { ...request, tenant: caller.tenant }, expiresAt);
    return { nonce, expiresAt };
  }

  /** What a caller may not name is refused whether it exists or not. */
  #requireAllowed({ policy, audience }: ChallengeRequest, caller: Caller): void {
    if (policy !== null && caller.policies?.has(policy) === false) {
      throw new RefusedError('forbidden', 'this caller may not name this policy');
    }
    if (audience !== null && caller.audiences?.has(audience) === false) {
      throw new RefusedError('forbidden', 'this caller may not name this audience');
    }
    if (policy !== null && !this.#policies.has(policy)) {
      throw unknownPolicy(policy, this.#policies, caller);
    }
  }

  /** A challenge that was made at a wrong time would end at a wrong time. */
  #requireReliableClock(): void {
    const doubt = this.#clock.doubt();
    if (doubt === null) return;
    throw new RefusedError('clock', doubt.detail, { retryAfterSeconds: doubt.retryAfterSeconds });
  }

  async #put(id: string, scope: ChallengeScope, expiresAt: Date): Promise<void> {
    try {
      await withinTime(this.#store.put(id, scope, expiresAt), this.#timeoutMs);
    } catch (cause) {
      if (cause instanceof RefusedError) throw cause;
      throw new RefusedError('overloaded', 'the challenge store is out of reach', { retryAfterSeconds: 1, cause });
    }
  }
}
