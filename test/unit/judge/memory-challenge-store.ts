import type {
  ChallengePeriod,
  ChallengeScope,
  ChallengeStore,
  ConsumedScope,
  ConsumeResult,
} from '../../../src/core/challenge.js';
import { RefusedError } from '../../../src/core/errors.js';
import type { Clock } from '../../../src/core/ports.js';
import { fits, purposeOf } from '../../../src/stores/challenge-scope.js';

interface ChallengeRecord {
  readonly scope: ChallengeScope;
  /** Milliseconds since 1970. */
  readonly issuedMs: number;
  /** Wall clock, milliseconds since 1970. */
  readonly expiresMs: number;
  /** Monotonic time at which its lifetime has been counted: the wall clock may be set back meanwhile. */
  readonly countedMs: number;
  isUsed: boolean;
}

/** Records that are dropped for one challenge, whose asker waits meanwhile. */
const DROPPED_AT_ONCE = 1000;

/** Of each tenant. Some 200 bytes each, 1 200 with the longest audience: a few tens of megabytes, at most 120. */
const DEFAULT_CAPACITY = 100_000;

/**
 * Challenges of one process. A record goes only after its expiry, never to make room: a challenge whose record is
 * gone could not be told from a used one, so evicting would deny honest callers. Each tenant has room of its own, so
 * that none can take up another's; tenants are configured, and so are few.
 */
export class MemoryChallengeStore implements ChallengeStore {
  readonly isReachable = true;
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #records = new Map<string, ChallengeRecord>();
  /** Records of each tenant. */
  readonly #held = new Map<string, number>();
  /** Ids by the second in which they expire. */
  readonly #expiring = new Map<number, string[]>();
  #purgedSecond = 0;
  #isClosed = false;

  constructor(clock: Clock, capacity: number = DEFAULT_CAPACITY) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  async put(id: string, scope: ChallengeScope, { issuedAt, expiresAt }: ChallengePeriod): Promise<void> {
    this.#requireOpen();
    this.#purge();
    if (this.#records.has(id)) throw new Error('challenge id is taken');
    const held = this.#held.get(scope.tenant) ?? 0;
    if (held >= this.#capacity) {
      throw new RefusedError('overloaded', 'no further challenge can be kept', { retryAfterSeconds: 1 });
    }
    const expiresMs = expiresAt.getTime();
    const countedMs = this.#clock.monotonicMs() + expiresMs - this.#clock.now().getTime();
    this.#records.set(id, { scope: copyOf(scope), issuedMs: issuedAt.getTime(), expiresMs, countedMs, isUsed: false });
    this.#held.set(scope.tenant, held + 1);
    const second = Math.ceil(expiresMs / 1000);
    const ids = this.#expiring.get(second);
    if (ids === undefined) this.#expiring.set(second, [id]);
    else ids.push(id);
  }

  /** There is no await between looking and marking: that is what makes it one step. */
  async consume(id: string, scope: ConsumedScope): Promise<ConsumeResult> {
    this.#requireOpen();
    const record = this.#records.get(id);
    if (record === undefined) return { state: 'unknown', lostUntil: new Date(0) };
    if (this.#hasExpired(record)) return { state: 'expired' };
    // Asked under a foreign scope, a challenge stays what it is: nobody uses up, or learns about, another's.
    if (scope.tenant !== record.scope.tenant) return { state: 'scope' };
    const purpose = purposeOf(record.scope);
    if (!fits(scope, purpose)) return { state: 'scope', purpose };
    if (record.isUsed) return { state: 'used' };
    record.isUsed = true;
    return { state: 'consumed', issuedAt: new Date(record.issuedMs), purpose };
  }

  /** Challenges that could still be used. With this process they become unknown. */
  get outstanding(): number {
    return [...this.#records.values()].filter((record) => !record.isUsed && !this.#hasExpired(record)).length;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#records.clear();
    this.#held.clear();
    this.#expiring.clear();
  }

  /** Runs when a challenge is put, so that no timer is needed; looks at each second once, and then until all that ended is gone. */
  #purge(): void {
    const now = Math.floor(this.#clock.now().getTime() / 1000);
    if (now === this.#purgedSecond) return;
    let left = DROPPED_AT_ONCE;
    for (const [second, ids] of this.#expiring) {
      if (second >= now) continue;
      const dropped = ids.splice(-left);
      for (const id of dropped) this.#drop(id);
      left -= dropped.length;
      if (ids.length === 0) this.#expiring.delete(second);
      if (left === 0) return;
    }
    this.#purgedSecond = now;
  }

  #hasExpired({ expiresMs, countedMs }: ChallengeRecord): boolean {
    return this.#clock.now().getTime() >= expiresMs || this.#clock.monotonicMs() >= countedMs;
  }

  #drop(id: string): void {
    const tenant = this.#records.get(id)?.scope.tenant;
    if (tenant === undefined) return;
    this.#records.delete(id);
    this.#held.set(tenant, (this.#held.get(tenant) ?? 0) - 1);
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new Error('challenge store is closed');
  }
}

/** With texts of its own: a text that was cut out of a request's body keeps all of the body in memory. */
function copyOf({ tenant, audience, policy, evidenceType }: ChallengeScope): ChallengeScope {
  const copy = (text: string | null) => (text === null ? null : Buffer.from(text, 'utf8').toString('utf8'));
  return { tenant, audience: copy(audience), policy: copy(policy), evidenceType: copy(evidenceType) };
}
