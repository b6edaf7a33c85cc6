import type {
  ChallengePeriod,
  ChallengePurpose,
  ChallengeScope,
  ChallengeStore,
  ConsumedScope,
  ConsumeResult,
} from '../../core/challenge.js';
import { RefusedError, VoidChallengeError } from '../../core/errors.js';
import type { Clock } from '../../core/ports.js';
import { ChallengeAdmission, FINGERPRINT_KEY } from './challenge-admission.js';
import { CONSUME, PUT } from './challenge-scripts.js';
import { HASH_TAG } from './locate-server.js';
import { RedisConnection, type RedisConnectionOptions, type RedisScript } from './redis-connection.js';
import type { RedisSession } from './redis-session.js';
import { type ScriptAnswer, scriptAnswer, unexpectedAnswer } from './script-answer.js';

interface RedisChallengeStoreOptions extends Omit<RedisConnectionOptions, 'admit' | 'clock' | 'of'> {
  /** The MAC key of challenges. It never leaves the process. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  /** Records that a tenant may have at once. */
  readonly capacity?: number;
}

/** Of each tenant, as in memory. Some 500 bytes each on the server, 1 800 with an audience of a thousand. */
const DEFAULT_CAPACITY = 100_000;

/** What a script says where the server is not what it was when it was admitted. */
const NOT_ADMITTED: ReadonlyMap<unknown, string> = new Map([
  ['replica', 'the server is a replica now'],
  ['foreign', 'the store is not of replicas with this challenge key any more'],
  ['nameless', 'INFO does not tell run_id and master_replid'],
]);

/**
 * Challenges that several processes share, in Redis or Valkey. Each step is a script, which the server runs as one.
 *
 * A record names the server that made it. Another one, or the same after a restart, may have records from before a
 * challenge was used: consuming there throws, whatever the record says. So a restart or failover of the server voids what is
 * outstanding, and no challenge is good twice.
 */
export class RedisChallengeStore implements ChallengeStore {
  readonly #connection: RedisConnection;
  readonly #fingerprint: string;
  readonly #clock: Clock;
  readonly #capacity: number;

  private constructor(connection: RedisConnection, fingerprint: string, options: RedisChallengeStoreOptions) {
    this.#connection = connection;
    this.#fingerprint = fingerprint;
    this.#clock = options.clock;
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
  }

  /**
   * @throws {UnfitError} where the server must not be used, or is of replicas with another challenge key
   * @throws {Error} where it does not answer
   */
  static async open(options: RedisChallengeStoreOptions): Promise<RedisChallengeStore> {
    const admission = new ChallengeAdmission(options.key, options.log);
    const admit = (server: RedisSession) => admission.admit(server);
    const connection = await RedisConnection.open({ ...options, of: 'challenges', admit });
    return new RedisChallengeStore(connection, admission.fingerprint, options);
  }

  get isReachable(): boolean {
    return this.#connection.isReachable;
  }

  async put(id: string, scope: ChallengeScope, period: ChallengePeriod): Promise<void> {
    const { tenant, audience, policy, evidenceType } = scope;
    const lifetimeMs = period.expiresAt.getTime() - this.#clock.now().getTime();
    const limits = Object.entries({ audience, policy, evidenceType }).flatMap(([name, value]) =>
      value === null ? [] : [name, value],
    );
    const keys = [FINGERPRINT_KEY, recordKey(id), `${HASH_TAG}:challenges:${tenant}`];
    const issuedMs = period.issuedAt.getTime();
    const args = [this.#fingerprint, id, lifetimeMs, this.#capacity, 'tenant', tenant, 'issuedAt', issuedMs, ...limits];
    const [state] = await this.#run(PUT, keys, args);
    if (state === 'full') {
      throw new RefusedError('overloaded', 'no further challenge can be kept', { retryAfterSeconds: 1 });
    }
    if (state === 'taken') throw new Error('challenge id is taken');
    if (state !== 'kept') throw unexpectedAnswer(state);
  }

  async consume(id: string, { tenant, audience, evidenceType, policies }: ConsumedScope): Promise<ConsumeResult> {
    const asked = [tenant, audience === null ? '' : `=${audience}`, evidenceType, ...policies];
    const [state, ...said] = await this.#run(CONSUME, [FINGERPRINT_KEY, recordKey(id)], [this.#fingerprint, ...asked]);
    switch (state) {
      case 'consumed':
        return { state, issuedAt: instantOf(said[3]), purpose: purposeOf(said) };
      case 'scope':
        // Of another tenant's challenge nothing is told.
        return said.length === 0 ? { state } : { state, purpose: purposeOf(said) };
      case 'used':
      case 'unknown':
        return { state };
      case 'void':
        throw new VoidChallengeError('the challenge is from before a restart or failover of the store');
      default:
        throw unexpectedAnswer(state);
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #run(script: RedisScript, keys: readonly string[], args: readonly (string | number)[]): Promise<ScriptAnswer> {
    const answer = scriptAnswer(await this.#connection.run(script, keys, args));
    const problem = NOT_ADMITTED.get(answer[0]);
    if (problem === undefined) return answer;
    const error = new Error(problem);
    this.#connection.renew(error);
    throw error;
  }
}

function recordKey(id: string): string {
  return `${HASH_TAG}:challenge:${id}`;
}

/** Null where an earlier version made the record, or somebody else. */
function instantOf(milliseconds: string | null | undefined): Date | null {
  return /^\d{1,15}$/.test(milliseconds ?? '') ? new Date(Number(milliseconds)) : null;
}

function purposeOf([audience = null, policy = null, evidenceType = null]: ScriptAnswer): ChallengePurpose {
  return { audience, policy, evidenceType };
}
