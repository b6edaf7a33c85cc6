import {
  type HttpClient,
  type LibraryRequest,
  type LibraryResponse,
  libraryResponse,
  sendForLibrary,
} from '../azure-identity/library-exchange.js';
import { parseStrictJson } from '../formats/strict-json.js';
import { FormatError } from '../model/errors.js';
import { isObject, type JsonValue } from '../model/json.js';
import { type BoundedAnswer, headerOf } from '../outgoing/bounded-agent.js';
import type { Exchange } from '../outgoing/bounded-exchange.js';
import { FetchError } from '../outgoing/fetch-error.js';
import type { VaultCredential } from './vault-credential.js';

const ANSWER_BYTES = 64 * 1024;
const UNAUTHORIZED = 401;

/** Where the library gives none, what is asked ends by the time of an attempt, or with the exchange. */
const NO_SIGNAL = new AbortController().signal;

/**
 * Carries what the Key Vault library asks over our own exchange, which goes to the one vault. What the library gets to see
 * is a useful answer, or the challenge by which a vault says what token it wants (401). Everything else is thrown here: the
 * library's errors quote the answer.
 */
export class VaultTransport implements HttpClient {
  readonly #exchange: Exchange;
  readonly #credential: Pick<VaultCredential, 'refused'>;
  /** Requests that were challenged. The library sends the same one again, with a token. */
  readonly #challenged = new WeakSet<LibraryRequest>();

  constructor(exchange: Exchange, credential: Pick<VaultCredential, 'refused'>) {
    this.#exchange = exchange;
    this.#credential = credential;
  }

  async sendRequest(request: LibraryRequest): Promise<LibraryResponse> {
    const authorization = request.headers.get('authorization');
    const answer = await sendForLibrary(this.#exchange, request, {
      maximumBytes: ANSWER_BYTES,
      signal: request.abortSignal instanceof AbortSignal ? request.abortSignal : NO_SIGNAL,
      check: (answered) => {
        if (authorization !== undefined || !isChallenge(answered)) requireUse(answered);
      },
    });
    if (answer.status < 300) return libraryResponse(request, answer);
    if (answer.status === UNAUTHORIZED && authorization !== undefined) this.#credential.refused(authorization);
    if (!isChallenge(answer) || this.#challenged.has(request)) throw refusal(answer);
    this.#challenged.add(request);
    return libraryResponse(request, answer);
  }
}

function isChallenge({ status, headers }: BoundedAnswer): boolean {
  return status === UNAUTHORIZED && headerOf(headers, 'www-authenticate') !== undefined;
}

/** All that the library asks is answered with JSON. */
function requireUse(answer: BoundedAnswer): void {
  if (answer.status >= 300) throw refusal(answer);
  parseStrictJson(answer.body);
}

function refusal({ status, body }: BoundedAnswer): FetchError {
  const code = errorCodeOf(body);
  return new FetchError('status', `answered with status ${status}`, {
    status,
    ...(code === null ? {} : { cause: code }),
  });
}

/** The innermost code of an error, such as `ForbiddenByRbac`. The message beside it names the identity, and goes nowhere. */
function errorCodeOf(body: Uint8Array): string | null {
  const error = memberOf(parsed(body), 'error');
  const inner = memberOf(error, 'innererror') ?? memberOf(error, 'innerError');
  const code = memberOf(inner, 'code') ?? memberOf(error, 'code');
  return typeof code === 'string' && /^[A-Za-z]{1,64}$/.test(code) ? code : null;
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isObject(value) ? value[name] : undefined;
}

function parsed(body: Uint8Array): JsonValue | undefined {
  try {
    return parseStrictJson(body);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
