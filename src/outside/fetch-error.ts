/**
 * Why a fetch gave no body.
 *
 * `status`, `redirect`, `content_type`, `too_large`: the answer that came is not one to take. `network`, `timeout`:
 * none came. `aborted`: the caller's time was over. `no_time`: it was over before anything was sent, or so soon afterwards that
 * no answer says nothing. The rest: nothing was sent, since the origin is not configured, has failed several times in a row, is
 * asked too much already, or wants to be left alone, or since whoever wanted it found no room among those that wait.
 * `proxy_unreachable`, `proxy_refused`: the proxy for outgoing connections is out of reach, or wants other credentials (407).
 */
type FetchFault =
  | 'status'
  | 'redirect'
  | 'content_type'
  | 'too_large'
  | 'network'
  | 'timeout'
  | 'aborted'
  | 'not_allowed'
  | 'open'
  | 'busy'
  | 'waiting'
  | 'no_room'
  | 'no_time'
  | 'proxy_unreachable'
  | 'proxy_refused';

interface FetchErrorOptions {
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** Callers can bring these about: they say nothing of the origin. */
const OF_CALLERS: ReadonlySet<FetchFault> = new Set(['busy', 'no_room', 'no_time']);

const OF_PROXY: ReadonlySet<FetchFault> = new Set(['proxy_unreachable', 'proxy_refused']);

const NOT_UNHEALTHY: ReadonlySet<FetchFault> = new Set(['not_allowed', 'open', 'waiting', ...OF_CALLERS, ...OF_PROXY]);

/** A fetch that gave no body. The message names no address; the cause, for the log, may. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  readonly fault: FetchFault;
  /** HTTP status, where there was an answer. */
  readonly status: number | null;
  /** Retry-After of the answer, in milliseconds. */
  readonly retryAfterMs: number | null;

  constructor(fault: FetchFault, message: string, options: FetchErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.fault = fault;
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }

  /** The server says that it has no such thing. */
  get notFound(): boolean {
    return this.status === 404;
  }

  /** A no to this very question. Where callers choose what it is about, it says nothing of the server. */
  get refusesQuestion(): boolean {
    return this.fault === 'status' && (this.status === 400 || this.status === 404 || this.status === 422);
  }

  /** The origin was asked, or is known to be out of reach. False where others came first, or there was no time for it. */
  get tellsOfOrigin(): boolean {
    return !OF_CALLERS.has(this.fault);
  }

  /** The server asks to be left alone for a while. */
  get throttled(): boolean {
    return this.status === 429 || (this.status === 503 && this.retryAfterMs !== null);
  }

  /** A fault of server or network that may be over at the next attempt. */
  get transient(): boolean {
    if (this.fault === 'status') return this.status === 429 || (this.status ?? 0) >= 500;
    return this.fault === 'network' || this.fault === 'timeout' || this.fault === 'proxy_unreachable';
  }

  /** The proxy for outgoing connections is at fault, and says nothing of the origin behind it. */
  get ofProxy(): boolean {
    return OF_PROXY.has(this.fault);
  }

  /** Speaks against the health of the origin, as breakers count it: no 4xx does. */
  get unhealthy(): boolean {
    if (this.fault === 'status') return (this.status ?? 0) >= 500;
    return !NOT_UNHEALTHY.has(this.fault);
  }
}

/** The time of the request is over. */
export function outOfTime(): FetchError {
  return new FetchError('aborted', 'no answer within the time of the request');
}

/** As the reason of a signal: too many requests wait already. */
export const NO_ROOM = new FetchError('no_room', 'not contacted: too many requests wait for it');

/** The time of the request was over before the attempt. */
export function outOfTurn(): FetchError {
  return new FetchError('no_time', 'not contacted: the time was over before its turn came');
}

/** @throws {FetchError} `no_time` or `no_room` if the request has no time left */
export function requireTime({ aborted, reason }: AbortSignal): void {
  if (!aborted) return;
  throw reason instanceof FetchError ? reason : new FetchError('no_time', 'not contacted: no time was left');
}

/** @throws {unknown} what is no fetch that gave no body */
export function requireFetchError(error: unknown): FetchError {
  if (error instanceof FetchError) return error;
  throw error;
}

/** A header must not be able to switch a source off for good, nor make anybody wait for long. */
const LONGEST_WAIT_SECONDS = 3_600;

/** Milliseconds to wait as whole seconds, at least one and at most an hour. */
export function boundedSeconds(milliseconds: number): number {
  return Math.min(Math.max(1, Math.ceil(milliseconds / 1000)), LONGEST_WAIT_SECONDS);
}
