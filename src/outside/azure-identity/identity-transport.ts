import { AsyncLocalStorage } from 'node:async_hooks';
import { parseStrictJson } from '../../formats/strict-json.js';
import type { BoundedAnswer } from '../bounded-agent.js';
import type { Exchange } from '../bounded-exchange.js';
import { FetchError } from '../fetch-error.js';
import {
  type HttpClient,
  type LibraryRequest,
  type LibraryResponse,
  libraryResponse,
  sendForLibrary,
} from './library-exchange.js';

const ANSWER_BYTES = 64 * 1024;

/** A request ends at its timeout, or with the exchange: the library passes no signal. */
const NO_SIGNAL = new AbortController().signal;

/** The transport of the requested token. */
const CURRENT = new AsyncLocalStorage<IdentityTransport>();

/**
 * The network client of every library credential. The process has one, since the library keeps the client of the
 * first managed identity for all later ones. It finds the transport of the token by the asynchronous context.
 */
export const IDENTITY_HTTP_CLIENT: HttpClient = {
  async sendRequest(request) {
    const transport = CURRENT.getStore();
    if (transport === undefined) throw new FetchError('not_allowed', 'no token was requested');
    return transport.sendRequest(request);
  },
};

/**
 * Carries requests of the Azure library over an exchange of this service. It is bounded in bytes and time, follows no redirect,
 * and contacts only the configured authority. Each token has its own transport. It keeps the reason of a failure, which
 * the errors of the library state only as text.
 */
export class IdentityTransport {
  readonly #exchange: Exchange;
  #failure: FetchError | null = null;
  #asked = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** Runs a function that calls the library: the requests of the library go over this transport. */
  carry<T>(ask: () => Promise<T>): Promise<T> {
    return CURRENT.run(this, ask);
  }

  /** Why the last request had no useful answer; null if it had one. */
  get failure(): FetchError | null {
    return this.#failure;
  }

  /** Whether the library sent a request. */
  get asked(): boolean {
    return this.#asked;
  }

  async sendRequest(request: LibraryRequest): Promise<LibraryResponse> {
    this.#asked = true;
    try {
      const bounds = { maximumBytes: ANSWER_BYTES, signal: NO_SIGNAL, check: requireUse };
      const answer = await sendForLibrary(this.#exchange, request, bounds);
      this.#failure = answer.status < 300 ? null : refusal(answer);
      return libraryResponse(request, answer);
    } catch (error) {
      if (error instanceof FetchError) this.#failure = error;
      throw error;
    }
  }
}

/** Every answer to the library is JSON. */
function requireUse(answer: BoundedAnswer): void {
  if (answer.status >= 300) throw refusal(answer);
  parseStrictJson(answer.body);
}

/** The error code of RFC 6749, 5.2, is for the log; its description is dropped. */
function refusal({ status, body }: BoundedAnswer): FetchError {
  const [, word] = /"error"\s*:\s*"([a-z_]{1,64})"/.exec(Buffer.from(body).toString('latin1')) ?? [];
  return new FetchError('status', `answered with status ${status}`, {
    status,
    ...(word === undefined ? {} : { cause: word }),
  });
}
