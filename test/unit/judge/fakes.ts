import { randomBytes } from 'node:crypto';
import type {
  ChallengePeriod,
  ChallengeScope,
  ChallengeStore,
  ConsumedScope,
  ConsumeResult,
} from '../../../src/core/challenge.js';
import type { CredentialClock } from '../../../src/core/clock-doubt.js';
import type { Log } from '../../../src/core/ports.js';
import type { Caller } from '../../../src/core/request.js';
import { ChallengeCodec } from '../../../src/judge/challenge-codec.js';
import { Challenges, type ChallengesParts } from '../../../src/judge/challenges.js';
import type { WatchedClock } from '../../../src/judge/clock-watch.js';
import type { Slot } from '../../../src/judge/verification-slots.js';

/** A caller of the tenant `a` that may name every policy and audience. */
export const CALLER: Caller = {
  principal: 'ci',
  tenant: 'a',
  roles: new Set(['verify']),
  policies: null,
  audiences: null,
  keys: new Set(),
};

/** Answers every question with one outcome, and remembers what it was asked. */
export class FakeChallengeStore implements ChallengeStore {
  isReachable = true;
  readonly puts: { id: string; scope: ChallengeScope; period: ChallengePeriod }[] = [];
  readonly consumed: { id: string; scope: ConsumedScope }[] = [];
  readonly #consume: () => Promise<ConsumeResult>;
  readonly #put: () => Promise<void>;

  constructor(
    consume: () => Promise<ConsumeResult> = async () => ({ state: 'consumed', issuedAt: new Date(0) }),
    put: () => Promise<void> = async () => undefined,
  ) {
    this.#consume = consume;
    this.#put = put;
  }

  put(id: string, scope: ChallengeScope, period: ChallengePeriod): Promise<void> {
    this.puts.push({ id, scope, period });
    return this.#put();
  }

  consume(id: string, scope: ConsumedScope): Promise<ConsumeResult> {
    this.consumed.push({ id, scope });
    return this.#consume();
  }

  async close(): Promise<void> {}
}

/** Never settles. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

/** Stands still, and can be relied on. */
export function fixedClock(iso: string): WatchedClock & CredentialClock {
  const now = () => new Date(iso);
  return { now, highest: now, monotonicMs: () => 0, doubt: () => null };
}

/** Keeps what is logged. */
export class FakeLog implements Log {
  readonly lines: { level: string; fields: object; message: string }[] = [];

  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', fields, message });
  }
  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', fields, message });
  }
  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', fields, message });
  }
  debug(fields: object, message: string): void {
    this.lines.push({ level: 'debug', fields, message });
  }
}

/** Challenges that last for five minutes, with a key of their own. */
export function challengesWith(parts: Partial<ChallengesParts> & Pick<ChallengesParts, 'store'>): Challenges {
  return new Challenges({
    codec: new ChallengeCodec(randomBytes(32), randomBytes),
    policies: () => new Set(),
    clock: fixedClock('2026-06-01T00:00:00.900Z'),
    lifetimeSeconds: 300,
    log: new FakeLog(),
    ...parts,
  });
}

/** Counts the external waits of a request. */
export class CountedSlot implements Slot {
  waits = 0;

  elsewhere<T>(work: () => Promise<T>): Promise<T> {
    this.waits += 1;
    return work();
  }
}
