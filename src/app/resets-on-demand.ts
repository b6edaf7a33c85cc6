import { messageOf } from '../core/errors.js';
import type { Log } from '../core/ports.js';
import type { ResetMemory } from '../core/vtpm-resets.js';
import type { RedisResetStore } from '../stores/redis/redis-reset-store.js';
import { RESET_MEMORY_MESSAGES } from '../stores/reset-counts.js';

/** Reset counts that replicas share, by tenant. */
export type SharedResets = Pick<RedisResetStore, 'of' | 'close'>;

/**
 * Opens the store when it is first asked: most commands look at no vTPM that is tracked, and need no server then. A store that cannot be
 * opened is in the log, once, and every question fails.
 */
export class ResetsOnDemand implements SharedResets {
  readonly #open: () => Promise<SharedResets>;
  readonly #log: Log;
  #opened: Promise<SharedResets> | null = null;

  constructor(open: () => Promise<SharedResets>, log: Log) {
    this.#open = open;
    this.#log = log;
  }

  of(tenant: string): ResetMemory {
    const memory = async () => (await this.#once()).of(tenant);
    return {
      highest: async (akThumbprint) => (await memory()).highest(akThumbprint),
      advance: async (akThumbprint, counts) => (await memory()).advance(akThumbprint, counts),
    };
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => null);
    await opened?.close();
  }

  #once(): Promise<SharedResets> {
    this.#opened ??= this.#open().catch((cause: unknown) => {
      const why = messageOf(cause);
      this.#log.error({ store: 'redis', why }, RESET_MEMORY_MESSAGES.begun);
      // Whatever it is: nothing that is remembered of a vTPM is damaged.
      throw new Error(why, { cause });
    });
    return this.#opened;
  }
}
