import type { BoundedAnswer } from './bounded-agent.js';
import type { Fetch, FetchRequest } from './bounded-fetch.js';

const TICK_MS = 20;

/** The current fetches, one per path, and their duration. */
export class PathsUnderWay {
  readonly #asked = new Map<string, { ticks: number }>();

  watched(fetch: Fetch): Fetch {
    return { get: (request) => this.#get(fetch, request), close: () => fetch.close() };
  }

  /** How long the fetch of a path has lasted, with its attempts and pauses; null if there is none. */
  msOf(path: string): number | null {
    const asked = this.#asked.get(path);
    return asked === undefined ? null : asked.ticks * TICK_MS;
  }

  /** Counts ticks instead of reading a clock: while the event loop is late, an answer may have arrived long ago. */
  async #get(fetch: Fetch, request: FetchRequest): Promise<BoundedAnswer> {
    const asked = { ticks: 0 };
    this.#asked.set(request.path, asked);
    const timer = setInterval(() => {
      asked.ticks += 1;
    }, TICK_MS);
    try {
      return await fetch.get(request);
    } finally {
      clearInterval(timer);
      this.#asked.delete(request.path);
    }
  }
}
