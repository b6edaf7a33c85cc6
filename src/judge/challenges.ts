import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { ChallengePeriod, ChallengeScope, ChallengeStore } from '../core/challenge.js';
import { requireReliable } from '../core/clock-doubt.js';
import { RefusedError } from '../core/errors.js';
import type { Caller, ChallengeRequest } from '../core/request.js';
import { requireAudience, requirePolicies, unknownPolicy } from './caller-limits.js';
import type { WatchedClock } from './clock-watch.js';

/** Cryptographically secure random bytes. */
export type RandomBytes = (length: number) => Uint8Array;

const RANDOM_BYTES = 16;
const EXPIRY_BYTES = 4;
const SIGNED_BYTES = RANDOM_BYTES + EXPIRY_BYTES;
const MAC_BYTES = 12;
const CHALLENGE_BYTES = SIGNED_BYTES + MAC_BYTES;

/** Keeps this MAC apart from any other that the key may ever make. */
const DOMAIN = Buffer.from('veritee-challenge-v1\0', 'ascii');

/** The prefix of a value with a bound key: no nonce may look like one (openapi.yaml, `binding`). */
const BOUND_PREFIX = Buffer.from('veritee1', 'ascii');

/**
 * Makes and recognises challenges: 16 random bytes, 4 of the expiry (seconds since 1970, unsigned, big endian), and the
 * first 12 of an HMAC-SHA-256 over both. The MAC says where the bytes come from, and nothing else: whether they are
 * used, and for what they were made, stands in the store.
 */
export class ChallengeCodec {
  readonly #key: KeyObject;
  readonly #randomBytes: RandomBytes;

  constructor(key: Uint8Array, randomBytes: RandomBytes) {
    this.#key = createSecretKey(key);
    this.#randomBytes = randomBytes;
  }

  /** @param expiresAt whole seconds; a fraction is dropped */
  make(expiresAt: Date): Uint8Array {
    const challenge = new Uint8Array(CHALLENGE_BYTES);
    do {
      challenge.set(this.#randomBytes(RANDOM_BYTES), 0);
    } while (BOUND_PREFIX.equals(challenge.subarray(0, BOUND_PREFIX.length)));
    viewOf(challenge).setUint32(RANDOM_BYTES, Math.floor(expiresAt.getTime() / 1000));
    challenge.set(this.#mac(challenge.subarray(0, SIGNED_BYTES)), SIGNED_BYTES);
    return challenge;
  }

  /** When the challenge expires; null where the bytes are not one of this key. */
  recognise(nonce: Uint8Array): { readonly expiresAt: Date } | null {
    if (nonce.byteLength !== CHALLENGE_BYTES) return null;
    if (!timingSafeEqual(nonce.subarray(SIGNED_BYTES), this.#mac(nonce.subarray(0, SIGNED_BYTES)))) return null;
    return { expiresAt: new Date(viewOf(nonce).getUint32(RANDOM_BYTES) * 1000) };
  }

  #mac(signed: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#key).update(DOMAIN).update(signed).digest().subarray(0, MAC_BYTES);
  }
}

/** Id of a challenge in the store: its digest, so that who reads the store cannot use what is outstanding. */
export function challengeId(challenge: Uint8Array): string {
  return createHash('sha256').update(challenge).digest('base64url');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** How long the challenge store is waited for. After that it counts as out of reach. */
export const CHALLENGE_STORE_TIMEOUT_MS = 100;

/** Work that did not end in its time. */
export class LateError extends Error {
  override readonly name = 'LateError';
}

/**
 * The outcome of `work`, or an error once the time is up. The work itself is not cancelled: its late effects still happen.
 * An answer that has come while this process was busy with something else counts: it is read before the time is said to
 * be up.
 * @throws {LateError} once the time is up
 * @throws {Error} also what `work` rejects with
 */
export async function withinTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const expire = () => reject(new LateError(`no answer within ${milliseconds} ms`));
    timer = setTimeout(() => setImmediate(expire), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tells which policies a tenant has now. */
export interface KnownPolicies {
  has(id: string): boolean;
  /** Their ids. */
  keys(): Iterable<string>;
}

export interface IssueChallengeParts {
  readonly codec: ChallengeCodec;
  readonly store: ChallengeStore;
  readonly policies: (tenant: string) => KnownPolicies;
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
   *   challenge can be kept or the store fails
   */
  async execute(request: ChallengeRequest, caller: Caller) {
    this.#requireAllowed(request, caller);
    // A challenge that is issued by a wrong clock would expire at a wrong time.
    requireReliable(this.#parts.clock);
    const { codec, clock, lifetimeSeconds } = this.#parts;
    const second = Math.floor(clock.now().getTime() / 1000);
    const expiresAt = new Date((second + lifetimeSeconds) * 1000);
    const nonce = codec.make(expiresAt);
    const period = { issuedAt: new Date(second * 1000), expiresAt };
    await this.#put(challengeId(nonce), { ...request, tenant: caller.tenant }, period);
    return { nonce, expiresAt };
  }

  #requireAllowed({ policy, audience }: ChallengeRequest, caller: Caller): void {
    requirePolicies(policy === null ? [] : [policy], caller, '/policy');
    requireAudience(audience, caller);
    const policies = this.#parts.policies(caller.tenant);
    if (policy !== null && !policies.has(policy)) throw unknownPolicy(policy, policies, caller);
  }

  async #put(id: string, scope: ChallengeScope, period: ChallengePeriod): Promise<void> {
    const { store, timeoutMs = CHALLENGE_STORE_TIMEOUT_MS } = this.#parts;
    try {
      await withinTime(store.put(id, scope, period), timeoutMs);
    } catch (cause) {
      if (cause instanceof RefusedError) throw cause;
      // Not why: it may have addresses. The log has it.
      throw new RefusedError('overloaded', 'the challenge store fails', { retryAfterSeconds: 1, cause });
    }
  }
}

export type IssueChallengeUseCase = Pick<IssueChallenge, 'execute'>;
