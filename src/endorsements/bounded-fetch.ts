import { Agent, type buildConnector, type Dispatcher } from 'undici';
import { FetchError } from './fetch-error.js';

export interface BoundedFetchOptions {
  /** The only origins that are ever contacted, each as `https://host[:port]`. */
  readonly origins: readonly string[];
  /** Longest time of one attempt, connecting included. */
  readonly attemptTimeoutMs: number;
  /**
   * Whether connections are used again. Not where nobody tries twice: one that was left idle may have ended without
   * this side knowing.
   */
  readonly keepAlive?: boolean;
  /** Options of TLS and socket. Further roots of a process come from `NODE_EXTRA_CA_CERTS`, so this is for tests. */
  readonly connect?: buildConnector.BuildOptions;
}

/** What is fetched, and how much of it is read at most. */
export interface BoundedRequest {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly maximumBytes: number;
  readonly signal: AbortSignal;
  /**
   * Media types that are taken, in lower case; an answer that names none is taken too. Without it, as for
   * certificates and lists, whose types have many names: everything that is not obviously something else.
   */
  readonly mediaTypes?: ReadonlySet<string>;
}

/** One GET, bounded. */
export interface Fetch {
  /** @throws {FetchError} */
  get(request: BoundedRequest): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Bodies of certificates and CRLs come under many names, or none. What says that it is a page, a picture or an error
 * object of a portal in between is refused before it is read; what the rest is shows when it is parsed.
 */
const OTHER_CONTENT = /^(?:text\/(?!plain)|image\/|multipart\/|application\/(?:[a-z.]+\+)?(?:json|xml|javascript)\b)/i;

/**
 * Fetches from configured origins. Bounded in bytes while reading and in time by attempt and by the caller's signal;
 * follows no redirect, decodes no content encoding, keeps no cookie.
 */
export class BoundedFetch implements Fetch {
  readonly #agent: Agent;
  readonly #origins: ReadonlySet<string>;
  readonly #attemptTimeoutMs: number;

  constructor(options: BoundedFetchOptions) {
    this.#origins = new Set(options.origins);
    this.#attemptTimeoutMs = options.attemptTimeoutMs;
    this.#agent = new Agent({
      connections: 8,
      // 0 is how undici is told to end a connection after its answer.
      pipelining: options.keepAlive === false ? 0 : 1,
      connect: { timeout: options.attemptTimeoutMs, ...options.connect },
      headersTimeout: options.attemptTimeoutMs,
      bodyTimeout: options.attemptTimeoutMs,
    });
  }

  async get(request: BoundedRequest): Promise<Uint8Array> {
    if (!this.#origins.has(request.origin)) throw new FetchError('not_allowed', 'the origin is not configured');
    if (request.signal.aborted) throw new FetchError('aborted', 'no time was left');
    const attempt = new AbortController();
    const timer = setTimeout(() => attempt.abort(TIMED_OUT), this.#attemptTimeoutMs);
    const stop = () => attempt.abort(STOPPED);
    request.signal.addEventListener('abort', stop, { once: true });
    try {
      // While it connects, undici keeps an aborted request until the connection is there or has failed.
      return await Promise.race([this.#read(request, attempt.signal), rejection(attempt.signal)]);
    } catch (error) {
      throw asFetchError(error, attempt.signal);
    } finally {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', stop);
    }
  }

  /** Ends every connection, also those in use. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #read(request: BoundedRequest, signal: AbortSignal): Promise<Uint8Array> {
    const { origin, path, maximumBytes } = request;
    const response = await this.#agent.request({ origin, path, method: 'GET', signal });
    const refused = refusal(response, request);
    if (refused !== null) {
      // Destroying ends the connection; draining would let a slow body hold it until the timeout.
      response.body.on('error', () => {}).destroy();
      throw refused;
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    // Leaving the loop by an exception destroys the body, and the connection with it.
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      length += chunk.byteLength;
      if (length > maximumBytes) throw tooLarge(maximumBytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, length);
  }
}

const TIMED_OUT = new FetchError('timeout', 'no answer in time');
const STOPPED = new FetchError('aborted', 'no answer within the time of the request');

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

const tooLarge = (maximum: number) => new FetchError('too_large', `answer is over ${maximum} bytes`);

function refusal(response: Dispatcher.ResponseData, { maximumBytes, mediaTypes }: BoundedRequest): FetchError | null {
  const { statusCode: status, headers } = response;
  if (status >= 300 && status < 400) return new FetchError('redirect', 'answered with a redirect', { status });
  if (status !== 200) {
    const retryAfterMs = parseRetryAfter(first(headers['retry-after']), first(headers['date']));
    const options = retryAfterMs === null ? { status } : { status, retryAfterMs };
    return new FetchError('status', `answered with status ${status}`, options);
  }
  if (isOtherContent(first(headers['content-type']) ?? '', mediaTypes)) {
    return new FetchError('content_type', 'answered with another kind of content', { status });
  }
  return Number(first(headers['content-length']) ?? 0) > maximumBytes ? tooLarge(maximumBytes) : null;
}

function isOtherContent(contentType: string, mediaTypes: ReadonlySet<string> | undefined): boolean {
  if (mediaTypes === undefined) return OTHER_CONTENT.test(contentType);
  const [mediaType = ''] = contentType.split(';');
  return mediaType.trim() !== '' && !mediaTypes.has(mediaType.trim().toLowerCase());
}

const first = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);

/** RFC 9110, 5.6.7, the form that is to be sent. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads Retry-After (RFC 9110, 10.2.3): seconds, or a date that is compared with the answer's own, so that it does
 * not matter whose clock is wrong. Null where there is none or it says nothing.
 */
function parseRetryAfter(value: string | undefined, answered: string | undefined): number | null {
  if (value === undefined) return null;
  if (/^\d{1,7}$/.test(value)) return Number(value) * 1000;
  if (!HTTP_DATE.test(value) || !HTTP_DATE.test(answered ?? '')) return null;
  const wait = Date.parse(value) - Date.parse(answered ?? '');
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

function asFetchError(error: unknown, signal: AbortSignal): FetchError {
  if (error instanceof FetchError) return error;
  if (signal.aborted && signal.reason instanceof FetchError) return signal.reason;
  return new FetchError('network', 'no connection or no complete answer', { cause: error });
}
