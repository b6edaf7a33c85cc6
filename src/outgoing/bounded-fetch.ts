import { Agent, type buildConnector, type Dispatcher } from 'undici';
import { boundedAttempt } from './bounded-attempt.js';
import { dropBody, headerOf, readBody, retryAfterOf } from './bounded-body.js';
import { FetchError } from './fetch-error.js';
import { type OriginObserver, observed } from './outages.js';

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
  /** Hears of each attempt. */
  readonly observer?: OriginObserver | undefined;
  /** Options of TLS and socket. Further roots of a process come from `NODE_EXTRA_CA_CERTS`, so this is for tests. */
  readonly connect?: buildConnector.BuildOptions | undefined;
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
  /** Headers to send, by their names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Throws where the answer is of no use, for whoever watches the origin. The answer is given out all the same. */
  readonly check?: (answer: BoundedAnswer) => unknown;
  /**
   * Whether a 400 or 404 says nothing of the origin: callers chose what is asked for, or another address is asked next.
   * Else it is an origin that does not serve what it has to.
   */
  readonly mayBeRefused?: boolean;
}

/** A whole answer. */
export interface BoundedAnswer {
  readonly body: Uint8Array;
  /** The first value of a header, its name in lower case. */
  readonly header: (name: string) => string | undefined;
}

/** One GET, bounded. */
export interface Fetch {
  /** @throws {FetchError} */
  get(request: BoundedRequest): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** One GET whose headers count too, bounded. */
export interface FetchAnswer {
  /** @throws {FetchError} */
  answer(request: BoundedRequest): Promise<BoundedAnswer>;
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
export class BoundedFetch implements Fetch, FetchAnswer {
  readonly #agent: Agent;
  readonly #origins: ReadonlySet<string>;
  readonly #attemptTimeoutMs: number;
  readonly #observer: OriginObserver | undefined;

  constructor(options: BoundedFetchOptions) {
    this.#origins = new Set(options.origins);
    this.#attemptTimeoutMs = options.attemptTimeoutMs;
    this.#observer = options.observer;
    for (const origin of options.origins) this.#observer?.register(origin);
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
    return (await this.answer(request)).body;
  }

  async answer(request: BoundedRequest): Promise<BoundedAnswer> {
    if (!this.#origins.has(request.origin)) throw new FetchError('not_allowed', 'the origin is not configured');
    const attempt = () =>
      boundedAttempt(request.signal, this.#attemptTimeoutMs, (signal) => this.#read(request, signal));
    return observed(this.#observer, attempt, request);
  }

  /** Ends every connection, also those in use. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #read(request: BoundedRequest, signal: AbortSignal): Promise<BoundedAnswer> {
    const { origin, path, maximumBytes, headers = {} } = request;
    const response = await this.#agent.request({ origin, path, method: 'GET', headers, signal });
    const refused = refusal(response, request);
    if (refused !== null) {
      dropBody(response.body);
      throw refused;
    }
    const body = await readBody(response, maximumBytes);
    return { body, header: (name) => headerOf(response.headers, name) };
  }
}

function refusal({ statusCode: status, headers }: Dispatcher.ResponseData, request: BoundedRequest): FetchError | null {
  if (status >= 300 && status < 400) return new FetchError('redirect', 'answered with a redirect', { status });
  if (status !== 200) {
    const retryAfterMs = retryAfterOf(headers);
    const options = retryAfterMs === null ? { status } : { status, retryAfterMs };
    return new FetchError('status', `answered with status ${status}`, options);
  }
  const isOther = isOtherContent(headerOf(headers, 'content-type') ?? '', request.mediaTypes);
  return isOther ? new FetchError('content_type', 'answered with another kind of content', { status }) : null;
}

function isOtherContent(contentType: string, mediaTypes: ReadonlySet<string> | undefined): boolean {
  if (mediaTypes === undefined) return OTHER_CONTENT.test(contentType);
  const [mediaType = ''] = contentType.split(';');
  return mediaType.trim() !== '' && !mediaTypes.has(mediaType.trim().toLowerCase());
}
