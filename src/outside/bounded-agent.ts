import { Agent, type buildConnector, type Dispatcher } from 'undici';
import { underBound, unlessAborted } from './bounded-signal.js';
import type { EgressProxy } from './egress-proxy.js';
import { FetchError, outOfTime } from './fetch-error.js';
import { type OriginObserver, observed } from './outages.js';

export interface BoundedAgentOptions {
  /** The only origins that are ever contacted, each as `https://host[:port]`; null: the environment names them. */
  readonly origins: readonly string[] | null;
  /** Longest time of one attempt, connecting included. */
  readonly attemptTimeoutMs: number;
  /**
   * Whether connections are reused. Not for requests without retries: the server may have closed an idle connection
   * unnoticed.
   */
  readonly keepAlive?: boolean;
  /** Called after each attempt. */
  readonly observer?: OriginObserver | undefined;
  readonly connect?: ConnectOptions | undefined;
}

/** How connections are opened. */
export type ConnectOptions = buildConnector.BuildOptions & {
  /** The proxy for connections; undefined: all of them are direct. */
  readonly proxy?: EgressProxy | undefined;
};

/** The request, and the limit of its answer. */
export interface BoundedRequest {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly maximumBytes: number;
  readonly signal: AbortSignal;
  /** Headers to send, by their names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Throws if the answer is unusable, for the observer of the origin. The caller gets the answer all the same. */
  readonly check?: (answer: BoundedAnswer) => unknown;
  /**
   * Whether a 400 or 404 is no fault of the origin: callers chose the resource, or another address is tried next.
   * Otherwise the origin lacks a resource that it must serve.
   */
  readonly mayBeRefused?: boolean;
}

type Headers = Dispatcher.ResponseData['headers'];

/** A whole answer. */
export interface BoundedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** The request body and its content type. */
interface Sent {
  readonly method: 'GET' | 'POST';
  readonly body: string | null;
}

/** Returns why an answer is rejected by status and headers; null if it is accepted. */
type Refusal = (status: number, headers: Headers) => FetchError | null;

/**
 * Contacts configured origins. Bounded in bytes while reading, and in time by attempt and by the caller's signal. Sends
 * no request twice, follows no redirect, decodes no content encoding, keeps no cookie.
 */
export abstract class BoundedAgent {
  readonly #agent: Agent;
  readonly #origins: ReadonlySet<string> | null;
  readonly #attemptTimeoutMs: number;
  readonly #observer: OriginObserver | undefined;

  constructor({ origins, attemptTimeoutMs, keepAlive = true, observer, connect = {} }: BoundedAgentOptions) {
    this.#origins = origins === null ? null : new Set(origins);
    this.#attemptTimeoutMs = attemptTimeoutMs;
    this.#observer = observer;
    for (const origin of origins ?? []) observer?.register(origin);
    const { proxy, ...options } = connect;
    this.#agent = new Agent({
      connections: 8,
      // 0 makes undici end a connection after its answer.
      pipelining: keepAlive ? 1 : 0,
      connect: proxy?.connector({ ...options, timeoutMs: attemptTimeoutMs }) ?? {
        timeout: attemptTimeoutMs,
        ...options,
      },
      headersTimeout: attemptTimeoutMs,
      bodyTimeout: attemptTimeoutMs,
    });
  }

  /** Ends every connection, also those in use. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** @throws {FetchError} */
  protected async ask(request: BoundedRequest, sent: Sent, refusal: Refusal): Promise<BoundedAnswer> {
    if (this.#origins?.has(request.origin) === false) {
      throw new FetchError('not_allowed', 'the origin is not configured');
    }
    const exchange = (signal: AbortSignal) => this.#exchange({ ...request, signal }, sent, refusal);
    const bounded = () => boundedAttempt(request.signal, this.#attemptTimeoutMs, exchange);
    const attempt = () => this.#observer?.around?.(request.origin, bounded) ?? bounded();
    return observed(this.#observer, attempt, request);
  }

  async #exchange(request: BoundedRequest, sent: Sent, refusal: Refusal): Promise<BoundedAnswer> {
    const { origin, path, maximumBytes, signal, headers: asked = {} } = request;
    const response = await this.#agent.request({ origin, path, headers: asked, signal, ...sent });
    const { statusCode: status, headers } = response;
    const refused = refusal(status, headers);
    if (refused !== null) {
      dropBody(response.body);
      throw refused;
    }
    return { status, headers, body: await receiveAnswer(response, maximumBytes) };
  }
}

/**
 * Runs one attempt, for no longer than its own time and the caller's signal.
 *
 * While it connects, undici keeps an aborted request until the connection succeeds or fails. So the function waits
 * for the end of the time as well as for the request.
 * @throws {FetchError} also for errors of the network
 */
async function boundedAttempt<T>(
  caller: AbortSignal,
  timeoutMs: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (caller.aborted) throw outOfTime();
  const late = () => (caller.aborted ? outOfTime() : new FetchError('timeout', 'no answer in time'));
  return underBound(caller, timeoutMs, async (signal) => {
    try {
      return await unlessAborted(run(signal), signal, () => {
        throw late();
      });
    } catch (error) {
      if (error instanceof FetchError) throw error;
      throw signal.aborted
        ? late()
        : new FetchError('network', 'no connection or no complete answer', { cause: error });
    }
  });
}

/** The error for a rejected status, including a redirect. */
export function refusedStatus(status: number, headers: Headers): FetchError {
  if (status >= 300 && status < 400) return new FetchError('redirect', 'answered with a redirect', { status });
  const retryAfterMs = retryAfterOf(headers);
  const options = retryAfterMs === null ? { status } : { status, retryAfterMs };
  return new FetchError('status', `answered with status ${status}`, options);
}

/** The error for an answer with an unexpected content type. */
export function refusedContent(status: number): FetchError {
  return new FetchError('content_type', 'answered with another content type', { status });
}

/** The first value of a header, its name in lower case. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/**
 * Reads a body up to a limit, and closes the connection if there is more.
 * @throws {FetchError} `too_large`
 */
async function receiveAnswer({ headers, body }: Dispatcher.ResponseData, maximumBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new FetchError('too_large', `answer is over ${maximumBytes} bytes`);
  if (Number(headerOf(headers, 'content-length') ?? 0) > maximumBytes) {
    dropBody(body);
    throw tooLarge();
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop by an exception destroys the body, and the connection with it.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > maximumBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** Closes the connection: draining would let a slow body hold it until the timeout. */
function dropBody(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => {}).destroy();
}

/** RFC 9110, 5.6.7, the preferred form. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads Retry-After (RFC 9110, 10.2.3): seconds, or a date that is compared with the date of the answer, so that a
 * wrong clock does not matter. Milliseconds; null if it is missing or invalid.
 */
function retryAfterOf(headers: Headers): number | null {
  const value = headerOf(headers, 'retry-after');
  const answered = headerOf(headers, 'date') ?? '';
  if (value === undefined) return null;
  if (/^\d{1,7}$/.test(value)) return Number(value) * 1000;
  if (!HTTP_DATE.test(value) || !HTTP_DATE.test(answered)) return null;
  const wait = Date.parse(value) - Date.parse(answered);
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}
