import { createHook } from 'node:async_hooks';
import { Agent } from 'undici';
import { vi } from 'vitest';
import { PolicyDirectory } from '../../../src/stores/policy-directory.js';
import { SqliteStore } from '../../../src/stores/sqlite/sqlite-store.js';
import { Metrics } from '../../../src/telemetry/metrics.js';

/** How many of each kind of part were closed. Agents are undici's: whoever fetches or sends has one. */
export interface ClosedParts {
  readonly metrics: number;
  readonly policies: number;
  readonly stores: number;
  readonly agents: number;
}

/** Sees what is opened and closed in this process. All that it looks at does what it does without it. */
export class OpenResources {
  readonly #closings = {
    metrics: vi.spyOn(Metrics.prototype, 'close'),
    policies: vi.spyOn(PolicyDirectory.prototype, 'close'),
    stores: vi.spyOn(SqliteStore.prototype, 'close'),
    agents: vi.spyOn(Agent.prototype, 'destroy'),
  };
  readonly #started = vi.spyOn(globalThis, 'setInterval');
  readonly #ended = vi.spyOn(globalThis, 'clearInterval');
  readonly #fileWatches = new Set<number>();
  readonly #hook = createHook({
    init: (id, type) => {
      if (type === 'FSEVENTWRAP') this.#fileWatches.add(id);
    },
    destroy: (id) => void this.#fileWatches.delete(id),
  }).enable();

  /** Parts, each counted once however often it was closed. */
  closed(): ClosedParts {
    const distinct = (parts: readonly unknown[]) => new Set(parts).size;
    const { metrics, policies, stores, agents } = this.#closings;
    return {
      metrics: distinct(metrics.mock.contexts),
      policies: distinct(policies.mock.contexts),
      stores: distinct(stores.mock.contexts),
      agents: distinct(agents.mock.contexts),
    };
  }

  /** Whether each of the timers that were started still runs. */
  timersRun(): readonly boolean[] {
    const cleared = new Set<unknown>(this.#ended.mock.calls.map(([timer]) => timer));
    return this.#started.mock.results.map(({ value }) => !cleared.has(value));
  }

  /** Watches of the file system that are open. One goes a moment after it was closed. */
  get fileWatches(): number {
    return this.#fileWatches.size;
  }

  /** Begins anew with what was opened, started and closed. */
  forget(): void {
    this.#fileWatches.clear();
    vi.clearAllMocks();
  }

  /** Looks no longer. */
  release(): void {
    this.#hook.disable();
    vi.restoreAllMocks();
  }
}
