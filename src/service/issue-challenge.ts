import type { Caller } from '../model/caller.js';
import type { ChallengeScope, ChallengeStore } from '../model/challenge.js';
import { RefusedError } from '../model/errors.js';
import type { ChallengeRequest } from '../model/request.js';
import { type ChallengeCodec, challengeId } from './challenge-codec.js';
import type { WatchedClock } from './clock-watch.js';
import { CHALLENGE_STORE_TIMEOUT_MS, withinTime } from './nonce-recogniser.js';
import { unknownPolicy } from './unknown-policy.js';

/** Tells which policies there are now. */
export interface KnownPolicies {
  has(id: string): boolean;
  /** Their ids. */
  keys(): Iterable<string>;
}

export interface IssueChallengeParts {
  readonly codec: ChallengeCodec;
  readonly store: ChallengeStore;
  readonly policies: KnownPolicies;
  readonly clock: WatchedClock;
  readonly lifetimeSeconds: number;
  /** How long the store may take. */
  readonly timeoutMs?: number | undefined;
}

/** Makes a challenge and keeps its record, so that it can be used once, by the tenant and for what it was made for. */
export class IssueChallenge {
  readonly #parts: IssueChallengeParts;

  constructor(parts: IssueChallengeParts) {
    this.#parts = parts;
  }

  /**
   * @throws {FormatError} `policy_unknown`
   * @throws {RefusedError} `forbidden`; `clock` while the clock cannot be relied on; `overloaded` when no further
   *   challenge can be kept or the store is out of reach
   */
  async execute(request: ChallengeRequest, caller: Caller) {
    this.#requireAllowed(request, caller);
    this.#requireReliableClock();
    const { codec, clock, lifetimeSeconds } = this.#parts;
    const second = Math.floor(clock.now().getTime() / 1000);
    const expiresAt = new Date((second + lifetimeSeconds) * 1000);
    const nonce = codec.make(expiresAt);
    await this.#put(challengeId(nonce), { ...request, tenant: caller.tenant }, expiresAt);
    return { nonce, expiresAt };
  }

  /** A policy or audience that the caller may not use is refused whether it exists or not. */
  #requireAllowed({ policy, audience }: ChallengeRequest, caller: Caller): void {
    if (policy !== null && caller.policies?.has(policy) === false) {
      throw new RefusedError('forbidden', 'this caller may not use this policy');
    }
    if (audience !== null && caller.audiences?.has(audience) === false) {
      throw new RefusedError('forbidden', 'this caller may not use this audience');
    }
    const { policies } = this.#parts;
    if (policy !== null && !policies.has(policy)) throw unknownPolicy(policy, policies, caller);
  }

  /** A challenge that is issued by a wrong clock would expire at a wrong time. */
  #requireReliableClock(): void {
    const doubt = this.#parts.clock.doubt();
    if (doubt === null) return;
    throw new RefusedError('clock', doubt.detail, { retryAfterSeconds: doubt.retryAfterSeconds });
  }

  async #put(id: string, scope: ChallengeScope, expiresAt: Date): Promise<void> {
    const { store, timeoutMs = CHALLENGE_STORE_TIMEOUT_MS } = this.#parts;
    try {
      await withinTime(store.put(id, scope, expiresAt), timeoutMs);
    } catch (cause) {
      if (cause instanceof RefusedError) throw cause;
      throw new RefusedError('overloaded', 'the challenge store does not answer', { retryAfterSeconds: 1, cause });
    }
  }
}

export type IssueChallengeUseCase = Pick<IssueChallenge, 'execute'>;
