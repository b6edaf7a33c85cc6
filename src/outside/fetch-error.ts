/**
 * Why a fetch returned no body.
 *
 * `status`, `redirect`, `content_type`, `too_large`: the answer is not acceptable. `network`, `timeout`:
 * there was no answer. `aborted`: the caller's time ended. `no_time`: it ended before the request was sent, or so soon afterwards
 * that the missing answer proves nothing. With the other faults no request was sent: the origin is not configured, failed several
 * times in a row, has too many requests, or asked for a pause, or the queue of waiting callers was full.
 * `proxy_unreachable`, `proxy_refused`: the proxy for outgoing connections is unreachable, or rejects the credentials (407).
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

/** Faults that callers can cause: they do not count against the origin. */
const OF_CALLERS: ReadonlySet<FetchFault> = new Set(['busy', 'no_room', 'no_time']);

const OF_PROXY: ReadonlySet<FetchFault> = new Set(['proxy_unreachable', 'proxy_refused']);

const NOT_UNHEALTHY: ReadonlySet<FetchFault> = new Set(['not_allowed', 'open', 'waiting', ...OF_CALLERS, ...OF_PROXY]);

/** A fetch without a body. The message names no address; the cause, for the log, may. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  readonly fault: FetchFault;
  /** HTTP status; null if there was no answer. */
  readonly status: number | null;
  /** Retry-After of the answer, in milliseconds. */
  readonly retryAfterMs: number | null;

  constructor(fault: FetchFault, message: string, options: FetchErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.fault = fault;
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }

  /** The server answered that the resource does not exist. */
  get notFound(): boolean {
    return this.status === 404;
  }

  /** The server refused this request. If callers choose its content, the refusal is no fault of the server. */
  get refusesQuestion(): boolean {
    return this.fault === 'status' && (this.status === 400 || this.status === 404 || this.status === 422);
  }

  /** The origin was contacted, or is known to be unreachable. False if others came first, or no time was left. */
  get tellsOfOrigin(): boolean {
    return !OF_CALLERS.has(this.fault);
  }

  /** The server asks for a pause. */
  get throttled(): boolean {
    return this.status === 429 || (this.status === 503 && this.retryAfterMs !== null);
  }

  /** A fault of server or network that may be temporary. */
  get transient(): boolean {
    if (this.fault === 'status') return this.status === 429 || (this.status ?? 0) >= 500;
    return this.fault === 'network' || this.fault === 'timeout' || this.fault === 'proxy_unreachable';
  }

  /** A fault of the proxy for outgoing connections, not of the origin behind it. */
  get ofProxy(): boolean {
    return OF_PROXY.has(this.fault);
  }

  /** A fault that breakers count against the origin: no 4xx does. */
  get unhealthy(): boolean {
    if (this.fault === 'status') return (this.status ?? 0) >= 500;
    return !NOT_UNHEALTHY.has(this.fault);
  }
}

/** The error when the time of a request ends. */
export function outOfTime(): FetchError {
  return new FetchError('aborted', 'no answer within the time of the request');
}

/** The reason of a signal: too many requests wait already. */
export const NO_ROOM = new FetchError('no_room', 'not contacted: too many requests wait for it');

/** The error when the time of a request ended before the attempt. */
export function outOfTurn(): FetchError {
  return new FetchError('no_time', 'not contacted: the time was over before its turn came');
}

/** @throws {FetchError} `no_time` or `no_room` if the request has no time left */
export function requireTime({ aborted, reason }: AbortSignal): void {
  if (!aborted) return;
  throw reason instanceof FetchError ? reason : new FetchError('no_time', 'not contacted: no time was left');
}

/** Returns a FetchError. @throws {unknown} any other error */
export function requireFetchError(error: unknown): FetchError {
  if (error instanceof FetchError) return error;
  throw error;
}

/** Longest wait of a header, so that a server can neither switch a source off for good nor make a caller wait for long. */
const LONGEST_WAIT_SECONDS = 3_600;

/** Milliseconds to wait as whole seconds, at least one and at most an hour. */
export function boundedSeconds(milliseconds: number): number {
  return Math.min(Math.max(1, Math.ceil(milliseconds / 1000)), LONGEST_WAIT_SECONDS);
}
