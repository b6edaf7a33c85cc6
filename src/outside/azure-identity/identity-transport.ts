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

/** A request ends by the time of an attempt, or with the exchange: the library passes no signal. */
const NO_SIGNAL = new AbortController().signal;

/** The owner of the requested token. */
const CURRENT = new AsyncLocalStorage<IdentityTransport>();

/**
 * The network of every credential of the library. There is one for the process, since the library keeps that of the
 * first managed identity for all that follow; it finds the transport of the token by the asynchronous context.
 */
export const IDENTITY_HTTP_CLIENT: HttpClient = {
  async sendRequest(request) {
    const transport = CURRENT.getStore();
    if (transport === undefined) throw new FetchError('not_allowed', 'no token was requested');
    return transport.sendRequest(request);
  },
};

/**
 * Carries what the Azure library asks over our own exchange, which is bounded in bytes and time, follows no redirect
 * and goes to the configured authority only. One is made for each token, and knows afterwards why there was none: the
 * library's errors say it in text.
 */
export class IdentityTransport {
  readonly #exchange: Exchange;
  #failure: FetchError | null = null;
  #asked = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** Runs what asks the library: its questions go over this transport. */
  carry<T>(ask: () => Promise<T>): Promise<T> {
    return CURRENT.run(this, ask);
  }

  /** Why the last question had no useful answer; null where it had one. */
  get failure(): FetchError | null {
    return this.#failure;
  }

  /** Whether anything was asked. */
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

/** All that the library asks is answered with JSON. */
function requireUse(answer: BoundedAnswer): void {
  if (answer.status >= 300) throw refusal(answer);
  parseStrictJson(answer.body);
}

/** The word of RFC 6749, 5.2, is for the log; the description beside it goes nowhere. */
function refusal({ status, body }: BoundedAnswer): FetchError {
  const [, word] = /"error"\s*:\s*"([a-z_]{1,64})"/.exec(Buffer.from(body).toString('latin1')) ?? [];
  return new FetchError('status', `answered with status ${status}`, {
    status,
    ...(word === undefined ? {} : { cause: word }),
  });
}
