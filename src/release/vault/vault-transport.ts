import {
  type HttpClient,
  type LibraryRequest,
  type LibraryResponse,
  libraryResponse,
  sendForLibrary,
} from '../../outside/azure-identity/library-exchange.js';
import { type BoundedAnswer, headerOf } from '../../outside/bounded-agent.js';
import type { Exchange } from '../../outside/bounded-exchange.js';
import type { VaultCredential } from './vault-credential.js';
import { readVaultRefusal, requireUse } from './vault-refusal.js';

/** Of what a vault answers. */
export const ANSWER_BYTES = 64 * 1024;
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
      signal: signalOf(request),
      check: (answered) => {
        if (authorization !== undefined || !isChallenge(answered)) requireUse(answered);
      },
    });
    if (answer.status < 300) {
      requireUse(answer);
      return libraryResponse(request, answer);
    }
    if (answer.status === UNAUTHORIZED && authorization !== undefined) this.#credential.refused(authorization);
    if (!isChallenge(answer) || this.#challenged.has(request)) throw readVaultRefusal(answer);
    this.#challenged.add(request);
    return libraryResponse(request, answer);
  }
}

export function signalOf({ abortSignal }: LibraryRequest): AbortSignal {
  return abortSignal instanceof AbortSignal ? abortSignal : NO_SIGNAL;
}

function isChallenge({ status, headers }: BoundedAnswer): boolean {
  return status === UNAUTHORIZED && headerOf(headers, 'www-authenticate') !== undefined;
}
