import { UnfitError } from '../../core/errors.js';
import type { Log } from '../../core/ports.js';
import { ToldFaults } from '../../core/told-faults.js';
import { isBehind, type ResetCounts, type ResetMemory } from '../../core/vtpm-resets.js';
import { forgottenAhead, RESET_CAPACITY, RESET_MEMORY_MESSAGES, RESETS_FORGOTTEN } from '../reset-counts.js';
import { HASH_TAG } from './locate-server.js';
import { RedisConnection, type RedisConnectionOptions, type RedisScript } from './redis-connection.js';
import type { CommandArgument } from './redis-session.js';
import { HIGHEST, RAISE } from './reset-scripts.js';
import { ResetSeal } from './reset-seal.js';
import { type ScriptAnswer, scriptAnswer, unexpectedAnswer } from './script-answer.js';

interface RedisResetStoreOptions extends Omit<RedisConnectionOptions, 'admit' | 'of'> {
  /** The MAC key of challenges. It never leaves the process. */
  readonly key: Uint8Array;
  /** vTPMs that a tenant may have; some 250 bytes each on the server. */
  readonly capacity?: number;
}

interface RedisResetMemoryParts {
  readonly connection: Pick<RedisConnection, 'run' | 'renew'>;
  readonly seal: ResetSeal;
  readonly tenant: string;
  readonly log: Log;
  readonly capacity: number;
}

/** Reset counts of vTPMs that replicas share, in Redis or Valkey: a memory for each tenant, over one connection. */
export class RedisResetStore {
  readonly #connection: RedisConnection;
  readonly #parts: Omit<RedisResetMemoryParts, 'connection' | 'tenant'>;

  private constructor(connection: RedisConnection, parts: Omit<RedisResetMemoryParts, 'connection' | 'tenant'>) {
    this.#connection = connection;
    this.#parts = parts;
  }

  /**
   * @throws {UnfitError} where the server must not be used
   * @throws {Error} where it does not answer
   */
  static async open({ key, capacity = RESET_CAPACITY, ...options }: RedisResetStoreOptions): Promise<RedisResetStore> {
    // Nothing beyond what every server is looked at for: that of the challenges looks at the key.
    const connection = await RedisConnection.open({ ...options, of: 'resets', admit: async () => {} });
    return new RedisResetStore(connection, { seal: new ResetSeal(key), log: options.log, capacity });
  }

  /** The memory of a tenant. */
  of(tenant: string): ResetMemory {
    return new RedisResetMemory({ ...this.#parts, connection: this.#connection, tenant });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

/**
 * Reset counts of the vTPMs of one tenant. Each step is a script, which the server runs as one: of two replicas that note one vTPM at
 * the same moment, the higher counts stay.
 *
 * An entry that no replica has sealed is no reason to forget what was there, so it is neither ignored nor replaced. That an entry is
 * missing, or is an older one, nothing here can tell: for that each replica has counts of its own.
 */
export class RedisResetMemory implements ResetMemory {
  readonly #parts: RedisResetMemoryParts;
  readonly #keys: readonly string[];
  readonly #faults: ToldFaults;

  constructor(parts: RedisResetMemoryParts) {
    this.#parts = parts;
    this.#keys = ['counts', 'risen'].map((part) => `${HASH_TAG}:resets:${part}:${parts.tenant}`);
    this.#faults = new ToldFaults(parts.log, RESET_MEMORY_MESSAGES);
  }

  async highest(akThumbprint: string): Promise<ResetCounts | null> {
    const [state, entry] = await this.#run(HIGHEST, this.#keys.slice(0, 1), [akThumbprint]);
    if (state !== 'none' && state !== 'kept') throw unexpectedAnswer(state);
    const counts = state === 'none' ? null : this.#opened(akThumbprint, entry);
    this.#faults.over(akThumbprint);
    return counts;
  }

  async advance(akThumbprint: string, counts: ResetCounts): Promise<ResetCounts> {
    const before = await this.highest(akThumbprint);
    if (before !== null && !isBehind(before, counts)) return before;
    const { seal, tenant, capacity } = this.#parts;
    const entry = seal.seal({ tenant, akThumbprint }, counts);
    const bounds = [capacity, forgottenAhead(capacity)];
    const args = [akThumbprint, entry, counts.resetCount, counts.restartCount, ...bounds];
    const [state, said] = await this.#run(RAISE, this.#keys, args);
    switch (state) {
      case 'raised':
        this.#tellForgotten(Number(said));
        return counts;
      case 'kept':
        return this.#opened(akThumbprint, said);
      default:
        throw unexpectedAnswer(state);
    }
  }

  async #run(script: RedisScript, keys: readonly string[], args: readonly CommandArgument[]): Promise<ScriptAnswer> {
    const { connection } = this.#parts;
    const answer = scriptAnswer(await connection.run(script, keys, args));
    if (answer[0] !== 'replica') return answer;
    const error = new Error('the server is a replica now');
    connection.renew(error);
    throw error;
  }

  /** @throws {UnfitError} where it is not what a replica sealed */
  #opened(akThumbprint: string, entry: string | null | undefined): ResetCounts {
    const { seal, tenant } = this.#parts;
    const counts = seal.open({ tenant, akThumbprint }, entry ?? '');
    if (counts !== null) return counts;
    const why = 'not two counts that a replica with this challenge key has sealed';
    this.#faults.begun(akThumbprint, { store: 'redis', tenant, akThumbprint }, { why });
    throw new UnfitError(`${akThumbprint}: ${why}`);
  }

  #tellForgotten(forgotten: number): void {
    if (forgotten > 0)
      this.#parts.log.warn({ store: 'redis', tenant: this.#parts.tenant, forgotten }, RESETS_FORGOTTEN);
  }
}
