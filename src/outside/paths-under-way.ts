import type { BoundedAnswer } from './bounded-agent.js';
import type { Fetch, FetchRequest } from './bounded-fetch.js';

const TICK_MS = 20;

/** The current fetches, one a path, and their duration. */
export class PathsUnderWay {
  readonly #asked = new Map<string, { ticks: number }>();

  watched(fetch: Fetch): Fetch {
    return { get: (request) => this.#get(fetch, request), close: () => fetch.close() };
  }

  /** For how long a path has been asked for, its attempts and the pauses between them together; null where it is not. */
  msOf(path: string): number | null {
    const asked = this.#asked.get(path);
    return asked === undefined ? null : asked.ticks * TICK_MS;
  }

  /** Counted, and not read off a clock: while the event loop is late, an answer may have come long ago. */
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
