import { Agent, type buildConnector, type Dispatcher } from 'undici';
import { boundedAttempt } from './bounded-attempt.js';
import { dropBody, headerOf, readBody, retryAfterOf } from './bounded-body.js';
import { FetchError } from './fetch-error.js';
import { type OriginObserver, observed } from './outages.js';

export interface BoundedExchangeOptions {
  /** The only origins that are ever contacted; null where the environment of the machine names them. */
  readonly origins: readonly string[] | null;
  /** Longest time of one exchange, connecting included. */
  readonly attemptTimeoutMs: number;
  /** Hears of each attempt. */
  readonly observer?: OriginObserver | undefined;
  /** Options of TLS and socket. Further roots of a process come from `NODE_EXTRA_CA_CERTS`, so this is for tests. */
  readonly connect?: buildConnector.BuildOptions | undefined;
}

export interface BoundedQuestion {
  readonly method: 'GET' | 'POST';
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly maximumBytes: number;
  readonly signal: AbortSignal;
  /** Throws where the answer is of no use, for whoever watches the origin. The answer is given out all the same. */
  readonly check: (answer: BoundedAnswer) => unknown;
  /**
   * Whether a 400 or 404 says nothing of the origin: it is about what a caller sent.
   * Else it is an origin that does not serve what it has to.
   */
  readonly mayBeRefused?: boolean;
}

/** An answer that says something: success, or a refusal whose body says why. */
export interface BoundedAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Uint8Array;
}

/** Something is sent, and answered. */
export interface Exchange {
  /** @throws {FetchError} */
  send(question: BoundedQuestion): Promise<BoundedAnswer>;
  close(): Promise<void>;
}

/** Refusals that are about the question, and explain themselves. Bodies of any other failure are not read. */
const EXPLAINED: ReadonlySet<number> = new Set([400, 401, 403, 422]);

/**
 * Sends to configured origins. Bounded in bytes while reading and in time by attempt and by the caller's signal;
 * sends nothing twice, follows no redirect, decodes no content encoding, keeps no cookie.
 */
export class BoundedExchange implements Exchange {
  readonly #agent: Agent;
  readonly #origins: ReadonlySet<string> | null;
  readonly #attemptTimeoutMs: number;
  readonly #observer: OriginObserver | undefined;

  constructor({ origins, attemptTimeoutMs, observer, connect }: BoundedExchangeOptions) {
    this.#origins = origins === null ? null : new Set(origins);
    this.#attemptTimeoutMs = attemptTimeoutMs;
    this.#observer = observer;
    for (const origin of origins ?? []) observer?.register(origin);
    this.#agent = new Agent({
      connections: 8,
      // Each connection ends after its answer: one that was left idle may have ended without this side knowing, and
      // nothing is sent twice.
      pipelining: 0,
      connect: { timeout: attemptTimeoutMs, ...connect },
      headersTimeout: attemptTimeoutMs,
      bodyTimeout: attemptTimeoutMs,
    });
  }

  async send(question: BoundedQuestion): Promise<BoundedAnswer> {
    if (this.#origins?.has(question.origin) === false) {
      throw new FetchError('not_allowed', 'the origin is not configured');
    }
    const attempt = () =>
      boundedAttempt(question.signal, this.#attemptTimeoutMs, (signal) => this.#exchange(question, signal));
    return observed(this.#observer, attempt, question);
  }

  /** Ends every connection, also those in use. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #exchange(question: BoundedQuestion, signal: AbortSignal): Promise<BoundedAnswer> {
    const { method, origin, path, headers, body, maximumBytes } = question;
    const response = await this.#agent.request({ method, origin, path, headers, body, signal });
    const refused = refusal(response);
    if (refused !== null) {
      dropBody(response.body);
      throw refused;
    }
    return {
      status: response.statusCode,
      headers: response.headers,
      body: await readBody(response, maximumBytes),
    };
  }
}

const JSON_CONTENT = /^application\/(?:[a-z.]+\+)?json(?:;|$)/i;

function refusal({ statusCode: status, headers }: Dispatcher.ResponseData): FetchError | null {
  if (status >= 300 && status < 400) return new FetchError('redirect', 'answered with a redirect', { status });
  if (status >= 300 && !EXPLAINED.has(status)) {
    const retryAfterMs = retryAfterOf(headers);
    return new FetchError('status', `answered with status ${status}`, {
      status,
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    });
  }
  // A refusal needs no body to be one.
  if (status >= 300 || JSON_CONTENT.test(headerOf(headers, 'content-type') ?? '')) return null;
  return new FetchError('content_type', 'answered with another kind of content', { status });
}
