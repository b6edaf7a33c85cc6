import type {
  ChallengePeriod,
  ChallengePurpose,
  ChallengeScope,
  ChallengeStore,
  ConsumedScope,
  ConsumeResult,
} from '../../core/challenge.js';
import { UnfitError, VoidChallengeError } from '../../core/errors.js';
import type { Clock } from '../../core/ports.js';
import { DROPPED_AT_ONCE, ExpiredRecords } from '../expired-records.js';
import { KeptCounts } from '../kept-counts.js';
import { keyFingerprint } from '../key-fingerprint.js';
import { ADMIT_KEY, CONSUME, DROP_EXPIRED, KEPT_KEY, PUT } from './challenge-statements.js';
import type { PostgresServer } from './connection.js';
import type { SqlValue } from './session.js';
import { SCHEMA_NAME } from './settings.js';

export interface PostgresChallengeOptions {
  readonly server: Pick<PostgresServer, 'challenges' | 'isReachable'>;
  /** The MAC key of challenges. It never leaves the process. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  /** How long a challenge lasts. */
  readonly lifetimeMs: number;
  /** Longest duration of a statement, including the wait for a connection. */
  readonly timeoutMs: number;
  /** Outstanding challenges that a tenant may have from this process. */
  readonly capacity?: number | undefined;
}

interface PutRow {
  readonly same_key: boolean;
  readonly changed: number;
}

/** Fields of the challenge; null if there is no challenge. */
interface ConsumeRow {
  readonly same_key: boolean;
  readonly started: Date;
  readonly id: string | null;
  readonly audience: string | null;
  readonly policy: string | null;
  readonly evidence_type: string | null;
  readonly issued_at: Date;
  readonly used: boolean;
  readonly own: boolean;
  readonly fits: boolean;
  readonly same_server: boolean;
  readonly expired: boolean;
  readonly changed: number;
}

const CAPACITY = 100_000;
const DROP_TIMEOUT_MS = 5000;
const UNIQUE_VIOLATION = '23505';

const OTHER_KEY = `holds challenges of replicas with another challenge key: all replicas need the same challenges.key; to change it, stop them all and run DELETE FROM ${SCHEMA_NAME}.challenge_key there as the owner`;

/**
 * Stores challenges that several processes share. Each step is one statement. A restart or failover of the server voids outstanding
 * challenges, so that no challenge can be used twice.
 */
export class PostgresChallengeStore implements ChallengeStore {
  readonly #options: PostgresChallengeOptions;
  readonly #fingerprint: string;
  readonly #counts: KeptCounts;
  readonly #expired: ExpiredRecords;

  private constructor(options: PostgresChallengeOptions, fingerprint: string) {
    this.#options = options;
    this.#fingerprint = fingerprint;
    this.#counts = new KeptCounts(options.clock, 'challenge', options.capacity ?? CAPACITY);
    this.#expired = new ExpiredRecords(options.clock, () =>
      options.server.challenges.use({ timeoutMs: DROP_TIMEOUT_MS }, (session) =>
        session.run(DROP_EXPIRED, [DROPPED_AT_ONCE]),
      ),
    );
  }

  /**
   * @throws {UnfitError} if the database belongs to replicas with another challenge key
   * @throws {Error} if the server does not answer
   */
  static async open(options: PostgresChallengeOptions): Promise<PostgresChallengeStore> {
    const fingerprint = keyFingerprint(options.key).toString('hex');
    const kept = await options.server.challenges.use({ timeoutMs: DROP_TIMEOUT_MS }, async (session) => {
      await session.run(ADMIT_KEY, [fingerprint]);
      return session.rows<{ readonly fingerprint: string }>(KEPT_KEY);
    });
    if (kept[0]?.fingerprint !== fingerprint) throw new UnfitError(OTHER_KEY);
    return new PostgresChallengeStore(options, fingerprint);
  }

  get isReachable(): boolean {
    return this.#options.server.isReachable;
  }

  async put(id: string, scope: ChallengeScope, period: ChallengePeriod, givenUp?: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const { tenant, audience, policy, evidenceType } = scope;
    const lifetimeMs = period.expiresAt.getTime() - clock.now().getTime();
    this.#counts.add(tenant, lifetimeMs);
    this.#expired.dropIfDue();
    const values = [this.#fingerprint, id, tenant, audience, policy, evidenceType, period.issuedAt, lifetimeMs];
    const [row] = await this.#ask<PutRow>(PUT, values, givenUp).catch((error: unknown) => {
      throw isTaken(error) ? new Error('challenge id is taken', { cause: error }) : error;
    });
    this.#requireSameKey(row);
    if (row.changed !== 1) throw new Error('the challenge was not kept');
  }

  async consume(id: string, asked: ConsumedScope, givenUp?: AbortSignal): Promise<ConsumeResult> {
    const { tenant, audience, evidenceType, policies } = asked;
    const values = [this.#fingerprint, id, tenant, audience, evidenceType, policies];
    const [row] = await this.#ask<ConsumeRow>(CONSUME, values, givenUp);
    this.#requireSameKey(row);
    if (row.id === null) return { state: 'unknown', lostUntil: this.#lostUntil(row.started) };
    // Reveals nothing about a challenge of another tenant.
    if (!row.own) return { state: 'scope' };
    const purpose = purposeOf(row);
    if (!row.fits) return { state: 'scope', purpose };
    if (row.changed === 1) return { state: 'consumed', issuedAt: row.issued_at, purpose };
    if (row.used) return { state: 'used' };
    if (!row.same_server)
      throw new VoidChallengeError('the challenge is from before a restart or failover of the database');
    return { state: 'expired' };
  }

  /** Does nothing: the caller of `open` closes the server. */
  async close(): Promise<void> {}

  #ask<R extends object>(text: string, values: readonly SqlValue[], givenUp?: AbortSignal): Promise<readonly R[]> {
    const { server, timeoutMs } = this.#options;
    return server.challenges.use({ timeoutMs, givenUp }, (session) => session.rows<R>(text, values));
  }

  /** A promoted standby or a restored disk may lack challenges that were issued before. */
  #lostUntil(started: Date): Date {
    return new Date(started.getTime() + this.#options.lifetimeMs);
  }

  #requireSameKey<R extends { readonly same_key: boolean }>(row: R | undefined): asserts row is R {
    if (row?.same_key === true) return;
    throw new Error('the challenge key registered in the database is no longer the one of this replica');
  }
}

function purposeOf({ audience, policy, evidence_type: evidenceType }: ConsumeRow): ChallengePurpose {
  return { audience, policy, evidenceType };
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION;
}
