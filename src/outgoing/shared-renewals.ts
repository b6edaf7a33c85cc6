import type { Clock } from '../model/ports.js';
import { underBound } from './bounded-signal.js';

/** The shortest time between two renewals of one thing. */
const PAUSE_MS = 10 * 60_000;

interface Renewal<T> {
  /** Monotonic. */
  readonly startedAt: number;
  readonly result: Promise<T>;
}

/**
 * Renewals that unverified bytes of a request can trigger: at most one in ten minutes for each key. Requests in between
 * get the result of the last one. A renewal does not end with the request that triggered it: otherwise a client that
 * disconnects early could spend the renewal of all others.
 */
export class SharedRenewals<T> {
  readonly #nothing: T;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #renewals = new Map<string, Renewal<T>>();
  readonly #closing = new AbortController();

  /** @param nothing the result for a request whose time ends before the renewal does */
  constructor(nothing: T, clock: Clock, timeoutMs: number) {
    this.#nothing = nothing;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  async share(key: string, signal: AbortSignal, renew: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { result } = this.#recent(key) ?? this.#start(key, renew);
    if (signal.aborted) return this.#nothing;
    let leave = () => {};
    const left = new Promise<T>((resolve) => {
      leave = () => resolve(this.#nothing);
      signal.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([result, left]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  close(): void {
    this.#closing.abort();
  }

  #recent(key: string): Renewal<T> | null {
    const last = this.#renewals.get(key);
    return last !== undefined && this.#clock.monotonicMs() - last.startedAt < PAUSE_MS ? last : null;
  }

  #start(key: string, renew: (signal: AbortSignal) => Promise<T>): Renewal<T> {
    const result = underBound(this.#closing.signal, this.#timeoutMs, renew);
    // Callers still waiting receive the rejection; without any, it must not become an unhandled rejection.
    result.catch(() => {});
    const renewal = { startedAt: this.#clock.monotonicMs(), result };
    this.#renewals.set(key, renewal);
    return renewal;
  }
}
