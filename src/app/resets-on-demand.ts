import { messageOf } from '../core/errors.js';
import type { Log } from '../core/ports.js';
import type { ResetMemory } from '../core/vtpm-resets.js';
import { RESET_MEMORY_MESSAGES } from '../stores/reset-counts.js';

type MemoryOf = (tenant: string) => ResetMemory;

/**
 * Opens the store when it is first asked: most commands look at no vTPM that is tracked, and need no server then. A store that cannot be
 * opened is in the log, once, and every question fails.
 */
export class ResetsOnDemand {
  readonly #open: () => Promise<MemoryOf>;
  readonly #log: Log;
  #opened: Promise<MemoryOf> | null = null;

  constructor(open: () => Promise<MemoryOf>, log: Log) {
    this.#open = open;
    this.#log = log;
  }

  of(tenant: string): ResetMemory {
    const memory = async () => (await this.#once())(tenant);
    return {
      highest: async (akThumbprint) => (await memory()).highest(akThumbprint),
      advance: async (akThumbprint, counts) => (await memory()).advance(akThumbprint, counts),
    };
  }

  #once(): Promise<MemoryOf> {
    this.#opened ??= this.#open().catch((cause: unknown) => {
      const why = messageOf(cause);
      this.#log.error({ store: 'postgres', why }, RESET_MEMORY_MESSAGES.begun);
      // Whatever it is: nothing that is remembered of a vTPM is damaged.
      throw new Error(why, { cause });
    });
    return this.#opened;
  }
}
